"""Crops are cut out once: kept, found again, made anew for what changed; and fetched without holding them all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from sameface.errors import ImageError, OutputError  # noqa: E402
from sameface.training.pictures.store import store_folder, stored_pixels  # noqa: E402


def photos_in(folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.png").write_bytes(bytes([number]) * (number + 1))
    return [folder / f"{number}.png" for number in range(count)]


class Reader:
    """Gives a row that tells the photo's first byte; remembers what it was asked for."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, photos: Sequence[Path]) -> Iterator[Any]:
        for photo in photos:
            self.read.append(photo.name)
            value = photo.read_bytes()[0]
            if value == 3:
                yield ImageError(expected="a face", got="none", advice="look away")
            elif value == 4:
                yield OSError("the disk is away")
            else:
                yield np.full((2, 3), value, dtype=np.uint8)


def test_a_photo_is_read_once(tmp_path: Path) -> None:
    photos, reader = photos_in(tmp_path / "photos", 6), Reader()
    first, there, without = stored_pixels(photos, reader, tmp_path / "store", words="w")
    assert there == [0, 1, 2, 5]
    assert set(without) == {3, 4}
    assert reader.read == [photo.name for photo in photos]
    assert first[torch.tensor([3, 0, 2])][:, 0, 0].tolist() == [5, 0, 2]
    assert first.shape == (4, 2, 3)
    reader.read.clear()
    again, there, without = stored_pixels(photos, reader, tmp_path / "store", words="w")
    assert reader.read == ["4.png"]  # a disk that was away is asked again; a photo without a face is not
    assert "none" in without[3]
    assert torch.equal(again[torch.arange(4)], first[torch.arange(4)])
    assert again.fingerprint == first.fingerprint
    # What changed is read again, what is new is added, other settings share nothing.
    photos[1].write_bytes(b"\x09 changed")
    (tmp_path / "photos" / "new.png").write_bytes(b"\x07")
    reader.read.clear()
    changed, _, _ = stored_pixels([*photos, tmp_path / "photos" / "new.png"], reader, tmp_path / "store", words="w")
    assert reader.read == ["1.png", "4.png", "new.png"]
    assert changed[torch.arange(5)][:, 0, 0].tolist() == [0, 9, 2, 5, 7]
    assert changed.fingerprint != first.fingerprint
    reader.read.clear()
    stored_pixels(photos[:3], reader, tmp_path / "store", words="other")
    assert len(reader.read) == 3


def test_a_store_of_nothing_is_empty(tmp_path: Path) -> None:
    photos = photos_in(tmp_path / "photos", 4)[3:]
    pixels, there, without = stored_pixels(photos, Reader(), tmp_path / "store", words="w")
    assert (len(pixels), there, list(without)) == (0, [], [0])
    assert len(pixels[torch.arange(0)]) == 0


def test_what_was_read_before_a_stop_is_kept(tmp_path: Path) -> None:
    photos, reader = photos_in(tmp_path / "photos", 3), Reader()

    def stopped(asked: Sequence[Path]) -> Iterator[Any]:
        for number, row in enumerate(reader(asked)):
            if number == 2:
                raise KeyboardInterrupt
            yield row

    with pytest.raises(KeyboardInterrupt):
        stored_pixels(photos, stopped, tmp_path / "store", words="w")
    reader.read.clear()
    pixels, _, _ = stored_pixels(photos, reader, tmp_path / "store", words="w")
    assert reader.read == ["2.png"]
    assert pixels[torch.arange(3)][:, 0, 0].tolist() == [0, 1, 2]


@pytest.mark.parametrize("damage", ["index", "rows", "half a row more"])
def test_a_damaged_store_is_made_again(tmp_path: Path, damage: str) -> None:
    photos, reader = photos_in(tmp_path / "photos", 3), Reader()
    stored_pixels(photos, reader, tmp_path / "store", words="w")
    rows = tmp_path / "store" / "rows.bin"
    if damage == "index":
        (tmp_path / "store" / "index.json").write_text("{")
    else:
        rows.write_bytes(rows.read_bytes()[:7] if damage == "rows" else rows.read_bytes() + b"abc")
    pixels, _, _ = stored_pixels(photos, reader, tmp_path / "store", words="w")
    assert pixels[torch.arange(3)][:, 0, 0].tolist() == [0, 1, 2]
    rows.write_bytes(b"")
    with pytest.raises(OutputError, match="cut short"):
        pixels[torch.arange(3)]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_nobody_else_may_read_a_store(tmp_path: Path) -> None:
    stored_pixels(photos_in(tmp_path / "photos", 2), Reader(), tmp_path / "store", words="w")
    assert (tmp_path / "store").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "store").glob("[ri]*"))


def test_a_store_is_of_one_data_set_and_one_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEFACE_CACHE", str(tmp_path))
    places = {store_folder(Path(data), words) for data in ("/a/photos", "/b/photos") for words in ("x", "y")}
    assert len(places) == 4
    assert all(place.parent == tmp_path / "crops" for place in places)


def test_the_second_start_finds_no_face_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from sameface.faces import FaceFinder
    from sameface.training.folder import train_folder
    from tests.training.conftest import write_people
    from tests.training.test_folder import QUICK

    monkeypatch.setenv("SAMEFACE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("sameface.training.folder.run.export_as_planned", lambda *arguments: 0.0)
    looked = []

    def face(self: FaceFinder, image: object, choose: str) -> object:
        looked.append(image)
        from types import SimpleNamespace

        picture = np.asarray(Image.open(image).convert("RGB").resize((12, 12)))
        return SimpleNamespace(crop_rgb=picture)

    monkeypatch.setattr(FaceFinder, "face", face)
    data = write_people(tmp_path / "people")
    plan = replace(QUICK, align=True, settings=replace(QUICK.settings, steps=10))
    train_folder(data, tmp_path / "out", plan)
    assert len(looked) == 40
    looked.clear()
    longer = replace(plan, settings=replace(plan.settings, steps=12))
    train_folder(data, tmp_path / "out", longer, resume=True)
    train_folder(data, tmp_path / "another", plan)
    assert looked == []
