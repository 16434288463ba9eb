"""Omniglot's archives: background alphabets to learn from, official runs to be scored on."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from sameface.errors import DataError
from sameface.training.pictures import Pictures

#: Characters are drawn on 105×105 pixels; stored at twice the network's side.
NETWORK_SIDE: Final = 32
STORED_SIDE: Final = 2 * NETWORK_SIDE


def _shrink(drawings: Sequence[bytes]) -> Tensor:
    """PNG files to ``(n, 1, 64, 64)`` uint8, black ink 0 on white 255, each pixel the mean of what it covers."""
    arrays = [np.asarray(Image.open(io.BytesIO(drawing)).convert("L"), dtype=np.float32) for drawing in drawings]
    full = torch.from_numpy(np.stack(arrays))[:, None]
    small = functional.interpolate(full, size=(STORED_SIDE, STORED_SIDE), mode="bilinear", antialias=True)
    return small.round().clamp(0, 255).to(torch.uint8)


def read_background(archive: Path) -> Pictures:
    """Read ``images_background_small1.zip`` or another background set.

    Returns:
        Pictures labelled ``Alphabet/character01``; groups are alphabets, in order of their names.

    Raises:
        DataError: not such an archive.
    """
    drawings: list[bytes] = []
    owners: list[str] = []
    for name, content in _drawings(archive):
        parts = name.split("/")
        if len(parts) == 4:
            owners.append("/".join(parts[1:3]))
            drawings.append(content)
    people = tuple(sorted(set(owners)))
    if len(people) < 2:
        raise DataError(
            expected="Omniglot's images_background*.zip",
            got=f"{archive} without drawings",
            advice="fetch the archive again",
        )
    alphabets = sorted({name.split("/")[0] for name in people})
    place = {name: label for label, name in enumerate(people)}
    labels = np.array([place[name] for name in owners], dtype=np.int64)
    groups = np.array([alphabets.index(name.split("/")[0]) for name in owners], dtype=np.int64)
    return Pictures(_shrink(drawings), labels, people, groups)


@dataclass(frozen=True)
class OneShotRun:
    """One official run.

    Attributes:
        enrolled: ``(20, 1, 64, 64)`` uint8, one drawing of each character.
        asked: ``(20, 1, 64, 64)`` uint8.
        answers: ``(20,)`` which enrolled character each asked drawing shows.
    """

    enrolled: Tensor
    asked: Tensor
    answers: npt.NDArray[np.int64]


def read_runs(archive: Path) -> list[OneShotRun]:
    """Read ``all_runs.zip``: 20 runs, in order.

    Raises:
        DataError: not such an archive.
    """
    files = dict(_drawings(archive))
    with zipfile.ZipFile(archive) as opened:
        tables = sorted(
            name for name in opened.namelist() if name.endswith("class_labels.txt") and "__MACOSX" not in name
        )
        pairs = {
            name: [line.split() for line in opened.read(name).decode().splitlines() if line.strip()] for name in tables
        }
    if not tables:
        raise DataError(
            expected="Omniglot's all_runs.zip", got=f"{archive} without runs", advice="fetch the archive again"
        )
    runs = []
    for name in tables:
        asked = [pair[0] for pair in pairs[name]]
        classes = sorted({pair[1] for pair in pairs[name]})
        answers = np.array([classes.index(pair[1]) for pair in pairs[name]], dtype=np.int64)
        # The tables name files from the archive's root, with or without a leading folder.
        lookup = {key.split("/", key.count("/") - 2)[-1]: value for key, value in files.items()}
        runs.append(
            OneShotRun(_shrink([lookup[item] for item in classes]), _shrink([lookup[item] for item in asked]), answers)
        )
    return runs


def _drawings(archive: Path) -> list[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(archive) as opened:
            return [
                (name, opened.read(name))
                for name in sorted(opened.namelist())
                if name.endswith(".png") and "__MACOSX" not in name
            ]
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(
            expected=f"an archive at {archive}", got=str(error), advice="fetch it from Omniglot's page"
        ) from error
