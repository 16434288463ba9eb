"""Stored encodings of face_recognition become a gallery that names the same people."""

from __future__ import annotations

import csv
import json
import pickle
import shlex
import subprocess
import sys

import numpy as np
import pytest

from sameface.compat import face_recognition
from sameface.compat.stored_encodings import import_encodings, read_encodings
from sameface.errors import DataError, EmbeddingError, GalleryMismatchError
from sameface.recognizer import Gallery, Recognizer

RNG = np.random.default_rng(5)
ADA, GRACE = RNG.normal(0, 0.1, (2, 128)), RNG.normal(0, 0.1, (1, 128))


def write_json_by_name(path):
    path.write_text(json.dumps({"Ada": ADA.tolist(), "Grace": GRACE[0].tolist()}))


def write_json_lists(path):
    path.write_text(
        json.dumps(
            {"names": ["Ada", "Grace", "Ada"], "encodings": [ADA[0].tolist(), GRACE[0].tolist(), ADA[1].tolist()]}
        )
    )


def write_json_records(path):
    path.write_text(
        json.dumps(
            [
                {"name": name, "encoding": list(row)}
                for name, row in (("Ada", ADA[0]), ("Ada", ADA[1]), ("Grace", GRACE[0]))
            ]
        )
    )


def write_json_pairs(path):
    path.write_text(json.dumps([("Ada", ADA.tolist()), ("Grace", GRACE[0].tolist())]))


def write_json_two_lists(path):
    path.write_text(json.dumps([np.concatenate([ADA, GRACE]).tolist(), ["Ada", "Ada", "Grace"]]))


def write_npz_lists(path):
    np.savez(path, names=["Ada", "Ada", "Grace"], encodings=np.concatenate([ADA, GRACE]))


def write_npz_by_name(path):
    np.savez(path, Ada=ADA, Grace=GRACE[0])


def write_csv(path):
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["name", *(f"e{index}" for index in range(128))])
        rows.writerows([["Ada", *ADA[0]], ["Ada", *ADA[1]], ["Grace", *GRACE[0]]])


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.json", write_json_by_name),
        ("b.json", write_json_lists),
        ("c.json", write_json_records),
        ("d.npz", write_npz_lists),
        ("e.npz", write_npz_by_name),
        ("f.csv", write_csv),
        ("g.json", write_json_pairs),
        ("h.json", write_json_two_lists),
    ],
)
def test_every_form_reads_the_same(tmp_path, name, write):
    write(tmp_path / name)
    found = read_encodings(tmp_path / name)
    assert list(found) == ["Ada", "Grace"]
    np.testing.assert_allclose(found["Ada"], ADA, rtol=1e-6)
    np.testing.assert_allclose(found["Grace"], GRACE, rtol=1e-6)


def test_npy_takes_its_names_beside_it(tmp_path):
    np.save(tmp_path / "a.npy", np.concatenate([ADA, GRACE]))
    assert {name: len(rows) for name, rows in read_encodings(tmp_path / "a.npy", ["Ada", "Ada", "Grace"]).items()} == {
        "Ada": 2,
        "Grace": 1,
    }
    with pytest.raises(DataError, match="names"):
        read_encodings(tmp_path / "a.npy")
    with pytest.raises(DataError):
        read_encodings(tmp_path / "a.npy", ["Ada"])


@pytest.mark.parametrize(
    "stored",
    [
        {"names": ["Ada", "Ada", "Grace"], "encodings": [*ADA, *GRACE]},
        {"encodings": list(np.concatenate([ADA, GRACE])), "names": np.array(["Ada", "Ada", "Grace"]), "more": 1},
        {"Ada": list(ADA), "Grace": GRACE[0]},
        {"Ada": ADA, "Grace": GRACE},
        [("Ada", ADA[0]), ("Ada", ADA[1]), ("Grace", GRACE[0])],
        ([*ADA, *GRACE], ["Ada", "Ada", "Grace"]),
        [["Ada", "Ada", "Grace"], np.concatenate([ADA, GRACE])],
    ],
)
def test_the_advised_line_fits_what_people_pickle(tmp_path, stored):
    (tmp_path / "encodings.pickle").write_bytes(pickle.dumps(stored))
    with pytest.raises(DataError) as told:
        read_encodings(tmp_path / "encodings.pickle")
    command = shlex.split(told.value.advice.partition("trust it: ")[2])
    subprocess.run([sys.executable, *command[1:]], cwd=tmp_path, check=True)
    found = read_encodings(tmp_path / "encodings.json")
    assert {name: len(rows) for name, rows in found.items()} == {"Ada": 2, "Grace": 1}
    np.testing.assert_allclose(found["Ada"], ADA, rtol=1e-6)


def test_uneven_lists_and_missing_files_are_said_in_words(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"names": ["Ada", "Ada", "Eve"], "encodings": ADA.tolist()}))
    with pytest.raises(DataError, match="3 names and 2 encodings"):
        read_encodings(tmp_path / "a.json")
    np.save(tmp_path / "a.npy", ADA)
    with pytest.raises(DataError, match="1 name and 2 encodings"):
        read_encodings(tmp_path / "a.npy", ["Ada"])
    np.savez(tmp_path / "a.npz", names=["Ada"], encodings=ADA)
    with pytest.raises(DataError, match="1 name and 2 encodings"):
        read_encodings(tmp_path / "a.npz")
    with pytest.raises(DataError, match="got nothing there") as told:
        read_encodings(tmp_path / "nowhere.json")
    assert "Errno" not in str(told.value)


def test_an_import_again_doubles_nothing(tmp_path):
    with Gallery(tmp_path / "people.db", recognizer=Recognizer(encoder="dlib-resnet")) as people:
        [ada] = import_encodings(people, {"Ada": ADA})
        assert [report.reason for report in ada.reports] == ["accepted", "accepted"]
        new = np.concatenate([ADA, GRACE, GRACE])
        [ada] = import_encodings(people, {"Ada": new})
        assert [report.reason for report in ada.reports] == ["duplicate", "duplicate", "accepted", "duplicate"]
        assert (ada.person.photos, people.store.count()) == (3, 3)
        import_encodings(people, {"Eve": ADA})  # of somebody else it is another
        assert people.store.count() == 5


class Dangerous:
    def __reduce__(self):
        return (pytest.fail, ("something was unpickled",))


def test_nothing_is_unpickled(tmp_path):
    (tmp_path / "a.pickle").write_bytes(pickle.dumps(Dangerous()))
    with pytest.raises(DataError, match=r"(?i)convert it in the environment that made it"):
        read_encodings(tmp_path / "a.pickle")
    np.savez(tmp_path / "b.npz", Ada=np.array([Dangerous()], dtype=object))
    with pytest.raises(DataError):
        read_encodings(tmp_path / "b.npz")
    np.save(tmp_path / "c.npy", np.array([Dangerous()], dtype=object), allow_pickle=True)
    with pytest.raises(DataError):
        read_encodings(tmp_path / "c.npy", ["Ada"])


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "{}",
        "[]",
        '{"Ada": [1, 2]}',
        '{"Ada": "text"}',
        '[{"who": "Ada"}]',
        '{"names": ["Ada"], "encodings": []}',
        "3",
    ],
)
def test_broken_json(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DataError):
        read_encodings(tmp_path / "a.json")


def test_other_broken_files(tmp_path):
    for name, content in {
        "a.csv": "Ada,1,2\n",
        "b.csv": "Ada," + ",".join(["nan"] * 128),
        "c.npz": "text",
        "d.txt": "Ada",
    }.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(DataError):
            read_encodings(tmp_path / name)
    with pytest.raises(DataError):
        read_encodings(tmp_path / "nowhere.json")


def test_stored_encodings_name_people_in_new_photos(tmp_path, photos):
    stored = {}
    for name, photo in {"Barack Obama": "obama.jpg", "Grace Hopper": "grace_hopper.jpg"}.items():
        stored[name] = face_recognition.face_encodings(face_recognition.load_image_file(photos / photo))[0]
    with Gallery(tmp_path / "people.db", recognizer=Recognizer(encoder="dlib-resnet", operating_point=0.6)) as people:
        import_encodings(people, stored)
        assert [answer.name for answer in people.identify(photos / "obama2.jpg")] == ["Barack Obama"]
        assert [answer.name for answer in people.identify(photos / "biden.jpg")] == [None]
        with pytest.raises(EmbeddingError):
            import_encodings(people, {"Ada": np.zeros(64)})


def test_only_into_a_gallery_of_the_same_space(tmp_path):
    with (
        Gallery(tmp_path / "people.db", recognizer=Recognizer(encoder="dlib-resnet-mirror-unit")) as people,
        pytest.raises(GalleryMismatchError, match="dlib-resnet"),
    ):
        import_encodings(people, {"Ada": ADA})
