"""One step: a batch or several through the sisters, their losses and gradients, the new weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from sameface.errors import LossNotFiniteError
from sameface.training.loop.descent import Descent
from sameface.training.loop.device import Compute
from sameface.training.loop.distributed import World
from sameface.training.loop.feed import Batch
from sameface.training.loop.random_state import same_sums
from sameface.training.loop.settings import TrainingSettings
from sameface.training.losses import AnyLoss, LossReport
from sameface.training.networks.siamese import SiameseNetwork


class Steps:
    """Takes steps, one at a time.

    Args:
        network: on the device already.
        loss: scores a batch; the weights that it has are trained along.
        settings: the rates.
        compute: device and precision.
        world: processes that share each batch.
        checkpoint: named in errors.

    Attributes:
        descent: changes the network's weights and the loss's.
    """

    def __init__(
        self,
        network: SiameseNetwork,
        loss: AnyLoss,
        settings: TrainingSettings,
        *,
        compute: Compute,
        world: World,
        checkpoint: Path | None,
    ) -> None:
        self._network = network
        self._sisters: nn.Module = network
        self._loss_weights = list(loss.module.parameters())
        self._loss = loss
        self._settings, self._compute, self._world, self._path = settings, compute, world, checkpoint
        # Scaling to length 1 loses what some losses read off the length.
        network.lengths_in_training = bool(getattr(loss.module, "needs_lengths", False))
        self.descent = Descent(
            network, loss.module, learning_rate=settings.learning_rate, weight_decay=settings.weight_decay
        )

    @contextmanager
    def side_by_side(self) -> Iterator[None]:
        """While this lasts, processes share gradients, and a GPU adds in one order.

        What shares them must be gone before its group is left: it holds the group's threads.
        """
        if self._world.size > 1:
            has_statistics = any(True for _ in self._network.buffers())
            self._sisters = DistributedDataParallel(self._network, broadcast_buffers=has_statistics)
        if self._compute.compiled:
            self._sisters = cast("nn.Module", torch.compile(self._sisters))
        try:
            with same_sums(self._compute.device):
                yield
        finally:
            self._sisters = self._network

    def take(self, step: int, batches: Iterable[Batch]) -> tuple[LossReport, Tensor]:
        """Take one.

        Args:
            step: 0, 1, 2 …
            batches: whose gradients are averaged, one or more.

        Returns:
            The mean loss, and the last batch's embeddings ``(m, d)`` without a gradient.

        Raises:
            LossNotFiniteError: nothing was changed.
        """
        self.descent.zero_grad()
        reports: list[LossReport] = []
        for batch in batches:
            report, embeddings = self._gradients_of(batch)
            reports.append(report)
        total = mean_of(reports)
        self._check_finite(total.value, step)
        if self._world.size > 1:
            for weight in self._loss_weights:
                if weight.grad is not None:
                    weight.grad /= self._world.size
        self.descent.step(self._settings.learning_rate_at(step))
        return total, embeddings

    def _gradients_of(self, batch: Batch) -> tuple[LossReport, Tensor]:
        """Add the gradients of one batch to those there are."""
        settings, compute = self._settings, self._compute
        # Dropout, miners and drawn centres draw from PyTorch's own state: set by the batch, and given back as it was.
        devices = [compute.device] if compute.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(settings.seed * 1_000_003 + batch.number)
            with torch.autocast(compute.device.type, compute.autocast, enabled=compute.autocast is not None):
                (own,) = self._sisters(batch.pictures)
            embeddings = self._world.gather(own)
            report = self._loss(embeddings, batch.labels, batch.rows)
        if report.considered:
            (report.value * (self._world.size / settings.accumulate)).backward()  # type: ignore[no-untyped-call]
        return report, embeddings.detach()

    def _check_finite(self, loss: Tensor, step: int) -> None:
        """Before any weight is touched: one that became NaN would be saved as the next good checkpoint."""
        largest = nn.utils.get_total_norm(self.descent.gradients(), norm_type=float("inf"))
        if torch.isfinite(loss) and torch.isfinite(largest):
            return
        found = f"a loss of {float(loss)}" if not torch.isfinite(loss) else f"a gradient of {float(largest)}"
        kept = self._path is not None and self._path.is_file()
        raise LossNotFiniteError(
            expected="a finite loss and gradient",
            got=f"{found} at step {step + 1}",
            advice="start again with a lower learning rate; "
            + (f"the last good checkpoint is {self._path}" if kept else "there is no checkpoint yet"),
        )


def mean_of(reports: list[LossReport]) -> LossReport:
    """The reports of several batches as one, without a gradient: the mean loss, and what was counted in all.

    >>> one, two = LossReport(torch.tensor(1.0), 1, 2), LossReport(torch.tensor(3.0), 3, 4)
    >>> mean_of([one, two])
    LossReport(value=tensor(2.), active=4, considered=6)
    """
    counts = [report.active for report in reports if report.active is not None]
    return LossReport(
        torch.stack([report.value.detach() for report in reports]).mean(),
        sum(counts) if len(counts) == len(reports) else None,
        sum(report.considered for report in reports),
    )
