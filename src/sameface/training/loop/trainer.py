"""The loop: batches in, a trained Siamese network out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from sameface.errors import CheckpointError
from sameface.training.augment import Augmentation, as_augmentation
from sameface.training.export.deployed import Deployed
from sameface.training.loop.averaging import RunningAverage
from sameface.training.loop.best import Best
from sameface.training.loop.blending import Examiner, Judging
from sameface.training.loop.callbacks import Callback, Callbacks
from sameface.training.loop.checkpoint import Checkpoint, save_checkpoint
from sameface.training.loop.clock import Clock
from sameface.training.loop.collapse import CollapseWatch, collapsed, effective_rank, spread_of
from sameface.training.loop.device import Compute, choose_compute
from sameface.training.loop.distributed import World
from sameface.training.loop.feed import Feed, people_times_photos
from sameface.training.loop.interrupt import Heard, signals_between_steps
from sameface.training.loop.logs import Log, tell
from sameface.training.loop.one_step import Steps
from sameface.training.loop.random_state import seeded
from sameface.training.loop.result import COLUMNS, Stopped, TrainingResult
from sameface.training.loop.settings import TrainingSettings
from sameface.training.loop.validation import Validation
from sameface.training.losses import AnyLoss, BatchLossLike
from sameface.training.networks.own import sisters_of
from sameface.training.pictures import PicturesLike, as_pictures, digest_of
from sameface.training.sampling import Sampler

__all__ = ["COLUMNS", "Trainer", "TrainingResult", "seeded"]


class Trainer:
    """Trains a Siamese network. After `run`, `network` holds the weights to export.

    Args:
        network: from `build_network`, or any module that maps ``(m, c, s, s)`` to ``(m, d)``; moved to the device.
        loss: from `make_loss`; any module or function of (embeddings, labels) that gives a `LossReport` or a scalar; or a
            loss of pytorch-metric-learning, alone or as (loss, miner). Weights of its own are trained along.
        pictures: to train on: `Pictures`, or a dataset of PyTorch whose items are (picture, label).
        settings: None takes the defaults.
        sampler: which rows make a batch; None draws people × photos.
        augmentation: applied to training batches only: an `Augmentation`, or a function of one picture ``(c, s, s)`` as the
            network's intake gives it.
        held_out: pictures of other people, to validate on; None validates never.
        judge: validates, given what embeds stored pictures, where something other than the EER of `held_out` counts.
        compute: device and precision; None chooses.
        world: the processes of this training.
        checkpoint: where to save; None saves nowhere.
        logs: take the numbers (of process 0 only).
        callbacks: hear of the training (in process 0 only).

    Attributes:
        network: what is trained. spec: the network in words. loss, settings, compute, world: as above.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: BatchLossLike,
        pictures: PicturesLike,
        settings: TrainingSettings | None = None,
        *,
        sampler: Sampler | None = None,
        augmentation: Augmentation | Callable[[Tensor], Tensor] | None = None,
        held_out: PicturesLike | None = None,
        judge: Judging | None = None,
        compute: Compute | None = None,
        world: World | None = None,
        checkpoint: Path | None = None,
        logs: Sequence[Log] = (),
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self.settings = settings = settings or TrainingSettings()
        self.compute = compute or choose_compute()
        self.world = world or World()
        self._pictures = as_pictures(pictures)
        self._held_out = None if held_out is None else as_pictures(held_out)
        sisters, self.spec = sisters_of(network, self._pictures)
        # Convolutions on the CPU and on tensor cores are fastest with channels last.
        self.network = sisters.to(self.compute.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in its stubs
        self._average = RunningAverage(self.network, settings.averaging)
        self._examine = Examiner(
            self._average.network, self._held_out, judge, whole_way=not settings.patience, seed=settings.seed
        )
        self._deployed = Deployed(self._average.network, self.spec)
        score = AnyLoss(loss)
        self.loss = score.module.to(self.compute.device)
        self._path = checkpoint
        augment = as_augmentation(augmentation)
        self._logs = logs if self.world.rank == 0 else ()
        self._callbacks = Callbacks(callbacks if self.world.rank == 0 else ())
        self._feed = Feed(
            self._pictures,
            sampler or people_times_photos(self._pictures, settings, even=augment.whole_batch),
            augment,
            self._deployed,
            compute=self.compute,
            world=self.world,
            photos=settings.photos,
            seed=settings.seed,
            side=self.spec.size,
        )
        self._warnings: list[str] = list(self.world.share_statistics(self.network, self.compute.device))
        self._steps = Steps(
            self.network, score, settings, compute=self.compute, world=self.world, checkpoint=checkpoint
        )
        self._watch = CollapseWatch()
        self._collapse_said = self._asked_to_stop = False
        self._best = Best(settings.patience)
        self._step = 0
        self._before: Validation | None = None

    # -- state --------------------------------------------------------------------------------------------------------
    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of the same network, loss and pictures. Settings may differ, and that is said.

        Raises:
            CheckpointError: of another loss, or of other pictures or another split: people who are validated on now
                may have been trained on then.
        """
        checkpoint.require_pictures(self._pictures_digest)
        try:
            self.network.load_state_dict(checkpoint.network)
            self._average.network.load_state_dict(checkpoint.averaged)
            self.loss.load_state_dict(checkpoint.loss)
            self._steps.descent.load_state_dict(checkpoint.optimizer)
        except (RuntimeError, ValueError) as error:
            raise CheckpointError(
                expected=f"a checkpoint of this network and loss ({type(self.loss).__name__})",
                got=" ".join(str(error).split())[:200],
                advice="resume with the options it was started with",
            ) from error
        self._warnings += checkpoint.changes(self.settings)
        self._step = checkpoint.step
        self._best.restore(checkpoint.best, checkpoint.best_error, checkpoint.best_step, checkpoint.since_best)

    def state(self) -> Checkpoint:
        """Everything `resume` needs."""
        return Checkpoint(
            spec=self.spec,
            step=self._step,
            network=self.network.state_dict(),
            averaged=self._average.network.state_dict(),
            loss=self.loss.state_dict(),
            optimizer=self._steps.descent.state_dict(),
            best=self._best.weights,
            best_error=self._best.error,
            best_step=self._best.step,
            since_best=self._best.since,
            settings=asdict(self.settings),
            pictures=self._pictures_digest,
        )

    @cached_property
    def _pictures_digest(self) -> str:
        """What is trained and validated on, as a digest: the pixels, and who is who."""
        return digest_of(self._pictures, *(() if self._held_out is None else (self._held_out,)))

    # -- the loop -----------------------------------------------------------------------------------------------------
    def run(self, progress: Callable[[int, Mapping[str, float]], None] | None = None) -> TrainingResult:
        """Train to the last step, to the end of patience, to `stop`, or to Ctrl-C or SIGTERM; a checkpoint is left in each case.

        A signal ends the step that is under way first. A second one stops at once and saves nothing.

        Args:
            progress: called with the step and the numbers of a report; also after the first steps, so that the time left can be told soon.

        Raises:
            LossNotFiniteError: the loss or a gradient became NaN or infinite; the last checkpoint is untouched.
            TrainingError: the embeddings collapsed (unless settings say to go on).
        """
        clock, self._asked_to_stop = Clock(), False
        self.network.train()
        self.loss.train()
        with self._steps.side_by_side(), signals_between_steps(second_stops_at_once=self.world.size == 1) as heard:
            self._callbacks.start(self)
            try:
                stopped, validation = self._loop(clock, heard, progress)
            finally:
                self._feed.close()
        self._save()
        best_step = self._finish()
        if stopped != "interrupted" and self._held_out is not None and (validation is None or best_step != self._step):
            validation = self._validate()
        result = TrainingResult(
            steps=self._step,
            stopped=stopped,
            best_step=best_step,
            validation=validation,
            cpu_seconds=clock.cpu_seconds,
            wall_seconds=clock.wall_seconds,
            photos=clock.photos,
            compute=str(self.compute),
            warnings=tuple(self._warnings),
            signal=heard.signal if stopped == "interrupted" else 0,
            before=self._before,
        )
        self._callbacks.end(self, result)
        return result

    def stop(self) -> None:
        """End the training after the step under way, as if it were the last; for callbacks."""
        self._asked_to_stop = True

    def embed(self, pixels: Tensor) -> Tensor:
        """Stored pixels to embeddings, by the averaged weights, in float32."""
        embeddings: Tensor = self._deployed(pixels.to(self.compute.device))
        return embeddings

    def _loop(
        self, clock: Clock, heard: Heard, progress: Callable[[int, Mapping[str, float]], None] | None
    ) -> tuple[Stopped, Validation | None]:
        settings = self.settings
        epoch = -(-self._feed.batches_an_epoch // settings.accumulate)
        validation: Validation | None = None
        if self.spec.starts_trained and settings.patience and self._held_out is not None and self._step == 0:
            self._before = self._validate()  # what starts as good as its encoder must get better to be kept
        while self._step < settings.steps:
            numbers = self._one_step(self._step)
            self._step += 1
            clock.photos += self._feed.batch_size * settings.accumulate
            last = self._step == settings.steps
            self._callbacks.step(self, self._step, numbers)
            if self._step % epoch == 0:
                self._callbacks.epoch(self, self._step // epoch)
            report = numbers | clock.lap() if self._step % settings.report_every == 0 or last else {}
            every = settings.validate_every
            if self._held_out is not None and every and (self._step % every == 0 or last):
                validation = self._validate()
                self._callbacks.validation(self, self._step, validation)
                report |= validation.numbers()
            tell(self._logs, progress, self._step, report, numbers)
            # All processes stop at one step, or those that go on would wait for the others for ever.
            if settings.patience and self.world.any_of(self._best.used_up):
                return "early", validation
            if self.world.any_of(self._asked_to_stop) and not last:
                return "asked", validation
            if self.world.any_of(bool(heard.signal)) and not last:
                return "interrupted", validation
            if settings.save_every and self._step % settings.save_every == 0 and not last:
                self._save()
        return "finished", validation

    def _one_step(self, step: int) -> dict[str, float]:
        each = self.settings.accumulate
        report, embeddings = self._steps.take(step, map(self._feed.batch, range(step * each, (step + 1) * each)))
        self._average.take(self.network, step)
        numbers = {
            "loss": float(report.value.detach()),
            "active_share": report.active_share,
            "spread": spread_of(embeddings),
            "learning_rate": self.settings.learning_rate_at(step),
        }
        if (step + 1) % self.settings.report_every == 0:
            numbers["effective_rank"] = effective_rank(embeddings)
        self._say_collapse(self._watch.see(numbers, self.settings.people))
        return numbers

    def _say_collapse(self, warning: str | None) -> None:
        if warning is not None and not self._collapse_said:
            self._collapse_said = True
            self._warnings.append(warning)
            if self.settings.stop_on_collapse:
                raise collapsed(warning)

    def _validate(self) -> Validation:
        result, weights = self._examine(self.embed)
        self._best.see(self._step, result.error, weights)
        return result

    def _save(self) -> None:
        if self._path is not None and self.world.rank == 0:
            save_checkpoint(self._path, self.state())

    def _finish(self) -> int:
        """Put the weights to export into `network`; returns their step."""
        step = self._step
        if self.settings.patience and self._best.weights is not None:
            self._average.network.load_state_dict(self._best.weights)
            step = self._best.step
        self.network.load_state_dict(self._average.network.state_dict())
        self.network.eval()
        return step
