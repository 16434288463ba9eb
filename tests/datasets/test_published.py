"""The field's files, written here as their publishers' own code writes them, and read again; what is wrong with one is said."""

from __future__ import annotations

import io
import json
import pickle
import struct
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sameface.datasets import (
    LabelledPhotos,
    PackedPhoto,
    PairList,
    open_data,
    read_bin,
    read_pair_list,
    read_pair_table,
    read_rec,
    read_rfw,
    read_shards,
)
from sameface.errors import DataError

Make = Callable[..., Path]


def png(seed: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(out, "PNG")
    return out.getvalue()


def kinds(bench: PairList | LabelledPhotos) -> dict[str, int]:
    return dict(Counter(item.kind for item in bench.problems))


# -- InsightFace's .bin -----------------------------------------------------------------------------------------------
def bin_pairs(count: int = 40) -> tuple[list[bytes], list[bool]]:
    """Images and labels of pairs: mated and non-mated in turn; the first image of every mated pair is shared with the next pair."""
    images, same = [], []
    for number in range(count):
        mated = number % 2 == 0
        first = png(1000 + number // 2)
        images += [first, png(2000 + number // 2) if mated else png(3000 + number)]
        same.append(mated)
    return images, same


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_bin_as_lfw2pack_writes_it(tmp_path: Path, protocol: int) -> None:
    images, same = bin_pairs()
    with (tmp_path / "lfw.bin").open("wb") as file:
        pickle.dump((images, same), file, protocol=protocol) if protocol > 2 else file.write(python2(images, same))
    pairs = open_data(tmp_path / "lfw.bin")
    assert isinstance(pairs, PairList)
    assert pairs.same.tolist() == same
    for number in range(len(same)):
        assert pairs.photos[pairs.a[number]].read_bytes() == images[2 * number]
        assert pairs.photos[pairs.b[number]].read_bytes() == images[2 * number + 1]
    assert len(pairs.photos) == len(set(images))
    assert pairs.folds is not None
    assert pairs.folds.tolist() == np.repeat(np.arange(10), 4).tolist()
    assert pairs.problems == ()


def python2(images: list[bytes], same: list[bool]) -> bytes:
    """What Python 2's ``pickle.dump((bins, issame), f, protocol=2)`` wrote: texts of bytes were ``str``."""
    out = io.BytesIO()
    out.write(b"\x80\x02]q\x00(")
    for number, image in enumerate(images, 1):
        out.write(
            b"T" + struct.pack("<I", len(image)) + image if len(image) > 255 else b"U" + bytes([len(image)]) + image
        )
        out.write(b"r" + struct.pack("<I", number))
    out.write(b"e]r" + struct.pack("<I", len(images) + 1) + b"(")
    out.writelines(b"\x88" if item else b"\x89" for item in same)
    out.write(b"e\x86q\xff.")
    value = pickle.loads(out.getvalue(), encoding="bytes")  # Python reads it as meant
    assert value == (images, same)
    return out.getvalue()


def test_bin_with_arrays_of_numpy(tmp_path: Path) -> None:
    images, same = bin_pairs(20)
    arrays = [np.frombuffer(image, dtype=np.uint8) for image in images]
    for name, labels in {"list": [np.bool_(item) for item in same], "array": np.array(same)}.items():
        path = tmp_path / f"{name}.bin"
        path.write_bytes(pickle.dumps((arrays, labels), protocol=4))
        pairs = read_bin(path)
        assert pairs.same.tolist() == same
        assert [pairs.photos[pairs.b[n]].read_bytes() for n in range(20)] == images[1::2]


def test_bin_of_few_pairs_has_no_folds(tmp_path: Path) -> None:
    images, same = bin_pairs(6)
    (tmp_path / "few.bin").write_bytes(pickle.dumps((images, same)))
    assert read_bin(tmp_path / "few.bin").folds is None


class Evil:
    """Runs a program when a pickle of it is loaded."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> object:
        import os

        return os.system, (self.command,)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_nothing_in_a_bin_is_run(tmp_path: Path, protocol: int) -> None:
    ran = tmp_path / "ran"
    for number, value in enumerate([Evil(f"touch {ran}"), ([Evil(f"touch {ran}")], [True]), [Path("a"), {"b": 1}]]):
        path = tmp_path / f"{number}.bin"
        path.write_bytes(pickle.dumps(value, protocol=protocol))
        with pytest.raises(DataError):
            read_bin(path)
    assert not ran.exists()


def test_files_that_are_no_bin(tmp_path: Path) -> None:
    images, same = bin_pairs(10)
    whole = pickle.dumps((images, same))
    path = tmp_path / "x.bin"
    for content, words in {
        b"": "whole pickle",
        b"certainly no pickle": "pickle",
        whole[: len(whole) // 2]: "whole pickle",
        pickle.dumps((images[:-1], same)): "19 images for 10 pairs",
        pickle.dumps((["text"] * 20, same)): "no bytes",
        pickle.dumps((images, ["yes"] * 10)): "truth values",
        pickle.dumps({"images": 1}): "pickle",
        pickle.dumps(3): "another content",
    }.items():
        path.write_bytes(content)
        with pytest.raises(DataError, match=words):
            read_bin(path)
    with pytest.raises(DataError, match="Check the path"):
        read_bin(tmp_path / "none.bin")


# -- MXNet's .rec -----------------------------------------------------------------------------------------------------
class IndexedRecordIO:
    """Writes as MXNet does: ``MXIndexedRecordIO.write_idx`` and ``pack``, in a few lines."""

    MAGIC = struct.pack("<I", 0xCED7230A)

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.rec, self.idx = (folder / "train.rec").open("wb"), (folder / "train.idx").open("w")

    def write_idx(self, key: int, header: tuple[float | list[float], int], image: bytes) -> None:
        label, identity = header
        if isinstance(label, list):
            head = struct.pack("<IfQQ", len(label), 0, identity, 0) + np.array(label, dtype=np.float32).tobytes()
        else:
            head = struct.pack("<IfQQ", 0, label, identity, 0)
        self.idx.write(f"{key}\t{self.rec.tell()}\n")
        self.write(head + image)

    def write(self, data: bytes) -> None:
        """dmlc's ``RecordIOWriter::WriteRecord``: wherever the magic number lies at a multiple of four, the record is cut there."""
        cuts = [at for at in range(0, len(data) // 4 * 4, 4) if data[at : at + 4] == self.MAGIC]
        starts = [0, *(at + 4 for at in cuts)]
        ends = [*cuts, len(data)]
        for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
            part = 0 if not cuts else 1 if number == 0 else 3 if number == len(cuts) else 2
            self.rec.write(
                self.MAGIC + struct.pack("<I", part << 29 | end - start) + data[start:end] + bytes(-(end - start) % 4)
            )

    def close(self) -> None:
        self.rec.close()
        self.idx.close()


def test_rec_as_face2rec2_writes_it(tmp_path: Path) -> None:
    """Record 0 says where images and people end; after the images a record for each person, with the span of theirs."""
    magic = IndexedRecordIO.MAGIC
    with_magic = b"\x89PNG" + magic * 2 + b"middle.." + magic
    images = {1: (0, png(1)), 2: (0, png(2)), 3: (5, with_magic), 4: (5, png(4)), 5: (2, png(5))}
    record = IndexedRecordIO(tmp_path / "casia")
    record.write_idx(0, ([6.0, 9.0], 0), b"")
    for key, (label, image) in images.items():
        record.write_idx(key, (float(label) if key % 2 else [float(label), 0.5], key), image)
    for key, span in {6: [1.0, 3.0], 7: [3.0, 5.0], 8: [5.0, 6.0]}.items():
        record.write_idx(key, (span, key), b"")
    record.close()
    bench = open_data(tmp_path / "casia" / "train.rec")
    assert isinstance(bench, LabelledPhotos)
    assert (bench.name, bench.names) == ("casia", ("0", "2", "5"))
    assert bench.people.tolist() == [0, 0, 1, 2, 2]
    assert [photo.read_bytes() for photo in bench.photos] == [images[key][1] for key in (1, 2, 5, 3, 4)]
    assert bench.problems == ()


def test_rec_without_a_first_record_and_a_damaged_one(tmp_path: Path) -> None:
    record = IndexedRecordIO(tmp_path)
    for key in range(4):
        record.write_idx(key, (float(key // 2), key), png(key))
    record.close()
    path = tmp_path / "train.rec"
    assert len(read_rec(path).photos) == 4
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(DataError, match="cut short"):
        read_rec(path)
    path.write_bytes(whole[:40] + b"?" + whole[41:])
    path.write_bytes(b"not a rec at all")
    with pytest.raises(DataError, match="other bytes"):
        read_rec(path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match="two people"):
        read_rec(path)
    with pytest.raises(DataError):
        read_rec(tmp_path / "none.rec")


# -- lists of pairs ---------------------------------------------------------------------------------------------------
def test_calfw_and_cplfw(tmp_path: Path, make_photo: Make) -> None:
    names = {"Ada_King": 4, "Bo": 4, "Cy_X": 3}
    for person, count in names.items():
        for number in range(1, count + 1):
            make_photo(tmp_path / "images" / f"{person}_{number:04d}.jpg")
    mated = [
        ("Ada_King_0001", "Ada_King_0002", 1),
        ("Bo_0001", "Bo_0002", 1),
        ("Ada_King_0003", "Ada_King_0004", 2),
        ("Bo_0003", "Bo_0004", 2),
    ]
    apart = [
        ("Ada_King_0001", "Bo_0001", 0),
        ("Cy_X_0001", "Bo_0002", 0),
        ("Cy_X_0002", "Ada_King_0002", 0),
        ("Cy_X_0003", "Bo_0003", 0),
    ]
    listed = tmp_path / "pairs_CALFW.txt"
    listed.write_text("".join(f"{name}.jpg {token}\n" for a, b, token in mated + apart for name in (a, b)))
    pairs = open_data(tmp_path, pairs=listed)
    assert isinstance(pairs, PairList)
    assert pairs.same.tolist() == [True] * 4 + [False] * 4
    assert pairs.folds is not None
    assert pairs.folds.tolist() == [0, 0, 1, 1, 0, 0, 1, 1]
    assert (pairs.person_a == pairs.person_b).tolist() == pairs.same.tolist()
    assert len(np.unique(pairs.people)) == 3
    assert pairs.problems == ()


def test_rfw(tmp_path: Path, make_photo: Make) -> None:
    for person in ("m.01a", "m.02b", "m.03c"):
        for number in (1, 2, 3):
            make_photo(tmp_path / person / f"{person}_{number:04d}.jpg")
    listed = tmp_path / "African_pairs.txt"
    listed.write_text(
        "m.01a\t1\t2\nm.02b\t1\t3\nm.01a\t1\tm.02b\t2\nm.03c\t3\tm.01a\t1\nm.03c\t1\t2\nm.02b\t1\tm.03c\t2\n"
    )
    pairs = read_pair_list(tmp_path, listed)
    assert pairs.same.tolist() == [True, True, False, False, True, False]
    assert pairs.photos[pairs.b[3]].name == "m.01a_0001.jpg"
    assert len(np.unique(pairs.people)) == 3


def test_rfw_in_ten_folds(tmp_path: Path, make_photo: Make) -> None:
    rows = []
    for fold in range(10):
        for number in (1, 2):
            make_photo(tmp_path / f"p{fold}" / f"p{fold}_{number:04d}.jpg")
        rows += [f"p{fold}\t1\t2", f"p{fold}\t1\tp{(fold + 1) % 10}\t1"]
    (tmp_path / "pairs.txt").write_text("\n".join(rows))
    pairs = read_pair_list(tmp_path, tmp_path / "pairs.txt")
    assert pairs.folds is not None
    assert pairs.folds.tolist() == np.repeat(np.arange(10), 2).tolist()


def write_rfw(top: Path, make_photo: Make) -> None:
    """Two groups as the publishers lay them out, ten folds each."""
    for group in ("African", "Asian"):
        rows = []
        for fold in range(10):
            for number in (1, 2):
                make_photo(top / "data" / group / f"m{fold}" / f"m{fold}_{number:04d}.jpg")
            rows += [f"m{fold}\t1\t2", f"m{fold}\t1\tm{(fold + 1) % 10}\t1"]
        listed = top / "txts" / group / f"{group}_pairs.txt"
        listed.parent.mkdir(parents=True)
        listed.write_text("\n".join(rows))


@pytest.mark.parametrize("inside", ["", "test"])
def test_rfw_as_one_set_with_groups(tmp_path: Path, make_photo: Make, inside: str) -> None:
    write_rfw(tmp_path / inside, make_photo)
    pairs = open_data(tmp_path)
    assert isinstance(pairs, PairList)
    assert pairs.name == "RFW"
    assert pairs.groups == {"race": ("African",) * 20 + ("Asian",) * 20}
    assert pairs.folds is not None
    assert pairs.folds.tolist() == 2 * np.repeat(np.arange(10), 2).tolist()
    assert len(np.unique(pairs.people)) == 20  # m0 of one group is not m0 of the other
    for group, a, b, same in zip(pairs.groups["race"], pairs.a, pairs.b, pairs.same, strict=True):
        first, second = pairs.photos[a], pairs.photos[b]
        assert first.parent.parent.name == second.parent.parent.name == group
        assert (first.parent == second.parent) == same


def test_rfw_without_its_images(tmp_path: Path) -> None:
    (tmp_path / "txts" / "African").mkdir(parents=True)
    (tmp_path / "txts" / "African" / "African_pairs.txt").write_text("m0\t1\t2\n")
    with pytest.raises(DataError, match="data/GROUP"):
        read_rfw(tmp_path)


def test_xqlfw_has_the_form_of_lfw(people_folder: Path, tmp_path: Path) -> None:
    for photo in people_folder.glob("*/*.png"):
        photo.rename(photo.with_suffix(".jpg"))
    listed = tmp_path / "xqlfw_pairs.txt"
    listed.write_text("2\t1\nP_1\t1\t2\nP_1\t1\tP_2\t1\nP_3\t1\t2\nP_2\t1\tP_4\t1\n")
    pairs = read_pair_list(people_folder, listed)
    assert pairs.folds is not None
    assert pairs.folds.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("separator", [" ", "\t", ","])
@pytest.mark.parametrize("label_first", [True, False])
def test_plain_lists(people_folder: Path, tmp_path: Path, separator: str, label_first: bool) -> None:
    rows = []
    for fold in range(10):
        person, other = f"P_{fold + 1}", f"P_{fold + 2}"
        mated = (f"{person}/{person}_0001.png", f"{person}/{person}_0002.png", "1")
        for a, b, label in (mated, (f"{person}/{person}_0003.png", f"{other}/{other}_0004.png", "0")):
            rows.append(separator.join((label, a, b) if label_first else (a, b, label)))
    listed = tmp_path / "agedb_30_pair.txt"
    listed.write_text("\n".join(rows))
    pairs = read_pair_list(people_folder, listed)
    assert pairs.same.tolist() == [True, False] * 10
    assert pairs.folds is not None
    assert pairs.folds.tolist() == np.repeat(np.arange(10), 2).tolist()
    listed.write_text("\n".join([*rows, separator.join(("perhaps", "a.png", "b.png"))]))
    assert kinds(read_pair_list(people_folder, listed)) == {"malformed row": 1}


@pytest.mark.parametrize("text", ["", "only one\n", "a.jpg b.jpg\n", "name\tone\ttwo\n"])
def test_lists_that_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(DataError, match=r"LFW|empty"):
        read_pair_list(tmp_path, tmp_path / "list.txt")


# -- WebDataset -------------------------------------------------------------------------------------------------------
def tar(path: Path, members: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as shard:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            shard.addfile(info, io.BytesIO(content))
    return path


def test_shards_as_tariterators_group_them(tmp_path: Path) -> None:
    tar(
        tmp_path / "faces-00.tar",
        {
            "0001.jpg": png(1),
            "0001.cls": b"7",
            "a/0002.png": png(2),
            "a/0002.json": json.dumps({"person": "Ada"}).encode(),
        },
    )
    tar(
        tmp_path / "faces-01.tar",
        {"0003.cls": b"7\n", "0003.seg.png": png(9), "0003.jpg": png(3), "0004.jpg": png(4), "README": b"text"},
    )
    for place in (tmp_path, tmp_path / "faces-{00..01}.tar"):
        bench = open_data(place)
        assert isinstance(bench, LabelledPhotos)
        assert bench.names == ("7", "Ada")
        assert [photo.read_bytes() for photo in bench.photos] == [png(1), png(3), png(2)]
        assert kinds(bench) == {"malformed row": 1}


def test_shards_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_text("no tar file")
    with pytest.raises(DataError, match="tar"):
        read_shards(tmp_path / "x.tar")
    with pytest.raises(DataError):
        read_shards(tmp_path / "faces-{0..2}.tar")
    with pytest.raises(DataError, match="two people"):
        read_shards(tar(tmp_path / "one.tar", {"1.jpg": png(1), "1.cls": b"1"}))


# -- a table of photos ------------------------------------------------------------------------------------------------
def test_a_table_of_photos(people_folder: Path) -> None:
    table = people_folder / "photos.csv"
    table.write_text(
        "Photo;Person;country\n"
        "P_2/P_2_0001.png;Bo;FI\n"
        "P_1/P_1_0001.png;Ada;NL\n"
        "P_2/P_2_0002.png;Bo;FI\n"
        "P_1/P_1_0001.png;Bo;FI\n"  # somebody else before
        "P_1/none.png;Ada;NL\n"
        ";Ada;NL\n"
    )
    bench = open_data(table)
    assert isinstance(bench, LabelledPhotos)
    assert bench.names == ("Bo", "Ada")
    assert bench.people.tolist() == [0, 0, 1]
    assert bench.groups == {"country": ("FI", "NL")}
    assert kinds(bench) == {"contradicting labels": 1, "missing photo": 1, "malformed row": 1}
    table.write_text("photo,person\nP_1/P_1_0001.png,Ada\n")
    with pytest.raises(DataError, match="two people"):
        open_data(table)
    table.write_text("a,b,same\nP_1/P_1_0001.png,P_2/P_2_0001.png,0\n")
    assert isinstance(open_data(table), PairList)


# -- a piece of a file ------------------------------------------------------------------------------------------------
def test_a_packed_photo(tmp_path: Path) -> None:
    path = tmp_path / "many.bin"
    path.write_bytes(b"0123456789")
    photo = PackedPhoto(path, ((1, 2), (7, 3)), "image 1")
    assert photo.read_bytes() == b"12789"
    assert photo.is_file()
    path.unlink()
    assert not photo.is_file()


def test_bin_and_table_of_the_same_photos_say_the_same(tmp_path: Path) -> None:
    """People, too: photos that are one by content, and mated pairs that link."""
    images, same = bin_pairs(30)
    (tmp_path / "set.bin").write_bytes(pickle.dumps((images, same)))
    rows = ["a,b,same,fold"]
    for number, mated in enumerate(same):
        names = []
        for image in images[2 * number : 2 * number + 2]:
            name = f"{images.index(image)}.png"
            (tmp_path / name).write_bytes(image)
            names.append(name)
        rows.append(f"{names[0]},{names[1]},{int(mated)},{number // 3}")
    (tmp_path / "table.csv").write_text("\n".join(rows))
    packed, listed = read_bin(tmp_path / "set.bin"), read_pair_table(tmp_path / "table.csv")
    for name in ("a", "b", "same", "people", "folds"):
        assert getattr(packed, name).tolist() == getattr(listed, name).tolist(), name
