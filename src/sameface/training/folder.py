"""`sameface train DATA`: from a folder per person to an encoder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from sameface.defaults import DEFAULT_DETECTOR
from sameface.encoders.crops import scale_crops
from sameface.errors import NotEnoughDataError, SamefaceError, SettingError
from sameface.faces import FaceFinder, load_aligner, load_detector
from sameface.files import Skipped, path_as_text
from sameface.imaging import load_image
from sameface.models.card import LandmarkScheme, Measurement, is_id
from sameface.progress import Tally
from sameface.recognizer import Recognizer
from sameface.training.augment import NoAugmentation, augmentation
from sameface.training.beforehand import check_pieces, keep_finished
from sameface.training.checkpoint import load_checkpoint
from sameface.training.device import choose_compute
from sameface.training.distributed import join_world, leave_world
from sameface.training.export import export_encoder
from sameface.training.export_head import export_head
from sameface.training.intake import GREY_OF_RGB, IntakeKind
from sameface.training.logs import CsvLog, Log, TensorBoardLog
from sameface.training.losses import make_loss
from sameface.training.networks import NetworkSpec, build_network
from sameface.training.networks.by_name import Option
from sameface.training.pictures import Pictures, files_by_person, read_pictures, split_by_person
from sameface.training.settings import TrainingSettings
from sameface.training.trainer import COLUMNS, Trainer, TrainingResult, seeded

#: Sides of the pictures that networks take, where the user names none.
SIDES = {"convnet": 64, "inception_resnet_v1": 160, "head": 0}
#: How aligned crops are made: dlib's chips, as the default encoder takes them.
LANDMARKS: LandmarkScheme = "dlib5"
TEMPLATE = "dlib-chip-0.25"


@dataclass(frozen=True)
class FolderPlan:
    """What to train on a folder of people.

    Attributes:
        network: ``convnet``, ``inception_resnet_v1``, ``head``, or ``package.module:Class``.
        size: side of the network's pictures; None takes the network's usual one.
        grey: whether pictures are turned to grey first.
        dimension: d of the embedding (a head keeps its encoder's).
        options: further arguments of the network's class.
        loss, margin, mining, loss_settings: see `sameface.training.losses.make_loss`.
        domain: augmentation: ``faces``, ``characters`` or ``none``.
        align: find and align the face nearest the middle; else pictures are taken whole.
        detector: finds faces, for `align` and for heads.
        encoder: the pretrained encoder below a head.
        validation: share of people held out to validate on.
        device, precision: see `sameface.training.device.choose_compute`.
        settings: steps, batches, rates.
    """

    network: str = "convnet"
    size: int | None = None
    grey: bool = False
    dimension: int = 128
    options: Mapping[str, Option] = field(default_factory=dict)
    loss: str = "triplet"
    margin: float | None = None
    mining: str | None = None
    loss_settings: Mapping[str, Option] | None = None
    domain: str = "faces"
    align: bool = False
    detector: str = DEFAULT_DETECTOR
    encoder: str = "dlib-resnet-mirror-unit"
    validation: float = 0.2
    device: str | None = None
    precision: str = "mixed"
    settings: TrainingSettings = field(default_factory=TrainingSettings)


@dataclass(frozen=True)
class FolderResult:
    """What came of it.

    Attributes:
        encoder: the ONNX file, its card beside it; None in processes other than the first, or after an interruption.
        onnx_difference: the largest difference between PyTorch's and ONNX Runtime's embeddings.
        training: how it went.
        people, photos: trained on. held_out: people validated on.
        skipped: files that were passed over, and why.
    """

    encoder: Path | None
    onnx_difference: float | None
    training: TrainingResult
    people: int
    photos: int
    held_out: int
    skipped: tuple[Skipped, ...]


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
        pictures = _read(plan, spec, files, skipped, reading)
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
        trainer = Trainer(
            seeded(plan.settings.seed, lambda: build_network(spec)),
            spec,
            seeded(plan.settings.seed, lambda: _loss(plan, spec, training)),
            training,
            plan.settings,
            augmentation=NoAugmentation() if plan.network == "head" else augmentation(plan.domain, spec.size),
            held_out=held_out,
            compute=choose_compute(device, plan.precision),
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
            difference = _export(plan, spec, trainer, encoder, data.name, training, result)
            summary = {"training": asdict(result), "plan": _words(plan), "onnx_difference": difference}
            (out / "result.json").write_text(json.dumps(summary, indent=1, default=str), encoding="utf-8")
    finally:
        leave_world(world)
    return FolderResult(encoder, difference, result, len(kept), len(training), len(held), pictures.skipped)


def spec_of(plan: FolderPlan) -> NetworkSpec:
    """The network that a plan asks for."""
    if plan.network == "head":
        from sameface.models.registry import load_card

        base = load_card(plan.encoder)
        if base.crowd or base.id == "pixels":
            raise SettingError(
                expected="a head on an encoder whose embeddings are what its network gives",
                got=f"{base.id}, which works on them afterwards" if base.crowd else "pixels, which has no network",
                advice="put the head on dlib-resnet-mirror-unit",
            )
        return NetworkSpec("head", 0, 0, base.dimension, intake="none", options=dict(plan.options))
    size = SIDES.get(plan.network, 64) if plan.size is None else plan.size
    intake: IntakeKind = "ink" if plan.domain == "characters" else "centred"
    shrink = 2 if plan.domain == "characters" else 1
    if plan.network == "inception_resnet_v1" and plan.grey:
        raise SettingError(expected="colour for inception_resnet_v1", got="grey", advice="leave grey out")
    channels = 1 if plan.grey or plan.domain == "characters" else 3
    return NetworkSpec(
        plan.network, size, channels, plan.dimension, intake=intake, shrink=shrink, options=dict(plan.options)
    )


def _words(plan: FolderPlan) -> dict[str, Any]:
    return {key: value for key, value in asdict(plan).items() if value not in (None, {})}


def _loss(plan: FolderPlan, spec: NetworkSpec, training: Pictures) -> torch.nn.Module:
    return make_loss(
        plan.loss,
        dimension=spec.dimension,
        people=len(training.people),
        margin=plan.margin,
        mining=plan.mining,
        settings=plan.loss_settings,
    )


def _read(
    plan: FolderPlan,
    spec: NetworkSpec,
    files: dict[str, list[Path]],
    skipped: list[Skipped],
    reading: Tally | None,
) -> Pictures:
    if plan.network == "head":
        recognizer = Recognizer(encoder=plan.encoder, detector=plan.detector)
        return read_embeddings(files, recognizer, skipped=skipped, progress=reading)
    side = spec.picture_side
    grey = spec.channels == 1
    finder = None
    if plan.align:
        finder = FaceFinder(load_detector(plan.detector), load_aligner(LANDMARKS, TEMPLATE, side))

    def read(path: Path) -> npt.NDArray[np.uint8]:
        crop: npt.NDArray[np.uint8] = (
            scale_crops(load_image(path)[None], (side, side))[0]
            if finder is None
            else finder.face(path, "centre").crop_rgb
        )
        if not grey:
            return crop
        # Grey here or in the intake is the same formula; here it saves two thirds of the memory.
        one: npt.NDArray[np.uint8] = np.rint(crop @ np.array(GREY_OF_RGB)).astype(np.uint8)[..., None]
        return one

    return read_pictures(files, read, skipped=skipped, progress=reading)


def read_embeddings(
    files: Mapping[str, list[Path]],
    recognizer: Recognizer,
    *,
    skipped: list[Skipped],
    progress: Tally | None = None,
) -> Pictures:
    """The embeddings of the face nearest the middle of each photo, in place of pictures.

    Args:
        files: paths by person.
        recognizer: detector and pretrained encoder.
        skipped: what was passed over before.
        progress: called with (done, all).
    """
    jobs = [(person, path) for person, paths in files.items() for path in paths]
    passed_over, vectors, owners = list(skipped), [], []
    answers = recognizer.encode_photos((path for _, path in jobs), choose="centre")
    for done, ((person, path), answer) in enumerate(zip(jobs, answers, strict=True), 1):
        if isinstance(answer, SamefaceError):
            passed_over.append(Skipped(path, str(answer)))
        else:
            vectors.append(answer.embedding)
            owners.append(person)
        if progress is not None:
            progress(done, len(jobs))
    people = tuple(sorted(set(owners)))
    if len(people) < 2:
        raise NotEnoughDataError(
            expected="faces of at least two people",
            got=f"{len(people)}; {len(passed_over)} files skipped",
            advice="check the files that were skipped",
        )
    place = {person: label for label, person in enumerate(people)}
    labels = np.array([place[person] for person in owners], dtype=np.int64)
    return Pictures(torch.from_numpy(np.stack(vectors)), labels, people, skipped=tuple(passed_over))


def _logs(out: Path, tensorboard: bool, from_step: int) -> list[Log]:
    logs: list[Log] = [CsvLog(out / "log.csv", COLUMNS, from_step=from_step)]
    if tensorboard:
        logs.append(TensorBoardLog(out / "tensorboard", from_step=from_step))
    return logs


def _export(
    plan: FolderPlan,
    spec: NetworkSpec,
    trainer: Trainer,
    path: Path,
    data: str,
    training: Pictures,
    result: TrainingResult,
) -> float:
    described = f"{data}: {len(training)} photos of {len(training.people)} people"
    if plan.network == "head":
        from sameface.models.registry import load_card

        base = load_card(plan.encoder)
        return export_head(trainer.network, base, path, title=f"A head on {base.id}", training_data=described)
    measured: tuple[Measurement, ...] = ()
    if result.validation is not None:
        measured = (
            Measurement(
                f"{data}, people held out from training",
                f"EER {100 * result.validation.eer:.1f} %",
                plan.detector if plan.align else "none",
                "used to stop training, so it flatters" if plan.settings.patience else "",
            ),
        )
    return export_encoder(
        trainer.network,
        spec,
        path,
        title=f"{plan.network} trained on {data}",
        training_data=described,
        landmarks=LANDMARKS if plan.align else "none",
        template=TEMPLATE if plan.align else "none",
        measured=measured,
    )
