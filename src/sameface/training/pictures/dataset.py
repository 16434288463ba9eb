"""A dataset of PyTorch as pictures: items are fetched when their batch comes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sameface.errors import NotEnoughDataError, SettingError
from sameface.training.pictures.pictures import Pictures
from sameface.training.pictures.pixels import Pixels


class MapDataset(Protocol):
    """What ``torch.utils.data.Dataset`` with a length is: items are (picture, label)."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Any: ...


PicturesLike = Pictures | MapDataset


class DatasetPixels:
    """Pictures of a dataset, fetched by a few threads.

    Args:
        dataset: gives (picture, label); a picture is ``(c, s, s)``, a tensor or an array, or ``(s, s, c)`` from PIL.
        threads: that fetch at once.
    """

    def __init__(self, dataset: MapDataset, threads: int | None = None) -> None:
        self._dataset = dataset
        self._pool = ThreadPoolExecutor(threads, "sameface-dataset")
        first = picture_of(dataset[0])
        self.dtype = first.dtype
        self.shape = (len(dataset), *first.shape)

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, rows: Tensor) -> Tensor:
        return torch.stack(list(self._pool.map(self._one, rows.tolist())))

    def _one(self, row: int) -> Tensor:
        return picture_of(self._dataset[row])


def picture_of(item: Any) -> Tensor:
    """The picture of a dataset's item as ``(c, s, s)``, uint8 on 0…255 or whatever floats the dataset makes.

    Raises:
        SettingError: the item is not (picture, label), or its picture is none.
    """
    picture = item[0] if isinstance(item, (tuple, list)) and len(item) >= 2 else None
    if isinstance(picture, Tensor):
        return picture if picture.ndim != 2 else picture[None]
    array = None if picture is None else np.asarray(picture)
    if array is None or array.ndim not in {1, 2, 3} or array.dtype == object:
        raise SettingError(
            expected="items (picture, label), pictures as tensors, arrays or PIL images",
            got=type(item if picture is None else picture).__name__,
            advice="give the dataset a __getitem__ that says so",
        )
    if array.ndim == 2:
        array = array[None]
    elif array.ndim == 3 and array.shape[-1] in {1, 3} and array.shape[0] not in {1, 3}:
        array = array.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(array))


def as_pictures(given: PicturesLike) -> Pictures:
    """Pictures from themselves, or from a dataset of PyTorch.

    Labels are read from the dataset's ``targets`` or ``labels``, as torchvision's have them; else every item is fetched once.

    Raises:
        SettingError: neither of the two.
        NotEnoughDataError: an empty dataset.
    """
    if isinstance(given, Pictures):
        return given
    if not (hasattr(given, "__getitem__") and hasattr(given, "__len__")):
        raise SettingError(
            expected="Pictures, or a dataset with a length and items (picture, label)",
            got=type(given).__name__,
            advice="streams without a length cannot be drawn from by person: read them into a folder or a dataset first",
        )
    if not len(given):
        raise NotEnoughDataError(expected="pictures in the dataset", got="none", advice="check where it reads from")
    values = _labels(given)
    names, labels = np.unique(values, return_inverse=True)
    classes = getattr(given, "classes", None)
    known = classes is not None and names.dtype.kind in "iu" and names.min() >= 0 and names.max() < len(classes)
    people = tuple(str(classes[name]) if known and classes is not None else str(name) for name in names)
    return Pictures(cast("Pixels", DatasetPixels(given)), labels.astype(np.int64), people)


def _labels(dataset: MapDataset) -> npt.NDArray[Any]:
    for name in ("targets", "labels"):
        found = getattr(dataset, name, None)
        if found is not None and len(found) == len(dataset):
            return np.asarray(found)
    return np.array([_label(dataset[row]) for row in range(len(dataset))])


def _label(item: Any) -> Any:
    picture_of(item)  # says what an item must be
    return item[1].item() if isinstance(item[1], Tensor) else item[1]
