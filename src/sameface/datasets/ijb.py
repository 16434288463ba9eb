"""IJB-B and IJB-C, in the form that those who compare face encoders pass around: faces cut out, templates, media, pairs and galleries in lists.

Source: the lists of InsightFace's ``recognition/_evaluation_/ijb``, made from NIST's. ``meta/ijbc_face_tid_mid.txt``: ``name template media``;
``ijbc_template_pair_label.txt``: ``template template 1``; ``ijbc_name_5pts_score.txt``: name, five points, the detector's score;
``ijbc_1N_gallery_G1.csv``, ``G2``, ``ijbc_1N_probe_mixed.csv``: ``TEMPLATE_ID,SUBJECT_ID,…``. IJB-B's galleries are ``S1`` and ``S2``.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sameface.datasets.lfw import read_lines
from sameface.errors import DataError
from sameface.files import path_as_text


@dataclass(frozen=True, slots=True, eq=False)
class TemplateSet:
    """Photos grouped into templates, with both protocols.

    Attributes:
        name: what reports call it.
        photos: ``(n,)`` cut-out faces, in the list's order.
        template, media: ``(n,)`` index into `templates`; number of the photo or video that the face is from.
        landmarks_xy: ``(n, 5, 2)`` float32 in pixels of the cut-out: eyes, nose, corners of the mouth.
        weights: ``(n,)`` float32 score of the detector that found the face.
        templates: ``(t,)`` the templates' own numbers, ascending.
        a, b, same: 1:1: ``(p,)`` indices into `templates`, and whether the two are of one person.
        subjects: ``(t,)`` whose each template is, -1 where the 1:N lists do not say.
        galleries, probes: 1:N: ``(k,)`` indices into `templates`, by gallery; of all probes.
    """

    name: str
    photos: tuple[Path, ...]
    template: npt.NDArray[np.intp]
    media: npt.NDArray[np.intp]
    landmarks_xy: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float32]
    templates: npt.NDArray[np.intp]
    a: npt.NDArray[np.intp]
    b: npt.NDArray[np.intp]
    same: npt.NDArray[np.bool_]
    subjects: npt.NDArray[np.intp]
    galleries: Mapping[str, npt.NDArray[np.intp]]
    probes: npt.NDArray[np.intp]


def read_ijb(folder: str | Path) -> TemplateSet:
    """Read IJB-B or IJB-C.

    Args:
        folder: ``IJBB`` or ``IJBC``, with ``meta`` and ``loose_crop``.

    Raises:
        DataError: a list is missing, or does not fit the others.
    """
    top = Path(folder)
    found = sorted((top / "meta").glob("ijb?_face_tid_mid.txt"))
    if len(found) != 1:
        raise DataError(
            expected=f"meta/ijbb_face_tid_mid.txt or meta/ijbc_face_tid_mid.txt in {path_as_text(top)}",
            got="none" if not found else "both",
            advice="give the folder IJBB or IJBC",
        )
    stem = found[0].name.partition("_")[0]
    meta = top / "meta"
    faces = _rows(found[0], 3)
    points = _rows(meta / f"{stem}_name_5pts_score.txt", 12)
    if [row[0] for row in faces] != [row[0] for row in points]:
        raise DataError(
            expected=f"the same names in {found[0].name} and {stem}_name_5pts_score.txt",
            got=f"{len(faces)} and {len(points)} that differ",
            advice="take both from one publisher",
        )
    numbers = _numbers([row[1:3] for row in faces], found[0])
    templates, template = np.unique(numbers[:, 0], return_inverse=True)
    values = np.array([row[1:] for row in points], dtype=np.float32)
    pairs = _numbers(_rows(meta / f"{stem}_template_pair_label.txt", 3), meta / f"{stem}_template_pair_label.txt")
    subjects = np.full(len(templates), -1, dtype=np.intp)
    galleries: dict[str, npt.NDArray[np.intp]] = {}
    for file in sorted(meta.glob(f"{stem}_1N_gallery_*.csv")):
        galleries[file.stem.rpartition("_")[2]] = _subjects(file, templates, subjects)
    probe = meta / f"{stem}_1N_probe_mixed.csv"
    probes = _subjects(probe, templates, subjects) if probe.is_file() else np.empty(0, dtype=np.intp)
    return TemplateSet(
        f"IJB-{stem[-1].upper()}",
        tuple(top / "loose_crop" / row[0] for row in faces),
        template.astype(np.intp),
        numbers[:, 1],
        values[:, :10].reshape(-1, 5, 2),
        values[:, 10],
        templates,
        _index(pairs[:, 0], templates, "pairs"),
        _index(pairs[:, 1], templates, "pairs"),
        pairs[:, 2] == 1,
        subjects,
        galleries,
        probes,
    )


def _rows(file: Path, columns: int) -> list[list[str]]:
    rows = [line.split() for line in read_lines(file) if line.strip()]
    wrong = next((row for row in rows if len(row) != columns), None)
    if not rows or wrong is not None:
        raise DataError(
            expected=f"rows of {columns} columns in {path_as_text(file)}",
            got="none" if wrong is None else repr(" ".join(wrong)[:80]),
            advice="compare the file with its publisher's",
        )
    return rows


def _numbers(rows: list[list[str]], file: Path) -> npt.NDArray[np.intp]:
    try:
        return np.array(rows, dtype=np.intp)
    except ValueError as error:
        raise DataError(
            expected=f"whole numbers in {path_as_text(file)}", got=str(error), advice="compare it with its publisher's"
        ) from error


def _subjects(file: Path, templates: npt.NDArray[np.intp], subjects: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Indices of a 1:N list's templates, each once; whose they are is noted in `subjects`."""
    rows = [row[:2] for row in list(csv.reader(read_lines(file)))[1:] if row]
    numbers = _numbers(rows, file).reshape(-1, 2)
    places = _index(numbers[:, 0], templates, file.name)
    subjects[places] = numbers[:, 1]
    return np.unique(places)


def _index(values: npt.NDArray[np.intp], templates: npt.NDArray[np.intp], where: str) -> npt.NDArray[np.intp]:
    places = np.minimum(np.searchsorted(templates, values), len(templates) - 1)
    unknown = values[templates[places] != values]
    if len(unknown):
        raise DataError(
            expected=f"templates that have faces, in {where}",
            got=f"{len(unknown)} others, the first {unknown[0]}",
            advice="take all lists from one publisher",
        )
    return places.astype(np.intp)
