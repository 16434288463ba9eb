"""From photos to what a plan's network learns from: pictures, faces cut out, or embeddings; each looked at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from sameface.datasets import PackedPhoto, Photo
from sameface.datasets.photo import source_of
from sameface.encoders.crops import scale_crops
from sameface.errors import NotEnoughDataError, SamefaceError
from sameface.faces import FaceFinder, load_aligner, load_detector
from sameface.files import Skipped
from sameface.imaging import load_image
from sameface.progress import Tally
from sameface.recognizer import Recognizer
from sameface.training.folder.plan import LANDMARKS, TEMPLATE, FolderPlan
from sameface.training.folder.sources import Source
from sameface.training.intake import GREY_OF_RGB
from sameface.training.networks import NetworkSpec
from sameface.training.pictures import Pictures, Pixels
from sameface.training.pictures.decoded import DecodedPixels
from sameface.training.pictures.store import in_threads, store_folder, stored_pixels
from sameface.training.tuning.teaching import taught

#: Bytes of pixels up to which they are held in memory; more are fetched batch by batch.
IN_MEMORY: Final = 256 << 20

Array = npt.NDArray[Any]


def read_as_planned(
    data: Path,
    plan: FolderPlan,
    spec: NetworkSpec,
    source: Source,
    *,
    threads: int | None = None,
    reading: Tally | None = None,
) -> Pictures:
    """Read what the plan's network learns from.

    What was found by a detector lies in a store in the cache folder, and is not looked for again by the next start. Few whole pictures are read
    into memory; many are kept scaled in a store too, or, where they lie packed in large files, decoded batch by batch.

    Args:
        data: where the photos come from.
        plan, spec: what to read for.
        source: the photos.
        threads: photos worked on at once; None takes every core.
        reading: told (done, all).

    Raises:
        NotEnoughDataError: faces or pictures of fewer than two people could be read.
        OutputError, StorageFullError: the store cannot be written.
    """
    photos = source.photos.photos
    if plan.network == "head":
        recognizer = Recognizer(encoder=plan.encoder, detector=plan.detector, threads=threads)
        words, many = f"embedding {recognizer.space}", _embeddings(recognizer)
        return _stored(data, source, many, words, reading)
    shape = (spec.channels, spec.picture_side, spec.picture_side)
    if plan.weights is not None:
        recognizer = Recognizer(encoder=plan.weights, detector=plan.detector, threads=threads)
        words = f"face {recognizer.space.detector} {recognizer.space.alignment} {shape}"
        many = in_threads(_one(spec, recognizer.finder), threads)
        return taught(_stored(data, source, many, words, reading), recognizer.encoder, reading)
    if plan.align:
        finder = FaceFinder(load_detector(plan.detector), load_aligner(LANDMARKS, TEMPLATE, spec.picture_side))
        words = f"face {finder.detector.id} {finder.aligner.id} {shape}"
        return _stored(data, source, in_threads(_one(spec, finder), threads), words, reading)
    read = _one(spec, None)
    if len(photos) * int(np.prod(shape)) > IN_MEMORY:
        if all(isinstance(photo, PackedPhoto) for photo in photos):
            return _pictures(source, DecodedPixels(photos, read, shape, threads=threads), range(len(photos)), {})
        return _stored(data, source, in_threads(read, threads), f"whole {shape}", reading)
    rows, there, without = [], [], {}
    for number, answer in enumerate(in_threads(read, threads)(photos)):
        if isinstance(answer, Exception):
            without[number] = str(answer)
        else:
            there.append(number)
            rows.append(answer)
        if reading is not None:
            reading(number + 1, len(photos))
    pixels = torch.from_numpy(np.stack(rows)) if rows else torch.empty(0, *shape, dtype=torch.uint8)
    return _pictures(source, pixels, there, without)


def _stored(
    data: Path,
    source: Source,
    read: Callable[[Sequence[Photo]], Iterator[Array | Exception]],
    words: str,
    reading: Tally | None,
) -> Pictures:
    folder = store_folder(data, words)
    stored, there, without = stored_pixels(source.photos.photos, read, folder, words=words, progress=reading)
    small = int(np.prod(stored.shape)) * stored.dtype.itemsize <= IN_MEMORY
    return _pictures(source, stored[torch.arange(len(stored))] if small else stored, there, without)


def _pictures(source: Source, pixels: torch.Tensor | Pixels, there: Sequence[int], without: dict[int, str]) -> Pictures:
    """Pixels with the people whose they are; people without any are left out."""
    photos, people = source.photos.photos, source.photos.people
    skipped = [
        *source.skipped,
        *(Skipped(_place(photos[number]), reason) for number, reason in without.items()),
    ]
    kept, labels = np.unique(people[np.asarray(there, dtype=np.intp)], return_inverse=True)
    if len(kept) < 2:
        first = f"; {len(skipped)} files skipped, the first: {skipped[0].reason}" if skipped else ""
        raise NotEnoughDataError(
            expected="readable pictures of at least two people",
            got=f"{len(kept)}{first}",
            advice="check the files that were skipped; drawings and crops are learned without --align, by the network convnet",
        )
    names = tuple(source.photos.names[person] for person in kept)
    return Pictures(pixels, labels.astype(np.int64), names, skipped=tuple(skipped))


def _place(photo: Photo) -> Path:
    return photo.file / photo.name if isinstance(photo, PackedPhoto) else photo


def _one(spec: NetworkSpec, finder: FaceFinder | None) -> Callable[[Photo], Array]:
    """From a photo to a picture ``(c, s, s)`` uint8: the face nearest the middle, or the whole photo scaled."""
    side, grey = spec.picture_side, spec.channels == 1

    def read(photo: Photo) -> Array:
        image = source_of(photo)
        crop: Array = (
            scale_crops(load_image(image)[None], (side, side))[0]
            if finder is None
            else finder.face(image, "centre").crop_rgb
        )
        if grey:  # here or in the intake is the same formula; here it saves two thirds of the memory
            one: Array = np.rint(crop @ np.array(GREY_OF_RGB)).astype(np.uint8)[None]
            return one
        return np.ascontiguousarray(crop.transpose(2, 0, 1))

    return read


def _embeddings(recognizer: Recognizer) -> Callable[[Sequence[Photo]], Iterator[Array | Exception]]:
    """The embeddings of the face nearest the middle of each photo, in place of pictures."""

    def many(photos: Sequence[Photo]) -> Iterator[Array | Exception]:
        for answer in recognizer.encode_photos((source_of(photo) for photo in photos), choose="centre"):
            yield answer if isinstance(answer, SamefaceError) else answer.embedding

    return many
