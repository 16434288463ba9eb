"""`sameface train DATA`: from a folder per person to an encoder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from sameface.errors import NotEnoughDataError, SettingError
from sameface.files import Skipped, path_as_text
from sameface.models.card import is_id
from sameface.plain import Plain
from sameface.progress import Tally
from sameface.training.augment import Augmentation, NoAugmentation, augmentation
from sameface.training.folder.beforehand import check_pieces, keep_finished
from sameface.training.folder.exporting import export_as_planned
from sameface.training.folder.plan import FolderPlan, spec_of
from sameface.training.folder.reading import read_as_planned
from sameface.training.loop.checkpoint import load_checkpoint
from sameface.training.loop.device import choose_compute
from sameface.training.loop.distributed import join_world, leave_world
from sameface.training.loop.logs import CsvLog, Log, TensorBoardLog
from sameface.training.loop.trainer import COLUMNS, Trainer, TrainingResult, seeded
from sameface.training.losses import ClassLoss, make_loss
from sameface.training.networks import NetworkSpec, build_network
from sameface.training.pictures import Pictures, files_by_person, split_by_person
from sameface.training.sampling import EveryPhoto


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
    """

    encoder: Path | None
    onnx_difference: float | None
    training: TrainingResult
    people: int
    photos: int
    held_out: int
    skipped: tuple[Skipped, ...]
    detector: str = "none"


def train_folder(
    data: Path,
    out: Path,
    plan: FolderPlan,
    *,
    name: str = "my-encoder",
    resume: bool = False,
    overwrite: bool = False,
    tensorboard: bool = False,
    reading: Tally | None = None,
    started: Callable[[str], None] | None = None,
    progress: Callable[[int, Mapping[str, float]], None] | None = None,
) -> FolderResult:
    """Train, log, keep checkpoints, export.

    Args:
        data: one folder per person.
        out: gets ``checkpoint.pt``, ``log.csv``, ``tensorboard/``, ``skipped.txt``, ``<name>.onnx`` and
            ``<name>.toml``.
        plan: see there.
        name: of the encoder.
        resume: go on from ``checkpoint.pt``.
        overwrite: replace a training that lies in `out`.
        tensorboard: write event files too.
        reading: called with (pictures read, all).
        started: called once with what is trained on and where, in a sentence.
        progress: called with the step and the numbers of each report.

    Raises:
        SettingError: a name, network, loss or device that cannot be; said before any picture is read.
        OutputError: `out` holds another training.
        DataError, NotEnoughDataError: see `files_by_person` and `split_by_person`.
        CheckpointError, LossNotFiniteError, TrainingError, StorageFullError: see `Trainer`.
    """
    if not is_id(name.lower().replace("_", "-")):  # said now, not when all is trained
        raise SettingError(
            expected="a name of letters, digits, dots, hyphens and underscores", got=repr(name), advice="try my-encoder"
        )
    spec = spec_of(plan)
    keep_finished(out, resume=resume, overwrite=overwrite)
    check_pieces(
        spec,
        loss=plan.loss,
        margin=plan.margin,
        mining=plan.mining,
        loss_settings=plan.loss_settings,
        domain=plan.domain,
        validation=plan.validation,
        device=plan.device,
        precision=plan.precision,
        tensorboard=tensorboard,
    )
    files, skipped = files_by_person(data)
    if all(len(paths) < 2 for paths in files.values()):
        raise NotEnoughDataError(
            expected="at least some people with two photos",
            got=f"{len(files)} people with one photo each",
            advice="add second photos: from one photo each a network learns who differs, never what stays the same;"
            " to enroll people by one photo no training is needed",
        )
    world = join_world(plan.device)
    try:
        pictures = read_as_planned(plan, spec, files, skipped, reading)
        kept, held = split_by_person(pictures.labels, plan.validation, plan.settings.seed)
        training, held_out = pictures.of_people(kept), pictures.of_people(held) if held else None
        out.mkdir(parents=True, exist_ok=True)
        checkpoint = load_checkpoint(out / "checkpoint.pt", spec) if resume else None
        logs = _logs(out, tensorboard, checkpoint.step if checkpoint else 0) if world.rank == 0 else []
        if world.rank == 0 and pictures.skipped:
            lines = [f"{path_as_text(item.path)}\t{item.reason}" for item in pictures.skipped]
            (out / "skipped.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        device = plan.device
        if device is None and torch.cuda.is_available():
            device = f"cuda:{world.local_rank}"
        loss = seeded(plan.settings.seed, lambda: _loss(plan, spec, training))
        augment = NoAugmentation() if plan.network == "head" else augmentation(plan.domain, spec.size)
        trainer = Trainer(
            seeded(plan.settings.seed, lambda: build_network(spec)),
            loss,
            training,
            plan.settings,
            augmentation=augment,
            sampler=_sampler(plan, loss, augment, training),
            held_out=held_out,
            compute=choose_compute(device, plan.precision, compiled=plan.compiled),
            world=world,
            checkpoint=out / "checkpoint.pt",
            logs=logs,
        )
        if checkpoint is not None:
            trainer.resume(checkpoint)
        if started is not None and world.rank == 0:
            started(
                f"{len(training)} photos of {len(training.people)} people, {len(held)} others held out, "
                f"{len(pictures.skipped)} files skipped; {trainer.compute}, {world.size} process(es)"
            )
        try:
            result = trainer.run(progress if world.rank == 0 else None)
        finally:
            for log in logs:
                log.close()
        encoder, difference = None, None
        if world.rank == 0 and result.stopped != "interrupted":
            encoder = out / f"{name}.onnx"
            difference = export_as_planned(plan, spec, trainer, encoder, data.name, training, result)
            summary = {"training": asdict(result), "plan": plan.words(), "onnx_difference": difference}
            (out / "result.json").write_text(json.dumps(summary, indent=1, default=str), encoding="utf-8")
    finally:
        leave_world(world)
    return FolderResult(
        encoder, difference, result, len(kept), len(training), len(held), pictures.skipped, plan.finds_by
    )


def _sampler(plan: FolderPlan, loss: torch.nn.Module, augment: Augmentation, training: Pictures) -> EveryPhoto | None:
    """Losses with centres need no two photos of a person: every photo is drawn as often as any other. None: people × photos."""
    if not isinstance(loss, ClassLoss) or augment.whole_batch:
        return None
    size = min(plan.settings.people * plan.settings.photos, len(training))
    return EveryPhoto(len(training), batch_size=size, seed=plan.settings.seed)


def _loss(plan: FolderPlan, spec: NetworkSpec, training: Pictures) -> torch.nn.Module:
    return make_loss(
        plan.loss,
        dimension=spec.dimension,
        people=len(training.people),
        margin=plan.margin,
        mining=plan.mining,
        settings=plan.loss_settings,
    )


def _logs(out: Path, tensorboard: bool, from_step: int) -> list[Log]:
    logs: list[Log] = [CsvLog(out / "log.csv", COLUMNS, from_step=from_step)]
    if tensorboard:
        logs.append(TensorBoardLog(out / "tensorboard", from_step=from_step))
    return logs
