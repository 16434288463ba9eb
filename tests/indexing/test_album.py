"""An album from run to run: what is settled stays, what is new joins, what is gone is dropped."""

from __future__ import annotations

import csv
import json
import re
import stat
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sameface.cli.app import app
from sameface.errors import (
    DataError,
    GalleryMismatchError,
    NotAnImageError,
    PersonExistsError,
    PersonNotFoundError,
)
from sameface.indexing import album_file
from sameface.indexing.album import Album
from sameface.indexing.album_changes import Applied, apply_changes, load_changes
from sameface.indexing.album_file import NowAndThen, load_album, save_album
from sameface.indexing.album_photos import photos_under, refresh
from sameface.indexing.contact_sheet import contact_sheet
from sameface.recognizer.domain import Judgement
from sameface.types import Box, EmbeddingSpace

SPACE = EmbeddingSpace("e", "d", "a")
BOX = Box(10, 10, 30, 30)


class Photos:
    """A folder of files whose "faces" are points on a line, written in the files themselves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.encoded: list[str] = []

    def put(self, name: str, *faces: float | tuple[float, str]) -> None:
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_text(json.dumps(faces))

    def encode(self, path: Path):
        self.encoded.append(path.name)
        text = path.read_text(encoding="utf-8")
        if text == "broken":
            raise NotAnImageError(expected="a picture", got="text", advice="look at it")
        faces = [item if isinstance(item, list) else [item, "usual"] for item in json.loads(text)]
        return [
            (BOX, np.array([value, 0], dtype=np.float32), Judgement(standing, "" if standing == "usual" else "fog"))
            for value, standing in faces
        ]

    def run(self, album: Album) -> dict[int, list[str]]:
        refresh(album, self.folder, self.encode)
        album.regroup(0.5)
        return {number: [face.photo for face in faces] for number, faces in album.groups().items()}


@pytest.fixture
def folder(tmp_path):
    made = Photos(tmp_path / "photos")
    made.folder.mkdir()
    return made


def test_groups_keep_numbers_names_and_known_photos(folder):
    folder.put("a1.jpg", 0.0)
    folder.put("a2.jpg", 0.1)
    folder.put("b1.jpg", 5.0)
    album = Album(SPACE)
    assert folder.run(album) == {1: ["a1.jpg", "a2.jpg"], 2: ["b1.jpg"]}
    album.name("1", "Ada")
    folder.put("0.jpg", 5.1, 0.05, 9.0)  # sorts before all others
    folder.encoded.clear()
    assert folder.run(album) == {1: ["a1.jpg", "a2.jpg", "0.jpg"], 2: ["b1.jpg", "0.jpg"], 3: ["0.jpg"]}
    assert folder.encoded == ["0.jpg"]
    assert album.names == {1: "Ada"}


def test_changed_and_deleted_photos(folder):
    folder.put("a.jpg", 0.0)
    folder.put("b.jpg", 5.0)
    album = Album(SPACE)
    folder.run(album)
    album.name("2", "Bea")
    (folder.folder / "b.jpg").unlink()
    folder.put("a.jpg", 7.0, 8.0)
    assert refresh(album, folder.folder, folder.encode) == (1, 1)
    album.regroup(0.5)
    assert [face.photo for face in album.faces] == ["a.jpg", "a.jpg"]
    assert album.names == {}
    assert len({face.face_id for face in album.faces}) == 2
    assert min(face.face_id for face in album.faces) == 3  # numbers are never reused


def test_a_photo_that_cannot_be_read_is_noted_and_tried_again_when_it_changes(folder):
    (folder.folder / "a.jpg").write_text("broken")
    album = Album(SPACE)
    folder.run(album)
    assert "expected a picture" in album.photos["a.jpg"].problem
    folder.encoded.clear()
    folder.run(album)
    assert folder.encoded == []
    folder.put("a.jpg", 1.0)
    folder.run(album)
    assert album.photos["a.jpg"].problem == ""
    assert len(album.faces) == 1


def test_merge_outlasts_the_next_run(folder):
    folder.put("a.jpg", 0.0)
    folder.put("b.jpg", 5.0)
    folder.put("c.jpg", 9.0)
    album = Album(SPACE)
    folder.run(album)
    album.name("2", "Ada")
    assert album.merge("1", ["Ada"]) == 1
    assert album.names == {1: "Ada"}
    folder.put("d.jpg", 7.0)  # 7 and 2 away from Ada's faces: a mean of 4.5
    assert folder.run(album) == {1: ["a.jpg", "b.jpg"], 3: ["c.jpg"], 4: ["d.jpg"]}


def test_split_outlasts_the_next_run(folder):
    for index in range(4):
        folder.put(f"{index}.jpg", index / 100)
    album = Album(SPACE)
    folder.run(album)
    assert album.split("1", [3, 4]) == 2
    assert folder.run(album) == {1: ["0.jpg", "1.jpg"], 2: ["2.jpg", "3.jpg"]}
    folder.put("4.jpg", 0.03)  # nearer to the second group
    assert folder.run(album)[2] == ["2.jpg", "3.jpg", "4.jpg"]
    for faces in ([], [1, 2], [3], [99]):
        with pytest.raises(DataError):
            album.split("1", faces)


def test_names_are_unique_and_groups_must_exist(folder):
    folder.put("a.jpg", 0.0)
    folder.put("b.jpg", 5.0)
    album = Album(SPACE)
    folder.run(album)
    album.name("1", "Ada")
    album.name("Ada", "Ada Lovelace")
    assert album.names == {1: "Ada Lovelace"}
    with pytest.raises(PersonExistsError):
        album.name("2", "Ada Lovelace")
    for unknown in ("Ada", "3", "-1", ""):
        with pytest.raises(PersonNotFoundError):
            album.group_of(unknown)


def test_kept_in_one_file_for_its_owner_only(folder, tmp_path):
    folder.put("a.jpg", 0.0)
    album = Album(SPACE)
    folder.run(album)
    album.name("1", "Ada")
    place = tmp_path / "album.json"
    save_album(album, place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    again = load_album(place, SPACE)
    assert again is not None
    assert again == album
    assert load_album(tmp_path / "none.json") is None
    with pytest.raises(GalleryMismatchError):
        load_album(place, EmbeddingSpace("other", "d", "a"))


@pytest.mark.parametrize(
    "content",
    ["", "{", "{}", "[]", '{"space": {"encoder": "e", "detector": "d", "alignment": "a"}, "format": "other 1"}'],
)
def test_a_damaged_album_is_an_error(tmp_path, content):
    (tmp_path / "album.json").write_text(content)
    with pytest.raises(DataError):
        load_album(tmp_path / "album.json")


def test_only_photos_that_are_not_hidden(tmp_path):
    for name in ("b.JPG", "sub/a.png", ".hidden.jpg", ".trash/c.jpg", "notes.txt", ".sameface-album.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert list(photos_under(tmp_path)) == ["b.JPG", "sub/a.png"]
    with pytest.raises(DataError):
        photos_under(tmp_path / "nowhere")


def test_what_cannot_be_listed_is_not_gone(folder, monkeypatch):
    folder.put("a/1.jpg", 0.0)
    folder.put("b/2.jpg", 5.0)
    album = Album(SPACE)
    before = folder.run(album)
    listed = Path.iterdir

    def denied(path):
        if path.name == "b":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    skipped = []
    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", denied)
        assert refresh(album, folder.folder, folder.encode, skipped=skipped.append) == (0, 0)
    assert [(item.path.name, item.folder) for item in skipped] == [("b", True)]
    assert folder.run(album) == before
    folder.folder.rename(folder.folder.with_name("away"))  # as a disk that is not mounted
    folder.folder.mkdir()
    with pytest.raises(DataError, match="mounted"):
        folder.run(album)
    assert len(album.faces) == 2


def test_a_stop_within_a_photo_leaves_none_of_it(folder):
    """Else its faces would be there twice after the next run."""
    folder.put("a.jpg", 0.0)
    album = Album(SPACE)

    def stopped(path):
        yield from folder.encode(path)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refresh(album, folder.folder, stopped)
    assert album.faces == []
    assert folder.run(album) == {1: ["a.jpg"]}


def test_an_album_is_saved_while_it_grows_and_a_kill_costs_the_last_seconds(folder, tmp_path):
    for number in range(40):
        folder.put(f"{number}.jpg", float(number))
    album, place, seconds, saved = Album(SPACE), tmp_path / "album.json", [0.0], []
    keep = NowAndThen(album, place, lambda: seconds[0])

    def photo_done():
        seconds[0] += 0.25  # a photo takes so long
        keep()
        kept = load_album(place) if place.exists() else None
        saved.append(len(kept.photos) if kept is not None else 0)
        assert len(album.photos) - saved[-1] < 4

    assert refresh(album, folder.folder, folder.encode, keep=photo_done) == (40, 0)
    assert saved[:5] == [0, 0, 0, 4, 4]
    again = load_album(place)  # as after a kill
    assert refresh(again, folder.folder, folder.encode)[0] == 40 - saved[-1]
    assert folder.run(again) == folder.run(album)


def test_saving_a_large_album_takes_a_small_share_of_the_time(tmp_path, monkeypatch):
    seconds, saved = [0.0], []

    def save(album, path):
        seconds[0] += 2.0
        saved.append(seconds[0])

    monkeypatch.setattr(album_file, "save_album", save)
    keep = NowAndThen(Album(SPACE), tmp_path / "album.json", lambda: seconds[0])
    while seconds[0] < 1000.0:
        seconds[0] += 0.5
        keep()
    assert 20 < len(saved) <= 25


def test_a_stopped_command_keeps_what_it_encoded(photos, tmp_path, monkeypatch):
    from sameface.recognizer import Recognizer

    encode, done = Recognizer.encode_faces, []

    def stopped(self, image):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(image)
        return encode(self, image)

    place = tmp_path / "album.json"
    with monkeypatch.context() as patch:
        patch.setattr(Recognizer, "encode_faces", stopped)
        assert CliRunner().invoke(app, ["cluster", str(photos), "--album", str(place)]).exit_code == 130
    kept = load_album(place)
    assert kept is not None
    assert len(kept.photos) == 2
    assert all(face.group > 0 for face in kept.faces)
    again = CliRunner().invoke(app, ["cluster", str(photos), "--album", str(place)])
    assert "4 photos encoded, 2 known already" in again.stderr


def test_two_faces_of_one_photo_never_join_by_themselves(folder):
    folder.put("a.jpg", 0.0)
    folder.put("both.jpg", 0.1, 0.2)
    album = Album(SPACE)
    assert folder.run(album) == {1: ["a.jpg", "both.jpg"], 2: ["both.jpg"]}
    album.name("1", "Ada")
    folder.put("c.jpg", 0.05)
    folder.put("d.jpg", 0.06, 0.07)  # of two, one at most is Ada
    assert folder.run(album) == {1: ["a.jpg", "both.jpg", "c.jpg", "d.jpg"], 2: ["both.jpg", "d.jpg"]}
    album.merge("1", ["2"])  # a collage: somebody says so
    assert folder.run(album) == {1: ["a.jpg", "both.jpg", "both.jpg", "c.jpg", "d.jpg", "d.jpg"]}


def test_what_was_decided_on_a_sheet_is_done(folder, tmp_path):
    for name, face in (("a1", 0.0), ("a2", 0.1), ("b", 3.0), ("a3", 6.0), ("odd", 0.05)):
        folder.put(f"{name}.jpg", face)
    album = Album(SPACE)
    folder.run(album)
    by = {face.photo: face.face_id for face in album.faces}
    faces = tuple(by[f"{name}.jpg"] for name in ("a1", "a2"))
    place = tmp_path / "album-changes.json"
    decided = {
        "format": "sameface album changes 1",
        "apart": [[by["odd.jpg"]], [999]],
        "named": [
            {"name": "3", "faces": faces},  # a name that looks like a group's number
            {"name": "Bea", "faces": [by["b.jpg"]]},
            {"name": "3", "faces": [by["a3.jpg"]]},  # the same name: the same person
            {"name": " ", "faces": [by["b.jpg"]]},
        ],
    }
    place.write_text(json.dumps(decided))
    assert apply_changes(album, load_changes(place)) == Applied(named=3, apart=1, gone=1)
    found = {album.names.get(number): sorted(face.photo for face in faces) for number, faces in album.groups().items()}
    assert found == {"3": ["a1.jpg", "a2.jpg", "a3.jpg"], "Bea": ["b.jpg"], None: ["odd.jpg"]}
    before = album.groups()
    folder.run(album)
    assert album.groups() == before  # settled
    assert apply_changes(album, load_changes(place)) == Applied(named=3, apart=0, gone=1)  # twice is once
    assert album.groups() == before
    for text in ("{}x", json.dumps({**decided, "format": "sameface album changes 9"}), '{"named": 3}'):
        place.write_text(text)
        with pytest.raises(DataError):
            load_changes(place)
    with pytest.raises(DataError):
        load_changes(tmp_path / "nothing.json")


def test_the_sheet_needs_nothing_else_and_trusts_no_name(folder):
    folder.put('"><script>x.jpg', 0.0)
    folder.put("b.jpg", 0.1)
    folder.put("c.jpg", 5.0)
    album = Album(SPACE)
    folder.run(album)
    album.name("1", "<b>Ada & Co</b>")
    page = contact_sheet(album, folder.folder, lambda path: np.zeros((40, 40, 3), np.uint8))
    assert page.count("<script") == 1  # its own
    assert "<b>" not in page
    assert "&lt;b&gt;Ada &amp; Co&lt;/b&gt;" in page
    assert page.count("data:image/jpeg;base64,") == 3
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page)
    assert "1 smaller groups" in contact_sheet(
        album, folder.folder, lambda path: np.zeros((40, 40, 3), np.uint8), smallest_group=2
    )


# -- the command ------------------------------------------------------------------------------------------------------
def sameface(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


def test_command_on_photos(tmp_path, photos):
    place = tmp_path / "photos"
    place.mkdir()
    for name in ("obama.jpg", "obama2.jpg", "grace_hopper.jpg"):
        (place / name).write_bytes((photos / name).read_bytes())
    (place / "broken.jpg").write_bytes(b"no picture")
    first = sameface("cluster", place, "--json", "--html", tmp_path / "sheet.html", "--csv", tmp_path / "faces.csv")
    assert first.exit_code == 0
    document = json.loads(first.stdout)
    assert [[face["photo"] for face in group["faces"]] for group in document["groups"]] == [
        ["obama.jpg", "obama2.jpg"],
        ["grace_hopper.jpg"],
    ]
    assert list(document["problems"]) == ["broken.jpg"]
    assert "embedding" not in first.stdout
    with (tmp_path / "faces.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 3
    assert (tmp_path / "sheet.html").read_text().count("data:image/jpeg") == 3

    number = document["groups"][0]["group"]
    assert sameface("cluster", place, "name", number, "Barack Obama").exit_code == 0
    (place / "new.jpg").write_bytes((photos / "obama3.jpg").read_bytes())
    again = sameface("cluster", place, "--json")
    assert "1 photo encoded, 4 known already" in again.stderr
    assert [(group["name"], len(group["faces"])) for group in json.loads(again.stdout)["groups"]] == [
        ("Barack Obama", 3),
        (None, 1),
    ]
    merged = sameface("cluster", place, "merge", "Barack Obama", json.loads(again.stdout)["groups"][1]["group"])
    assert "4 faces now" in merged.stdout
    face = json.loads(again.stdout)["groups"][1]["faces"][0]["face"]
    assert "new group" in sameface("cluster", place, "split", "Barack Obama", face).stdout
    assert "Barack Obama" in sameface("cluster", place).stdout


def test_command_without_an_album(tmp_path):
    with pytest.raises(DataError, match="Make it first"):
        sameface("cluster", tmp_path, "name", "1", "Ada")


def test_a_face_that_is_not_comparable_joins_nobody_unless_somebody_says_so(folder):
    folder.put("a1.jpg", 0.0)
    folder.put("a2.jpg", 0.1)
    folder.put("fog1.jpg", (0.05, "outside"))
    folder.put("fog2.jpg", (0.05, "outside"))
    album = Album(SPACE)
    apart = {1: ["a1.jpg", "a2.jpg"], 2: ["fog1.jpg"], 3: ["fog2.jpg"]}
    assert folder.run(album) == apart
    assert folder.run(album) == apart  # numbers stay
    album.name("1", "Ada")
    assert folder.run(album) == apart  # nor does a settled group take it in
    album.merge("1", ["2"])
    assert folder.run(album) == {1: ["a1.jpg", "a2.jpg", "fog1.jpg"], 3: ["fog2.jpg"]}
    album.regroup(0.5, force=True)
    assert {face.photo: face.group for face in album.faces} == dict.fromkeys(
        ("a1.jpg", "a2.jpg", "fog1.jpg", "fog2.jpg"), 1
    )


def test_faces_that_were_joined_by_force_part_again(folder):
    folder.put("a.jpg", 0.0)
    folder.put("fog.jpg", (0.1, "outside"))
    album = Album(SPACE)
    refresh(album, folder.folder, folder.encode)
    album.regroup(0.5, force=True)
    assert {face.group for face in album.faces} == {1}
    album.regroup(0.5)
    assert sorted(face.group for face in album.faces) == [1, 2]
    assert [face.reason for face in album.faces] == ["", "fog"]


def test_poor_faces_join_under_their_stricter_threshold(folder):
    folder.put("a.jpg", 0.0)
    folder.put("poor.jpg", (0.3, "poor"))
    album = Album(SPACE)
    refresh(album, folder.folder, folder.encode)
    album.regroup(0.5)
    assert len(album.groups()) == 1
    album.regroup(0.5, poor=0.31)
    assert len(album.groups()) == 1
    album.regroup(0.5, poor=0.29)
    assert len(album.groups()) == 2
    album.name("1", "Ada")
    album.regroup(0.5, poor=0.29)
    assert len(album.groups()) == 2  # nor do settled groups take it in
    album.regroup(0.5, poor=0.31)
    assert len(album.groups()) == 1


def test_what_speaks_against_a_face_is_kept_and_shown(folder, tmp_path):
    folder.put("fog.jpg", (0.0, "outside"))
    album = Album(SPACE)
    folder.run(album)
    save_album(album, tmp_path / "album.json")
    again = load_album(tmp_path / "album.json")
    assert again is not None
    assert [(face.standing, face.reason) for face in again.faces] == [("outside", "fog")]
    page = contact_sheet(again, folder.folder, lambda path: np.zeros((40, 40, 3), np.uint8))
    assert "not comparable: any answer is a guess: fog" in page


def test_an_album_of_format_1_opens_and_its_faces_are_unknown(tmp_path):
    old = Path(__file__).parent / "golden" / "album-1.json"
    album = load_album(old, SPACE)
    assert album is not None
    assert [(face.face_id, face.group, face.settled, face.standing) for face in album.faces] == [
        (1, 1, True, "unknown"),
        (2, 2, False, "unknown"),
    ]
    assert album.embeddings(album.faces).tolist() == [[0.0, 0.0], [5.0, 0.0]]
    save_album(album, tmp_path / "new.json")
    assert json.loads((tmp_path / "new.json").read_bytes())["format"] == "sameface album 2"
