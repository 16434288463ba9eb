"""The functions at the top: one call for each thing that people come for, with the defaults chosen.

Over 300 lines because they are the whole of the short way in, two thirds of it docstrings, and are read beside each other.

Each loads what it needs when it is called. Who wants other networks, thresholds or devices makes a `Recognizer` or a `Gallery`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from sameface.arguments import explained
from sameface.defaults import DEFAULT_DETECTOR, DEFAULT_ENCODER, DEFAULT_GALLERY
from sameface.faces.choose import Choice, as_choice
from sameface.imaging import ImageSource
from sameface.progress import Progress, stages_of
from sameface.tables import Answers
from sameface.types import Embeddings, OperatingPoint

if TYPE_CHECKING:
    from sameface.evaluation.results import Evaluation
    from sameface.indexing.groups import PersonGroup
    from sameface.recognizer import DetectedFace, Gallery, Identification, Recognizer, Verification
    from sameface.training.folder import FolderResult


def recognizer_of(encoder: str = DEFAULT_ENCODER, detector: str = DEFAULT_DETECTOR) -> Recognizer:
    """A recognizer by names, loaded once for the life of the process, and again when another network is put under the name."""
    from sameface.encoders.loading import state_of

    return _recognizer(encoder, detector, state_of(encoder))


@lru_cache(maxsize=4)
def _recognizer(encoder: str, detector: str, state: tuple[object, ...]) -> Recognizer:
    from sameface.recognizer import Recognizer

    return Recognizer(encoder=encoder, detector=detector)


@explained
def verify(
    probe: ImageSource,
    reference: ImageSource,
    choose: Choice = "only",
    *,
    threshold: float | None = None,
    operating_point: OperatingPoint | str | PathLike[str] | None = None,
    force: bool = False,
) -> Verification:
    """Do two photos show the same person? By the default detector and encoder.

    Args:
        probe, reference: path, bytes, file object, `PIL.Image`, or RGB array.
        choose: ``only`` raises when a photo shows several faces; ``centre``; ``largest``.
        threshold: decide by this distance instead of the threshold that was measured.
        operating_point: decide by what `calibrate` gave or wrote instead.
        force: decide also about faces outside what τ was measured on; the result says so.

    Raises:
        ImageError, FaceError: a photo cannot be read, or does not show the one face asked for.
        SettingError, CalibrationError: a threshold that cannot be meant, or an operating point of another encoder.

    >>> answer = verify("examples/photos/obama.jpg", "examples/photos/obama2.jpg")
    >>> answer.same, answer.distance < answer.threshold
    (True, True)
    >>> if verify("examples/photos/obama.jpg", "examples/photos/biden.jpg"):
    ...     print("the same person")
    """
    recognizer = recognizer_of()
    if threshold is not None or operating_point is not None:
        from sameface.recognizer import Recognizer

        recognizer = Recognizer(  # the networks are loaded already
            encoder=recognizer.encoder,
            detector=recognizer.detector,
            threshold=threshold,
            operating_point=operating_point,
        )
    return recognizer.verify(probe, reference, choose, force=force)


@explained
def detect(photo: ImageSource) -> Answers[DetectedFace]:
    """Where are faces, and how good are they? In reading order; an empty list where there is none.

    Args:
        photo: any picture.

    Raises:
        ImageError: it cannot be read.

    >>> faces = detect("examples/photos/astronaut.png")
    >>> len(faces), faces[0].box.width > 80, faces[0].quality > 0.9
    (1, True, True)
    >>> table = faces.rows()  # or faces.to_dataframe()
    >>> sorted(table[0])[:3]
    ['box_x1', 'box_x2', 'box_y1']
    """
    return Answers(recognizer_of().inspect(photo))


@explained
def embed(
    photos: ImageSource | Iterable[ImageSource],
    *,
    choose: Choice = "only",
    on_error: Literal["raise", "nan"] = "raise",
    encoder: str = DEFAULT_ENCODER,
    progress: Progress = False,
) -> Embeddings:
    """The embedding of one photo's face, or of many photos' faces.

    Args:
        photos: one photo, or a list of them. A folder is no photo: list its files first.
        choose: which face of a photo that shows several.
        on_error: of many photos, ``raise`` stops at the first that shows no such face; ``nan`` gives it a row of NaN, and goes on.
        encoder: by name.
        progress: True shows a bar.

    Returns:
        ``(d,)`` float32 for one photo, ``(n, d)`` for a list of n.

    Raises:
        ImageError, FaceError: a photo cannot be read, or does not show the one face asked for.
        SettingError: another word for `choose` or `on_error`.

    >>> ada, grace = embed(["examples/photos/astronaut.png", "examples/photos/grace_hopper.jpg"])
    >>> ada.shape
    (128,)
    >>> import sameface
    >>> sameface.distance(ada, grace) > 1, sameface.distance(ada, embed("examples/photos/astronaut.png")) < 1e-5
    (True, True)
    """
    import numpy as np

    from sameface.errors import SamefaceError, SettingError
    from sameface.imaging.sources import is_one_photo, label_of

    if on_error not in ("raise", "nan"):
        raise SettingError(expected="raise or nan for on_error", got=repr(on_error), advice="choose one of the two")
    recognizer = recognizer_of(encoder)
    if is_one_photo(photos):
        return recognizer.encode_photo(cast("ImageSource", photos), choose).embedding
    listed = list(cast("Iterable[ImageSource]", photos))
    found = np.full((len(listed), recognizer.card.dimension), np.nan, dtype=np.float32)
    with stages_of(progress)("photos", len(listed)) as advance:
        for place, face in enumerate(recognizer.encode_photos(listed, as_choice(choose))):
            advance(1)
            if not isinstance(face, SamefaceError):
                found[place] = face.embedding
            elif on_error == "raise":
                raise face.about(
                    f"photo {place + 1} of {len(listed)}{', ' * bool(name := label_of(listed[place]))}{name}"
                )
    return found


@explained
def identify(
    photo: ImageSource,
    gallery: str | Path | Gallery = DEFAULT_GALLERY,
    *,
    candidates: int = 3,
    group: str | None = None,
    fpir: float | None = None,
    threshold: float | None = None,
    operating_point: OperatingPoint | str | PathLike[str] | None = None,
    force: bool = False,
) -> Answers[Identification]:
    """Who is this? One answer for each face of a photo: a name, or nobody. Of many photos: `Gallery.identify_many`.

    Args:
        photo: any picture.
        gallery: where people are enrolled: a file, ``postgresql://…``, or a `Gallery` that is open.
        candidates, group, fpir, force: see `Gallery.identify`.
        threshold, operating_point: decide by these instead of the threshold measured for the gallery's encoder.

    Raises:
        GalleryMissingError: there is no gallery yet.
        ImageError: the photo cannot be read.

    >>> import sameface, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> people = sameface.Gallery(folder.name + "/people.db")
    >>> people.enroll("Barack Obama", "examples/photos/obama.jpg")
    Enrollment('Barack Obama', 1 of 1 photo accepted)
    >>> [face.name for face in identify("examples/photos/obama2.jpg", people)]
    ['Barack Obama']
    >>> [face.name for face in identify("examples/photos/biden.jpg", people)]
    [None]
    >>> people.close()
    >>> folder.cleanup()
    """
    from sameface.errors import SettingError
    from sameface.recognizer import Gallery

    if isinstance(gallery, Gallery):
        if threshold is not None or operating_point is not None:
            raise SettingError(
                expected="the place of a gallery beside a threshold",
                got="a gallery that is open",
                advice="give the threshold to the gallery: Gallery(place, threshold=…)",
            )
        return gallery.identify(photo, candidates=candidates, group=group, fpir=fpir, force=force)
    with Gallery(gallery, create=False, threshold=threshold, operating_point=operating_point) as people:
        return people.identify(photo, candidates=candidates, group=group, fpir=fpir, force=force)


@explained
def cluster(
    photos: str | PathLike[str] | Iterable[ImageSource],
    *,
    threshold: float | None = None,
    force: bool = False,
    progress: Progress = False,
) -> Answers[PersonGroup]:
    """Which faces belong to one person? Nobody needs to be enrolled. Needs the extra ``evaluate``.

    `sameface cluster` at the shell does the same for folders, and keeps names and corrections from run to run.

    Args:
        photos: a folder, looked through with the folders in it, or a list of photos.
        threshold: mean distance under which two groups are one person; None takes the calibrated one.
        force: group faces that are not comparable, too; without, each is a group of its own. Its `standing` says so.
        progress: True shows a bar.

    Returns:
        The groups, largest first, each with its faces. Photos that cannot be read are left out, with a warning that names them.

    Raises:
        DataError: a folder without photos.

    >>> groups = cluster("examples/photos")
    >>> [len(group.faces) for group in groups]
    [3, 1, 1, 1]
    >>> sorted(face.photo.rpartition("/")[2] for face in groups[0].faces)
    ['obama.jpg', 'obama2.jpg', 'obama3.jpg']
    """
    from sameface.indexing.groups import group_photos

    return group_photos(recognizer_of(), photos, threshold=threshold, force=force, progress=stages_of(progress))


@explained
def evaluate(
    data: str | PathLike[str],
    *,
    pairs: str | PathLike[str] | None = None,
    encoders: str | Iterable[str] = DEFAULT_ENCODER,
    detector: str = DEFAULT_DETECTOR,
    classifiers: bool = False,
    progress: Progress = False,
) -> Evaluation:
    """How often does an encoder err on these photos? Needs the extra ``evaluate``. `sameface evaluate` writes reports.

    Args:
        data: a folder that holds a folder of photos per person; a table; see `sameface.datasets.open_data`.
        pairs: a list of pairs of photos in `data`, as LFW and its like have them.
        encoders: one by name, or several.
        detector: by name.
        classifiers: also how well classifiers on the embeddings do.
        progress: True shows a bar.

    Raises:
        DataError, NotEnoughDataError: the data cannot be read, or do not allow it.

    Example:
        found = evaluate("photos/", encoders=["sface-2021dec-unit", "pixels"])
        found.runs[0].verification.eer
        found.to_dataframe()
    """
    from sameface.datasets import open_data
    from sameface.evaluation.cache import EmbeddingCache, default_cache
    from sameface.evaluation.calibrate import recognizers
    from sameface.evaluation.plan import Plan
    from sameface.evaluation.run import evaluate as measure

    names = [encoders] if isinstance(encoders, str) else list(encoders)
    bench = open_data(Path(data), pairs=None if pairs is None else Path(pairs))
    with EmbeddingCache(default_cache()) as cache:
        return measure(
            bench,
            recognizers(names, [detector]),
            plan=Plan(classifiers=classifiers),
            cache=cache,
            progress=stages_of(progress),
        )


@explained
def calibrate(
    data: str | PathLike[str],
    *,
    fmr: float = 1e-3,
    confirm: str | PathLike[str] | None = None,
    encoder: str = DEFAULT_ENCODER,
    detector: str = DEFAULT_DETECTOR,
    domain: bool = False,
    out: str | PathLike[str] | None = None,
    progress: Progress = False,
) -> OperatingPoint:
    """A threshold for a false match rate, measured on your photos. Needs the extra ``evaluate``.

    Args:
        data: a folder that holds a folder of photos per person, or another data set.
        fmr: share of pairs of two people that may pass.
        confirm: other people's photos, on which the threshold is scored once.
        encoder, detector: by name.
        domain: also learn which photos are too poor for the threshold, from damaged copies; takes minutes and 60 people.
        out: a file to write, for `sameface … --operating-point`. What lies there is kept: name a new one.
        progress: True shows a bar.

    Raises:
        SettingError: a rate that is none.
        NotEnoughDataError: the pairs do not support that rate.
        OutputError: there is such a file already.

    Example:
        point = calibrate("photos/", fmr=0.001, out="mine.json")
        sameface.Recognizer(operating_point=point).verify("a.jpg", "b.jpg")
        people = sameface.Gallery("people.db", operating_point="mine.json")
    """
    from sameface.datasets import open_data
    from sameface.errors import OutputError
    from sameface.evaluation.cache import EmbeddingCache, default_cache
    from sameface.evaluation.calibrate import calibrate as choose
    from sameface.evaluation.calibrate import check_shares, recognizers
    from sameface.models.operating_points import save_operating_point

    check_shares(fmr)
    if out is not None and Path(out).exists():
        raise OutputError(expected=f"to write {out}", got="a file there", advice="name another file, or remove it")
    (recognizer,) = recognizers([encoder], [detector])
    with EmbeddingCache(default_cache()) as cache:
        point, _ = choose(
            recognizer,
            open_data(Path(data)),
            fmr=fmr,
            confirm_on=None if confirm is None else open_data(Path(confirm)),
            cache=cache,
            domain=domain,
            progress=stages_of(progress),
        )
    if out is not None:
        save_operating_point(point, Path(out))
    return point


@explained
def train(
    data: str | PathLike[str],
    out: str | PathLike[str] = "training",
    *,
    network: str = "convnet",
    loss: str = "triplet",
    steps: int = 1000,
    people: int = 32,
    photos: int = 4,
    size: int | None = None,
    align: bool = False,
    augment: Literal["faces", "characters", "none"] = "faces",
    name: str = "my-encoder",
    overwrite: bool = False,
    progress: Progress = False,
) -> FolderResult:
    """Train a Siamese network on a folder of pictures per person, and export it. Needs the extra ``train``.

    `sameface train` and `sameface.training.folder.FolderPlan` have every setting.

    Args:
        data: a folder that holds a folder of pictures per person (or per character).
        out: folder for the encoder, its card, the checkpoint and the log.
        network: ``convnet``, ``inception_resnet_v1``, or ``head``, a small map on the pretrained encoder.
        loss: ``triplet``, ``contrastive``, ``koch``, or one of pytorch-metric-learning.
        steps: batches.
        people: of a batch.
        photos: of each of them in a batch.
        size: side of the network's pictures in pixels; None takes the network's usual one.
        align: find and align the face of each photo first.
        augment: how pictures are varied.
        name: of the encoder.
        overwrite: replace a training that lies in `out`.
        progress: True shows a bar.

    Returns:
        What came of it; `encoder` is a path that every `encoder=` takes.

    Raises:
        ExtraMissingError: PyTorch is not installed.
        NotEnoughDataError: nobody has two pictures.

    Example:
        trained = train("drawings/", "my-training", augment="characters", steps=300)
        recognizer = sameface.Recognizer(encoder=str(trained.encoder), detector="none", operating_point=0.8)
        recognizer.verify("a.png", "b.png").same
    """
    from sameface.training.folder import FolderPlan, train_folder
    from sameface.training.loop.settings import TrainingSettings

    plan = FolderPlan(
        network=network,
        loss=loss,
        size=size,
        align=align,
        domain=augment,
        settings=TrainingSettings(steps=steps, people=people, photos=photos),
    )
    with stages_of(progress)("steps", steps) as advance:
        done = 0

        def tell(step: int, numbers: object) -> None:
            nonlocal done
            advance(step - done)
            done = step

        return train_folder(Path(data), Path(out), plan, name=name, overwrite=overwrite, progress=tell)
