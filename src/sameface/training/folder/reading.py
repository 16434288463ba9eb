"""From files by person to what a plan's network learns from: pictures, faces cut out, or embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from sameface.encoders.crops import scale_crops
from sameface.errors import NotEnoughDataError, SamefaceError
from sameface.faces import FaceFinder, load_aligner, load_detector
from sameface.files import Skipped
from sameface.imaging import load_image
from sameface.progress import Tally
from sameface.recognizer import Recognizer
from sameface.training.folder.plan import LANDMARKS, TEMPLATE, FolderPlan
from sameface.training.intake import GREY_OF_RGB
from sameface.training.networks import NetworkSpec
from sameface.training.pictures import Pictures, read_pictures


def read_as_planned(
    plan: FolderPlan,
    spec: NetworkSpec,
    files: dict[str, list[Path]],
    skipped: list[Skipped],
    reading: Tally | None,
) -> Pictures:
    """Read what the plan's network learns from.

    Raises:
        NotEnoughDataError: faces or pictures of fewer than two people could be read.
    """
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
