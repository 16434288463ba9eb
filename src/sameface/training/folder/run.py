"""`sameface train DATA`: from people's pictures to an encoder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from sameface.errors import SettingError
from sameface.files import Skipped, path_as_text
from sameface.models.card import is_id
from sameface.plain import Plain
from sameface.progress import Tally
from sameface.training.augment import Augmentation, NoAugmentation
from sameface.training.folder.beforehand import check_pieces, keep_finished
from sameface.training.folder.exporting import export_as_planned
from sameface.training.folder.named import augmentation_of, callbacks_of, dataset_of, loss_of, sampler_of
from sameface.training.folder.plan import FolderPlan, spec_of
from sameface.training.folder.plan_file import write_plan
from sameface.training.folder.reading import read_as_planned
from sameface.training.folder.sources import open_source
from sameface.training.loop.blending import Judging
from sameface.training.loop.checkpoint import load_checkpoint
from sameface.training.loop.device import choose_compute
from sameface.training.loop.distributed import World, join_world, leave_world
from sameface.training.loop.interrupt import terminated_like_interrupted
from sameface.training.loop.logs import CsvLog, Log, TensorBoardLog
from sameface.training.loop.trainer import COLUMNS, Trainer, TrainingResult, seeded
from sameface.training.losses import AnyLoss, BatchLossLike, ClassLoss
from sameface.training.losses.distillation import Distillation, targets_of
from sameface.training.networks import NetworkSpec, build_network
from sameface.training.pictures import Pictures, split_by_person
from sameface.training.sampling import EveryPhoto, Sampler
from sameface.training.tuning.exporting import own_operating_point
from sameface.training.tuning.judge import Judge


@dataclass(frozen=True)
class FolderResult(Plain):
    """What came of it.

    Attributes:
        encoder: the ONNX file, its card beside it; None in processes other than the first, or after an interruption.
        onnx_difference: the largest difference between PyTorch's and ONNX Runtime's embeddings.
        training: how it went.
        people, photos: trained on. held_out: people validated on.
        skipped: files that were passed over, and why.
        detector: what found the faces, ``none`` for pictures taken whole: whoever uses the encoder needs the same.
        unchanged: of a fine-tuning, whether nothing was better than the encoder it started from, which is then what was written.
        operating_point: of a fine-tuning, the file with a threshold chosen on the people held out; None where they were too few.
    """

    encoder: Path | None
    onnx_difference: float | None
    training: TrainingResult
    people: int
    photos: int
    held_out: int
    skipped: tuple[Skipped, ...]
    detector: str = "none"
    unchanged: bool = False
    operating_point: Path | None = None


def train_folder(
    data: Path | str,
    out: Path,
    plan: FolderPlan,
    *,
    name: str = "my-encoder",
    resume: bool = False,
    overwrite: bool = False,
    tensorboard: bool = False,
    threads: int | None = None,
    reading: Tally | None = None,
    started: Callable[[str], None] | None = None,
    progress: Callable[[int, Mapping[str, float]], None] | None = None,
) -> FolderResult:
    """Train, log, keep checkpoints, export.

    SIGTERM is heard like Ctrl-C: during training a checkpoint is kept; before and after, what is half written is removed.

    Args:
        data: a folder per person, or what else `open_source` takes; a text ``module:attribute`` names a dataset of PyTorch.
        out: gets ``training.toml``, ``checkpoint.pt``, ``log.csv``, ``tensorboard/``, ``skipped.txt``, ``result.json``, ``<name>.onnx`` and
            ``<name>.toml``.
        plan: see there.
        name: of the encoder.
        resume: go on from ``checkpoint.pt``.
        overwrite: replace a training that lies in `out`.
        tensorboard: write event files too.
        threads: photos read at once; None takes every core.
        reading: called with (pictures read, all).
        started: called once with what is trained on and where, in a sentence.
        progress: called with the step and the numbers of each report.

    Raises:
        SettingError: a name, network, loss or device that cannot be; said before any picture is read.
        OutputError: `out` holds another training.
        DataError, NotEnoughDataError: see `open_source` and `split_by_person`.
        CheckpointError, LossNotFiniteError, TrainingError, StorageFullError: see `Trainer`.
        KeyboardInterrupt: Ctrl-C or SIGTERM, before or after training.
    """
    if not is_id(name.lower().replace("_", "-")):  # said now, not when all is trained
        raise SettingError(
            expected="a name of letters, digits, dots, hyphens and underscores", got=repr(name), advice="try my-encoder"
        )
    spec = spec_of(plan)
    keep_finished(out, resume=resume, overwrite=overwrite)
    check_pieces(plan, spec, tensorboard=tensorboard)
    source = open_source(data) if isinstance(data, Path) else None
    with terminated_like_interrupted():
        world = join_world(plan.device)
        try:
            with world.first_alone():  # it cuts the faces out and keeps them; the others find them there
                if source is not None and isinstance(data, Path):
                    pictures = read_as_planned(data, plan, spec, source, threads=threads, reading=reading)
                else:
                    pictures = dataset_of(str(data), spec)
            kept, held = split_by_person(pictures.labels, plan.validation, plan.settings.seed)
            training, held_out = pictures.of_people(kept), pictures.of_people(held) if held else None
            out.mkdir(parents=True, exist_ok=True)
            if world.rank == 0:
                _write_down(data, out, plan, name, pictures.skipped)
            skipped = pictures.skipped
            del pictures  # only its parts are needed from here on
            trainer, logs = _trainer(plan, spec, training, held_out, out, world, resume=resume, tensorboard=tensorboard)
            if started is not None and world.rank == 0:
                started(
                    f"{len(training)} photos of {len(training.people)} people, {len(held)} others held out, "
                    f"{len(skipped)} files skipped; {trainer.compute}, {world.size} process(es)"
                )
            try:
                result = trainer.run(progress if world.rank == 0 else None)
            finally:
                for log in logs:
                    log.close()
            encoder, difference, point = None, None, None
            if world.rank == 0 and result.stopped != "interrupted":
                encoder = out / f"{name}.onnx"
                described = data.name if isinstance(data, Path) else data
                difference = export_as_planned(plan, spec, trainer, encoder, described, training, result)
                if plan.weights is not None and held_out is not None:
                    why = own_operating_point(
                        encoder, plan.detector, held_out, described, point := out / f"{name}.json"
                    )
                    if why is not None:
                        point, result = None, replace(result, warnings=(*result.warnings, why))
                summary = {"training": asdict(result), "plan": plan.words(), "onnx_difference": difference}
                (out / "result.json").write_text(json.dumps(summary, indent=1, default=str), encoding="utf-8")
        finally:
            leave_world(world)
    return FolderResult(
        encoder,
        difference,
        result,
        len(kept),
        len(training),
        len(held),
        skipped,
        plan.finds_by,
        unchanged=encoder is not None and plan.weights is not None and result.best_step == 0,
        operating_point=point,
    )


def _trainer(
    plan: FolderPlan,
    spec: NetworkSpec,
    training: Pictures,
    held_out: Pictures | None,
    out: Path,
    world: World,
    *,
    resume: bool,
    tensorboard: bool,
) -> tuple[Trainer, list[Log]]:
    """The trainer that a plan asks for, gone on with where that was asked, and its logs."""
    checkpoint = load_checkpoint(out / "checkpoint.pt", spec) if resume else None
    device = plan.device
    if device is None and torch.cuda.is_available():
        device = f"cuda:{world.local_rank}"
    logs = _logs(out, tensorboard, checkpoint.step if checkpoint else 0) if world.rank == 0 else []
    try:
        loss = seeded(plan.settings.seed, lambda: _loss(plan, spec, training))
        augment = NoAugmentation() if plan.network == "head" else augmentation_of(plan.changes, spec.size)
        trainer = Trainer(
            seeded(plan.settings.seed, lambda: build_network(spec)),
            loss,
            training,
            plan.settings,
            sampler=sampler_of(plan.sampler, training, plan.settings) or _sampler(plan, loss, augment, training),
            augmentation=augment,
            held_out=held_out,
            judge=_judge(plan, augment, held_out),
            compute=choose_compute(device, plan.precision, compiled=plan.compiled),
            world=world,
            checkpoint=out / "checkpoint.pt",
            logs=logs,
            callbacks=callbacks_of(plan.callbacks),
        )
        if checkpoint is not None:
            trainer.resume(checkpoint)
    except BaseException:
        for log in logs:
            log.close()
        raise
    return trainer, logs


def _sampler(
    plan: FolderPlan, loss: BatchLossLike, augment: Augmentation | Callable[[Any], Any], training: Pictures
) -> Sampler | None:
    """Losses with centres need no two photos of a person: every photo is drawn as often as any other. None: people × photos."""
    alone = plan.loss_name == "none" or isinstance(loss, ClassLoss)
    if not alone or getattr(augment, "whole_batch", False):
        return None
    size = min(plan.settings.people * plan.settings.photos, len(training))
    return EveryPhoto(len(training), batch_size=size, seed=plan.settings.seed)


def _write_down(data: Path | str, out: Path, plan: FolderPlan, name: str, skipped: tuple[Skipped, ...]) -> None:
    """What is run, so that it can be run again; and what is passed over."""
    write_plan(out / "training.toml", data, name, plan)
    if skipped:
        lines = [f"{path_as_text(item.path)}\t{item.reason}" for item in skipped]
        (out / "skipped.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _loss(plan: FolderPlan, spec: NetworkSpec, training: Pictures) -> BatchLossLike:
    of_people: BatchLossLike | None = None
    if plan.loss_name != "none":
        of_people = loss_of(
            plan.loss_name,
            dimension=spec.dimension,
            people=len(training.people),
            margin=plan.margin,
            mining=plan.mining,
            settings=plan.loss_settings,
        )
    if plan.weights is None or plan.distill == 0:
        assert of_people is not None  # asked for beforehand
        return of_people
    beside = None if of_people is None else AnyLoss(of_people)
    return Distillation(targets_of(training.targets), weight=plan.distill, beside=beside)


def _judge(plan: FolderPlan, augment: Augmentation | Callable[[Any], Any], held_out: Pictures | None) -> Judging | None:
    """What says whether a fine-tuned encoder got better; None for networks that start from nothing."""
    if plan.weights is None or held_out is None:
        return None
    return Judge(held_out, getattr(augment, "damaged", None), seed=plan.settings.seed)


def _logs(out: Path, tensorboard: bool, from_step: int) -> list[Log]:
    logs: list[Log] = [CsvLog(out / "log.csv", COLUMNS, from_step=from_step)]
    if tensorboard:
        logs.append(TensorBoardLog(out / "tensorboard", from_step=from_step))
    return logs
