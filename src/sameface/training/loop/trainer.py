"""The loop: batches in, a trained Siamese network out."""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from sameface.errors import CheckpointError, LossNotFiniteError, TrainingError
from sameface.training.augment import Augmentation, NoAugmentation
from sameface.training.export.deployed import Deployed
from sameface.training.loop.checkpoint import Checkpoint, save_checkpoint
from sameface.training.loop.collapse import CollapseWatch, spread_of
from sameface.training.loop.device import Compute, choose_compute
from sameface.training.loop.distributed import World
from sameface.training.loop.interrupt import ctrl_c_between_steps
from sameface.training.loop.logs import Log
from sameface.training.loop.settings import TrainingSettings
from sameface.training.loop.validation import Validation, validate
from sameface.training.losses.report import LossReport
from sameface.training.networks.by_name import NetworkSpec
from sameface.training.networks.siamese import SiameseNetwork
from sameface.training.pictures import Pictures
from sameface.training.sampling import PeopleTimesPhotos

#: Numbers of a progress report, in the order of the CSV.
COLUMNS = (
    "loss",
    "active_share",
    "spread",
    "learning_rate",
    "photos_per_second",
    "validation_eer",
    "validation_one_shot_error",
    "validation_spread",
    "cpu_seconds",
    "wall_seconds",
)


@dataclass(frozen=True)
class TrainingResult:
    """How a training ended.

    Attributes:
        steps: done in all, resumed ones included.
        stopped: ``finished``, ``early`` or ``interrupted``.
        best_step: step of the exported weights.
        validation: numbers of those weights on held-out people, None without any; after an interruption the last ones
            there were.
        cpu_seconds, wall_seconds: of this run, validation included.
        photos: encoded in this run.
        compute: the device and precision, in words.
        warnings: what the user should know.
    """

    steps: int
    stopped: Literal["finished", "early", "interrupted"]
    best_step: int
    validation: Validation | None
    cpu_seconds: float
    wall_seconds: float
    photos: int
    compute: str
    warnings: tuple[str, ...] = ()

    def unless_interrupted(self) -> TrainingResult:
        """Itself, for those who go on to something else with what was learned.

        Raises:
            KeyboardInterrupt: Ctrl-C ended the training.
        """
        if self.stopped == "interrupted":
            raise KeyboardInterrupt
        return self


class Trainer:
    """Trains a Siamese network. After `run`, `network` holds the weights to export.

    Args:
        network: on any device; moved.
        spec: the network in words, for checkpoints.
        loss: an ``nn.Module`` that is a `BatchLoss`; weights of its own are trained along.
        pictures: to train on.
        settings: see there.
        augmentation: applied to training batches only.
        held_out: pictures of other people, to validate on; None validates never.
        compute: device and precision; None chooses.
        world: the processes of this training.
        checkpoint: where to save; None saves nowhere.
        logs: take the numbers (of process 0 only).
    """

    def __init__(
        self,
        network: SiameseNetwork,
        spec: NetworkSpec,
        loss: nn.Module,
        pictures: Pictures,
        settings: TrainingSettings,
        *,
        augmentation: Augmentation | None = None,
        held_out: Pictures | None = None,
        compute: Compute | None = None,
        world: World | None = None,
        checkpoint: Path | None = None,
        logs: Sequence[Log] = (),
    ) -> None:
        self.settings = settings
        self.spec = spec
        self.compute = compute or choose_compute()
        self.world = world or World()
        # Convolutions on the CPU and on tensor cores are fastest with channels last.
        self.network = network.to(self.compute.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in its stubs
        self.averaged = copy.deepcopy(self.network).eval()
        self._deployed = Deployed(self.averaged, spec)
        self.loss = loss.to(self.compute.device)
        self._pictures = pictures
        self._held_out = held_out
        self._augment: Augmentation = augmentation or NoAugmentation()
        self._path = checkpoint
        self._logs = logs if self.world.rank == 0 else ()
        self._sampler = PeopleTimesPhotos(
            pictures.labels,
            people=settings.people,
            photos=settings.photos,
            seed=settings.seed,
            groups=pictures.groups,
            one_group=settings.one_group,
        )
        self._share = self.world.share(self._sampler.batch_size)
        self._labels = torch.from_numpy(pictures.labels)
        weights = [*self.network.parameters(), *self.loss.parameters()]
        self._optimizer = torch.optim.AdamW(weights, settings.learning_rate, weight_decay=settings.weight_decay)
        self._sisters: nn.Module = self.network
        self._step = 0
        self._best: dict[str, Tensor] | None = None
        self._best_error = float("inf")
        self._best_step = 0
        self._since_best = 0
        self._warnings: list[str] = []
        self._collapse_said = False

    # -- state --------------------------------------------------------------------------------------------------------
    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of the same network, loss and pictures. Settings may differ, and that is said.

        Raises:
            CheckpointError: of another loss, or of other pictures or another split: people who are validated on now
                may have been trained on then.
        """
        if checkpoint.pictures not in {"", self._pictures_digest}:
            raise CheckpointError(
                expected="a checkpoint of these pictures, divided as they are now",
                got="one of other pictures, or of another split of people",
                advice="give the folder, the encoder, the seed and the share held out that it was started with, or start again",
            )
        try:
            self.network.load_state_dict(checkpoint.network)
            self.averaged.load_state_dict(checkpoint.averaged)
            self.loss.load_state_dict(checkpoint.loss)
            self._optimizer.load_state_dict(checkpoint.optimizer)
        except (RuntimeError, ValueError) as error:
            raise CheckpointError(
                expected=f"a checkpoint of this network and loss ({type(self.loss).__name__})",
                got=" ".join(str(error).split())[:200],
                advice="resume with the options it was started with",
            ) from error
        now = asdict(self.settings)
        others = {name: value for name, value in checkpoint.settings.items() if now.get(name, value) != value}
        if others:
            changed = ", ".join(f"{name} {now[name]} (was {value})" for name, value in others.items())
            self._warnings.append(f"resumed with other settings than it was started with: {changed}")
        self._step = checkpoint.step
        self._best, self._best_error = checkpoint.best, checkpoint.best_error
        self._best_step, self._since_best = checkpoint.best_step, checkpoint.since_best

    def state(self) -> Checkpoint:
        """Everything `resume` needs."""
        return Checkpoint(
            spec=self.spec,
            step=self._step,
            network=self.network.state_dict(),
            averaged=self.averaged.state_dict(),
            loss=self.loss.state_dict(),
            optimizer=self._optimizer.state_dict(),
            best=self._best,
            best_error=self._best_error,
            best_step=self._best_step,
            since_best=self._since_best,
            settings=asdict(self.settings),
            pictures=self._pictures_digest,
        )

    @cached_property
    def _pictures_digest(self) -> str:
        """What is trained and validated on, as a digest: the pixels, and who is who."""
        digest = hashlib.blake2b(digest_size=16)
        for part in (self._pictures, self._held_out):
            if part is not None:
                digest.update("\0".join(part.people).encode())
                digest.update(part.labels.tobytes())
                digest.update(part.pixels.numpy().tobytes())
        return digest.hexdigest()

    # -- the loop -----------------------------------------------------------------------------------------------------
    @contextmanager
    def _side_by_side(self) -> Iterator[None]:
        """While this lasts, processes share gradients. What does it must be gone before its group is left: it holds the group's threads."""
        if self.world.size > 1:
            has_statistics = any(True for _ in self.network.buffers())
            self._sisters = DistributedDataParallel(self.network, broadcast_buffers=has_statistics)
        try:
            yield
        finally:
            self._sisters = self.network

    def run(self, progress: Callable[[int, Mapping[str, float]], None] | None = None) -> TrainingResult:
        """Train to the last step, to the end of patience, or to Ctrl-C; a checkpoint is left in each case.

        Ctrl-C ends the step that is under way first. A second one stops at once and saves nothing.

        Args:
            progress: called with the step and the numbers of a report.

        Raises:
            LossNotFiniteError: the loss or a gradient became NaN or infinite; the last checkpoint is untouched.
            TrainingError: the embeddings collapsed (unless settings say to go on).
        """
        wall, cpu = time.monotonic(), time.process_time()
        photos = 0
        watch = CollapseWatch()
        validation: Validation | None = None
        stopped: Literal["finished", "early", "interrupted"] = "finished"
        mark, mark_photos = wall, 0
        self.network.train()
        self.loss.train()
        with self._side_by_side(), ctrl_c_between_steps(second_stops_at_once=self.world.size == 1) as asked_to_stop:
            if self.spec.name == "head" and self.settings.patience and self._held_out is not None and self._step == 0:
                self._validate()  # a head starts as good as its encoder: training must beat that to be kept
            while self._step < self.settings.steps:
                report, embeddings = self._one_step(self._step)
                self._step += 1
                photos += len(embeddings)
                spread = spread_of(embeddings)
                self._say_collapse(watch.see(spread, float(report.value.detach())))
                numbers: dict[str, float] = {}
                last = self._step == self.settings.steps
                if self._step % self.settings.report_every == 0 or last:
                    now = time.monotonic()
                    numbers = {
                        "loss": float(report.value.detach()),
                        "active_share": report.active_share,
                        "spread": spread,
                        "learning_rate": self.settings.learning_rate_at(self._step - 1),
                        "photos_per_second": (photos - mark_photos) / max(1e-9, now - mark),
                        "cpu_seconds": time.process_time() - cpu,
                        "wall_seconds": now - wall,
                    }
                    mark, mark_photos = now, photos
                every = self.settings.validate_every
                if self._held_out is not None and every and (self._step % every == 0 or last):
                    validation = self._validate()
                    numbers |= {f"validation_{name}": value for name, value in validation._asdict().items()}
                if numbers:
                    for log in self._logs:
                        log.write(self._step, numbers)
                    if progress is not None:
                        progress(self._step, numbers)
                # All processes stop at one step, or those that go on would wait for the others for ever.
                if self.settings.patience and self.world.any_of(self._since_best >= self.settings.patience):
                    stopped = "early"
                    break
                if self.world.any_of(asked_to_stop()) and not last:
                    stopped = "interrupted"
                    break
                if self.settings.save_every and self._step % self.settings.save_every == 0 and not last:
                    self._save()
        self._save()
        best_step = self._finish()
        if stopped != "interrupted" and self._held_out is not None and (validation is None or best_step != self._step):
            validation = self._validate()
        return TrainingResult(
            steps=self._step,
            stopped=stopped,
            best_step=best_step,
            validation=validation,
            cpu_seconds=time.process_time() - cpu,
            wall_seconds=time.monotonic() - wall,
            photos=photos,
            compute=str(self.compute),
            warnings=tuple(self._warnings),
        )

    def _one_step(self, step: int) -> tuple[LossReport, Tensor]:
        settings, compute = self.settings, self.compute
        rows = torch.from_numpy(self._sampler.batch(step))
        labels = self._labels[rows].to(compute.device)
        own_draws = 0 if self._augment.whole_batch else self.world.rank
        random = torch.Generator().manual_seed(settings.seed * 1_000_003 + step * 1_009 + own_draws)
        if not self._augment.whole_batch:
            rows = rows[self._share]
        pictures = self._deployed.intake(self._pictures.pixels[rows].to(compute.device, non_blocking=True))
        pictures = self._augment(pictures, settings.photos, random)
        if pictures.ndim == 4 and pictures.shape[-1] != self.spec.size:
            pictures = self._deployed.shrunk(pictures)
        if self._augment.whole_batch:
            pictures = pictures[self._share]
        if pictures.ndim == 4:
            pictures = pictures.contiguous(memory_format=torch.channels_last)
        for group in self._optimizer.param_groups:
            group["lr"] = settings.learning_rate_at(step)
        # Dropout and miners draw from PyTorch's own state: set by the step, and given back as it was.
        devices = [compute.device] if compute.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(settings.seed * 1_000_003 + step)
            with torch.autocast(compute.device.type, compute.autocast, enabled=compute.autocast is not None):
                (own,) = self._sisters(pictures)
            embeddings = self.world.gather(own)
            report: LossReport = self.loss(embeddings, labels)
        self._optimizer.zero_grad(set_to_none=True)
        if report.considered:
            (report.value * self.world.size).backward()  # type: ignore[no-untyped-call]
        self._check_finite(report.value.detach(), step)
        for weight in self.loss.parameters():
            if weight.grad is not None:
                weight.grad /= self.world.size
        self._optimizer.step()
        self._average(step)
        return report, embeddings.detach()

    def _check_finite(self, loss: Tensor, step: int) -> None:
        """Before any weight is touched: one that became NaN would be saved as the next good checkpoint."""
        weights = (*self.network.parameters(), *self.loss.parameters())
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

    def _average(self, step: int) -> None:
        # Early on the average is short, so that it does not remember the random start.
        decay = min(self.settings.averaging, (step + 1) / (step + 21)) if self.settings.averaging else 0.0
        with torch.no_grad():
            for mean, now in zip(self.averaged.state_dict().values(), self.network.state_dict().values(), strict=True):
                if mean.is_floating_point():
                    mean.lerp_(now, 1 - decay)
                else:
                    mean.copy_(now)

    def embed(self, pixels: Tensor) -> Tensor:
        """Stored pixels to embeddings, by the averaged weights, in float32."""
        embeddings: Tensor = self._deployed(pixels.to(self.compute.device))
        return embeddings

    def _validate(self) -> Validation:
        assert self._held_out is not None
        result = validate(self.embed, self._held_out.pixels, self._held_out.labels, seed=self.settings.seed)
        if self._step > self._best_step or self._best is None:
            if self._best is None or result.eer < self._best_error:
                self._best_error, self._best_step, self._since_best = result.eer, self._step, 0
                if self.settings.patience:
                    self._best = {name: value.clone() for name, value in self.averaged.state_dict().items()}
            else:
                self._since_best += 1
        return result

    def _say_collapse(self, warning: str | None) -> None:
        if warning is None or self._collapse_said:
            return
        self._collapse_said = True
        self._warnings.append(warning)
        if self.settings.stop_on_collapse:
            raise TrainingError(
                expected="embeddings that spread out",
                got=f"a collapse: {warning}",
                advice="lower the learning rate, mine semi-hard instead of hard triplets, or put more people in it",
            )

    def _save(self) -> None:
        if self._path is not None and self.world.rank == 0:
            save_checkpoint(self._path, self.state())

    def _finish(self) -> int:
        """Put the weights to export into `network`; returns their step."""
        if self.settings.patience and self._best is not None:
            self.averaged.load_state_dict(self._best)
            step = self._best_step
        else:
            step = self._step
        self.network.load_state_dict(self.averaged.state_dict())
        self.network.eval()
        return step


def seeded(seed: int, build: Callable[[], Any]) -> Any:
    """Build something random (a network's first weights) from a seed, leaving PyTorch's own random state as it was."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return build()
