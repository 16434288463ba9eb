"""One step: a batch through the sisters, its loss, its gradients, the new weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from sameface.errors import LossNotFiniteError
from sameface.training.loop.device import Compute
from sameface.training.loop.distributed import World
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
        optimizer: of the network's weights and the loss's.
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
        weights = [*network.parameters(), *self._loss_weights]
        self.optimizer = torch.optim.AdamW(weights, settings.learning_rate, weight_decay=settings.weight_decay)

    @contextmanager
    def side_by_side(self) -> Iterator[None]:
        """While this lasts, processes share gradients. What does it must be gone before its group is left: it holds the group's threads."""
        if self._world.size > 1:
            has_statistics = any(True for _ in self._network.buffers())
            self._sisters = DistributedDataParallel(self._network, broadcast_buffers=has_statistics)
        try:
            yield
        finally:
            self._sisters = self._network

    def take(self, step: int, pictures: Tensor, labels: Tensor) -> tuple[LossReport, Tensor]:
        """Take one.

        Args:
            step: 0, 1, 2 …
            pictures: this process's share of the batch.
            labels: ``(m,)`` of the whole batch.

        Returns:
            The loss, and the whole batch's embeddings ``(m, d)`` without a gradient.

        Raises:
            LossNotFiniteError: nothing was changed.
        """
        settings, compute = self._settings, self._compute
        for group in self.optimizer.param_groups:
            group["lr"] = settings.learning_rate_at(step)
        # Dropout and miners draw from PyTorch's own state: set by the step, and given back as it was.
        devices = [compute.device] if compute.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(settings.seed * 1_000_003 + step)
            with torch.autocast(compute.device.type, compute.autocast, enabled=compute.autocast is not None):
                (own,) = self._sisters(pictures)
            embeddings = self._world.gather(own)
            report = self._loss(embeddings, labels)
        self.optimizer.zero_grad(set_to_none=True)
        if report.considered:
            (report.value * self._world.size).backward()  # type: ignore[no-untyped-call]
        self._check_finite(report.value.detach(), step)
        for weight in self._loss_weights:
            if weight.grad is not None:
                weight.grad /= self._world.size
        self.optimizer.step()
        return report, embeddings.detach()

    def _check_finite(self, loss: Tensor, step: int) -> None:
        """Before any weight is touched: one that became NaN would be saved as the next good checkpoint."""
        weights = (*self._network.parameters(), *self._loss_weights)
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        largest = nn.utils.get_total_norm(gradients, norm_type=float("inf"))
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
