"""Many people and many photos at once, with a recognizer whose faces are points: what fails does not stop the rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sameface.errors import DataError, NoFaceError, PersonNotFoundError, SamefaceError, StorageFullError
from sameface.gallery import open_store
from sameface.recognizer.access import everything_about
from sameface.recognizer.bulk import AT_ONCE, enroll_each, identify_each
from sameface.recognizer.roster import Roster, as_photos, as_tags, roster_of
from sameface.recognizer.several import IdentifiedPhoto, NotEnrolled
from sameface.types import Box, PersonId
from tests.gallery.worlds import DIMENSION, SPACE, template, vectors


class Doors:
    """A gallery that notes what it is asked. A photo is a text: its words are the faces in it, ``!`` is a photo that fails."""

    def __init__(self) -> None:
        self.searches: list[list[str]] = []
        self.taken = 0
        self.recognizer = SimpleNamespace(encode_faces_of=self.encode)

    def encode(self, photos: list[str]) -> Iterator[list[str] | SamefaceError]:
        for photo in photos:
            fault = NoFaceError(expected="a photo", got=photo, advice="give another")
            yield fault if "!" in photo else photo.split()

    def identify_faces(self, faces: list[str], **_: object) -> list[str]:
        self.searches.append(faces)
        return [f"it is {face}" for face in faces]

    def enroll(self, name: str, photos: list[str], **_: object) -> str:
        if "!" in photos:
            raise NoFaceError(expected="one face", got="none", advice="give another")
        if "full" in photos:
            raise StorageFullError(expected="room", got="none", advice="make some")
        self.taken += 1
        return f"{name}: {len(photos)}"


def asked(photos: Any, doors: Doors) -> list[IdentifiedPhoto]:
    return list(identify_each(doors, photos, candidates=1, group=None, fpir=None, force=False))  # type: ignore[arg-type]


def test_each_photo_gets_its_own_answers() -> None:
    doors = Doors()
    answers = asked(["ada grace", "", "!", "mary"], doors)
    assert [item.photo for item in answers] == ["ada grace", "", "!", "mary"]
    assert [item.faces for item in answers] == [("it is ada", "it is grace"), (), (), ("it is mary",)]
    assert [item.error is None for item in answers] == [True, True, False, True]
    assert doors.searches == [["ada", "grace", "mary"]]  # all faces of these photos in one search


def test_endless_photos_are_read_a_few_at_a_time() -> None:
    read: list[int] = []

    def photos() -> Iterator[str]:
        for number in range(10**9):
            read.append(number)
            yield f"p{number}"

    doors = Doors()
    stream = identify_each(doors, photos(), candidates=1, group=None, fpir=None, force=False)  # type: ignore[arg-type]
    assert [next(stream).faces for _ in range(3)] == [("it is p0",), ("it is p1",), ("it is p2",)]
    assert len(read) == AT_ONCE
    assert len(doors.searches) == 1


def test_whoever_is_refused_does_not_stop_the_others() -> None:
    doors = Doors()
    fault = DataError(expected="photos", got="none", advice="put some there")
    roster = Roster({"Ada": ["a", "b"], "Bob": ["!"], "Eve": ["c"]}, [("Empty", fault)])
    done = list(enroll_each(doors, roster))  # type: ignore[arg-type]
    assert done[1::2] == ["Ada: 2", "Eve: 1"]
    assert [(item.name, type(item.error)) for item in done[::2]] == [("Empty", DataError), ("Bob", NoFaceError)]  # type: ignore[union-attr]
    assert [(item.accepted, item.reports) for item in done[::2]] == [(0, ()), (0, ())]


def test_a_full_disk_concerns_everybody() -> None:
    doors = Doors()
    stream = enroll_each(doors, Roster({"Ada": ["a"], "Bob": ["full"], "Eve": ["c"]}))  # type: ignore[arg-type]
    assert next(stream) == "Ada: 1"
    with pytest.raises(StorageFullError):
        next(stream)
    assert doors.taken == 1


def test_who_was_not_enrolled_travels_with_the_reason() -> None:
    sent = NotEnrolled("Bob", NoFaceError(expected="one face", got="none", advice="give another")).to_wire()
    assert (sent.name, sent.person, sent.accepted) == ("Bob", None, 0)
    assert sent.error is not None
    assert sent.error.type == "urn:sameface:no-face"


def picture(path: Path, colour: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (colour, 0, 0)).save(path)
    return path


def test_a_roster_of_a_folder(tmp_path: Path) -> None:
    photos = [picture(tmp_path / "Ada" / f"{number}.png", number) for number in (1, 2, 10)]
    picture(tmp_path / "Grace" / "1.jpg", 50)
    picture(tmp_path / "Deep" / "2020" / "1.png", 60)
    (tmp_path / "Empty").mkdir()
    picture(tmp_path / ".hidden" / "1.png", 70)
    roster = roster_of(tmp_path)
    assert roster.people.keys() == {"Ada", "Grace"}
    assert [Path(str(photo)) for photo in roster.people["Ada"]] == photos
    assert [name for name, _ in roster.refused] == ["Deep"]
    assert "folders inside" in str(roster.refused[0][1])
    assert any("Empty" in line for line in roster.passed_over)
    assert not any("hidden" in name for name in roster.people)


def test_what_is_lost_in_a_tree_is_its_persons(tmp_path: Path) -> None:
    picture(tmp_path / "Bea" / "1.png", 1)
    (tmp_path / "Bea" / "notes.txt").write_text("x")
    (tmp_path / "Bea" / "2.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "Cy").mkdir()
    (tmp_path / "Cy" / "1.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "Cy" / "2.jpg").symlink_to(tmp_path / "nowhere")
    roster = roster_of(tmp_path)
    assert {name: [Path(str(photo)).name for photo in photos] for name, photos in roster.people.items()} == {
        "Bea": ["1.png", "2.jpg"]  # its report says that it cannot be read
    }
    assert [name for name, _ in roster.refused] == ["Cy"]  # once, and no person "1.jpg"
    assert "1.jpg" in str(roster.refused[0][1])
    assert [line for line in roster.passed_over if "Cy" in line] == []
    assert any("notes.txt: not a photo" in line for line in roster.passed_over)


@pytest.mark.parametrize("people", [["a.jpg"], 7, None, {"a.jpg"}])
def test_what_is_no_roster(people: object) -> None:
    with pytest.raises(DataError, match="by name"):
        roster_of(people)  # type: ignore[arg-type]


def test_a_photo_alone_is_nobodys_folder(tmp_path: Path) -> None:
    photo = picture(tmp_path / "ada.png", 1)
    with pytest.raises(DataError, match="NAME PHOTO"):
        roster_of(photo)
    with pytest.raises(DataError):
        roster_of(tmp_path / "nowhere")
    with pytest.raises(DataError, match="folder"):
        roster_of(tmp_path)  # a photo, but nobody's


def test_one_photo_or_several() -> None:
    array = np.zeros((4, 4, 3), np.uint8)
    assert as_photos(array)[0] is array
    assert as_photos(b"jpeg") == [b"jpeg"]
    assert as_photos(Path("a.jpg")) == [Path("a.jpg")]
    assert len(as_photos([array, array])) == 2
    assert as_photos(iter(["a.jpg"])) == ["a.jpg"]
    assert as_photos([]) == []
    assert as_tags("staff") == ("staff",)
    assert as_tags(("a", "b")) == ("a", "b")


def test_everything_that_is_kept_of_one_person(tmp_path: Path) -> None:
    faces = vectors(3)
    with open_store(tmp_path / "people.db", space=SPACE, dimension=DIMENSION) as store:
        ada = store.add(
            "Ada",
            [
                template(faces[0], source="a.jpg", source_sha256="ab" * 32, box=Box(1.2345, 2, 3, 4), quality=0.5),
                template(faces[1]),
            ],
            details={"role": "analyst"},
            groups=["staff"],
        )
        store.add("Grace", [template(faces[2])])
        kept = everything_about(store, "Ada", embeddings=True)
        assert (kept.person, kept.space, kept.dimension) == (store.person("Ada"), SPACE, DIMENSION)
        assert [(photo.source, photo.sha256, photo.quality) for photo in kept.photos] == [
            ("a.jpg", "ab" * 32, 0.5),
            ("", "", None),
        ]
        assert kept.photos[0].box == Box(1.23, 2, 3, 4)
        for photo, face in zip(kept.photos, faces, strict=False):
            np.testing.assert_array_equal(np.float32(photo.embedding), face)
        # the oldest first, and that it was shown is the last line of what is shown; nothing of Grace
        assert kept.audit[0].action == "add"
        assert len(kept.audit) == 2
        assert kept.audit[-1].at >= kept.audit[0].at
        again = everything_about(store, PersonId(ada.person_id), embeddings=False)
        assert [photo.embedding for photo in again.photos] == [None, None]
        assert len(again.audit) == 3
        with pytest.raises(PersonNotFoundError):
            everything_about(store, "Mary", embeddings=False)
        assert store.stats().people == 2
