"""TinyFace: faces of 20 pixels, searched among 157,871 others.

Source: Cheng, Zhu, Gong 2018, and the files of ``tinyface/Testing_Set``: ``gallery_match_img_ID_pairs.mat`` (``gallery_set``, ``gallery_ids``) and
``probe_img_ID_pairs.mat`` (``probe_set``, ``probe_ids``) of MATLAB, with the folders ``Gallery_Match``, ``Probe`` and ``Gallery_Distractor``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sameface.datasets.ijb import TemplateSet
from sameface.errors import DataError
from sameface.files import path_as_text, photos_below
from sameface.metrics.extra import need


def read_tinyface(folder: str | Path) -> TemplateSet:
    """Read the testing set: each photo is a template of its own; distractors are people of their own, whom no probe shows.

    Args:
        folder: ``Testing_Set``, or the folder that holds it.

    Raises:
        DataError: files are missing or have another content.
        ExtraMissingError: scipy reads MATLAB's files; the extra `evaluate` is not installed.
    """
    top = Path(folder)
    top = top / "Testing_Set" if (top / "Testing_Set").is_dir() else top
    mates, mate_ids = _list(top / "gallery_match_img_ID_pairs.mat", "gallery", top / "Gallery_Match")
    probes, probe_ids = _list(top / "probe_img_ID_pairs.mat", "probe", top / "Probe")
    others = list(photos_below(top / "Gallery_Distractor")) if (top / "Gallery_Distractor").is_dir() else []
    photos = [*mates, *others, *probes]
    known = len(mates) + len(others)
    strangers = np.arange(len(others)) + max([*mate_ids, *probe_ids]) + 1
    count = len(photos)
    return TemplateSet(
        "TinyFace",
        tuple(photos),
        template=np.arange(count),
        media=np.arange(count),
        landmarks_xy=np.full((count, 5, 2), np.nan, dtype=np.float32),
        weights=np.ones(count, dtype=np.float32),
        templates=np.arange(count),
        a=np.empty(0, dtype=np.intp),
        b=np.empty(0, dtype=np.intp),
        same=np.empty(0, dtype=np.bool_),
        subjects=np.array([*mate_ids, *strangers, *probe_ids], dtype=np.intp),
        galleries={"gallery": np.arange(known)},
        probes=np.arange(known, count),
    )


def _list(file: Path, kind: str, folder: Path) -> tuple[list[Path], list[int]]:
    reader = need("scipy.io")
    try:
        content = reader.loadmat(file)
        names = [str(np.asarray(name).item()) for name in content[f"{kind}_set"].ravel()]
        numbers = [int(number) for number in content[f"{kind}_ids"].ravel()]
    except Exception as error:  # scipy's reader raises what it likes on other files
        raise DataError(
            expected=f"{kind}_set and {kind}_ids in {path_as_text(file)}",
            got=f"{type(error).__name__}: {error}",
            advice="give TinyFace's Testing_Set as published",
        ) from error
    if not names or len(names) != len(numbers):
        raise DataError(
            expected=f"a number for each photo in {path_as_text(file)}",
            got=f"{len(numbers)} for {len(names)}",
            advice="compare the file with its publisher's",
        )
    return [folder / name for name in names], numbers
