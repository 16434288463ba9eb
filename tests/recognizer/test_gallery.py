"""The gallery use case on the shipped photos, against a plain loop over a dictionary of embeddings."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from sameface import Gallery, PersonId, Recognizer, nearest
from sameface.errors import (
    EnrollmentRefusedError,
    GalleryMismatchError,
    GalleryMissingError,
    NoFaceError,
    PersonNotFoundError,
    SeveralFacesError,
)

PORTRAITS = {"Barack Obama": "obama.jpg", "Eileen Collins": "astronaut.png", "Grace Hopper": "grace_hopper.jpg"}
PROBES = ["obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png", "grace_hopper.jpg"]


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer()


@pytest.fixture(scope="module")
def enrolled(recognizer: Recognizer, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a gallery of three, closed."""
    folder = tmp_path_factory.mktemp("enrolled")
    with Gallery(folder / "people.db", recognizer=recognizer) as gallery:
        for name, photo in PORTRAITS.items():
            gallery.enroll(name, photos / photo)
    return folder


@pytest.fixture
def people(recognizer: Recognizer, enrolled: Path, tmp_path: Path) -> Iterator[Gallery]:
    """A copy of it of one's own."""
    shutil.copytree(enrolled, tmp_path, dirs_exist_ok=True)
    with Gallery(tmp_path / "people.db", recognizer=recognizer) as gallery:
        yield gallery


def test_identify_is_the_textbook_loop(people: Gallery, recognizer: Recognizer, photos: Path) -> None:
    database = {name: recognizer.encode_photo(photos / file).embedding for name, file in PORTRAITS.items()}
    for probe in PROBES:
        [answer] = people.identify(photos / probe, candidates=3)
        name, distance = nearest(recognizer.encode_photo(photos / probe).embedding, database)
        assert answer.candidates[0].name == name
        assert answer.distance == pytest.approx(distance, abs=1e-6)
        assert answer.threshold is not None
        assert (answer.name is not None) == (answer.distance < answer.threshold)


def test_who_is_not_enrolled_is_nobody(people: Gallery, photos: Path) -> None:
    assert [answer.name for answer in people.identify(photos / "biden.jpg")] == [None]


def test_order_of_enrolment_changes_no_answer(
    people: Gallery, recognizer: Recognizer, photos: Path, tmp_path: Path
) -> None:
    with Gallery(tmp_path / "other.db", recognizer=recognizer) as other:
        for name, photo in reversed(PORTRAITS.items()):
            other.enroll(name, photos / photo)
        for probe in PROBES:
            [a], [b] = people.identify(photos / probe), other.identify(photos / probe)
            assert (a.name, a.distance, a.threshold) == (b.name, b.distance, b.threshold)


def test_forgotten_is_never_named_again(people: Gallery, photos: Path) -> None:
    erased = people.forget("Barack Obama")
    assert erased.templates == 1
    assert "Barack Obama" not in people
    [answer] = people.identify(photos / "obama.jpg", candidates=10)
    assert answer.name is None
    assert "Barack Obama" not in [candidate.name for candidate in answer.candidates]
    with pytest.raises(PersonNotFoundError):
        people.verify("Barack Obama", photos / "obama.jpg")


def test_several_photos_answer_by_the_nearest(people: Gallery, photos: Path) -> None:
    alone = people.verify("Barack Obama", photos / "obama3.jpg").distance
    done = people.enroll("Barack Obama", [photos / "obama2.jpg"])
    assert (done.accepted, done.person.photos) == (1, 2)
    assert people.verify("Barack Obama", photos / "obama3.jpg").distance <= alone


def test_the_same_photo_twice_is_a_duplicate(people: Gallery, photos: Path) -> None:
    done = people.enroll("Barack Obama", photos / "obama.jpg")
    assert [report.reason for report in done.reports] == ["duplicate"]
    assert done.person.photos == 1


def test_enrolling_again_ends_as_it_did_whatever_lies_beside_the_photo(
    people: Gallery, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.jpg").write_text("no photo")
    both = [photos / "obama.jpg", tmp_path / "text.jpg"]
    done = people.enroll("Barack Obama", both)
    assert (done.accepted, [report.reason for report in done.reports]) == (0, ["duplicate", "unreadable"])
    assert done.person.photos == 1
    done = people.enroll("Barack Obama", [photos / "obama.jpg", photos / "grace_hopper.jpg"])
    assert [report.reason for report in done.reports] == ["duplicate", "looks like somebody else"]
    with pytest.raises(EnrollmentRefusedError):
        people.enroll("Barack Obama", [photos / "grace_hopper.jpg", tmp_path / "text.jpg"])


def test_somebody_elses_photo_is_refused(people: Gallery, photos: Path) -> None:
    with pytest.raises(EnrollmentRefusedError, match="Barack Obama"):
        people.enroll("Joe Biden", photos / "obama2.jpg")
    assert "Joe Biden" not in people
    assert people.enroll("Joe Biden", photos / "obama2.jpg", review="off").accepted == 1


def test_a_report_per_photo(people: Gallery, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no photo")
    Image.fromarray(np.full((200, 200, 3), 90, np.uint8)).save(tmp_path / "wall.png")
    done = people.enroll("Joe Biden", [photos / "biden.jpg", tmp_path / "text.jpg", tmp_path / "wall.png"])
    assert [report.reason for report in done.reports] == ["accepted", "unreadable", "no face"]
    assert done.person.photos == 1


def test_one_photo_raises_what_is_wrong_with_it(people: Gallery, photos: Path) -> None:
    wall = np.full((200, 200, 3), 90, np.uint8)
    with pytest.raises(NoFaceError):
        people.enroll("Wall", wall)
    obama = np.asarray(Image.open(photos / "obama.jpg").convert("RGB").resize((400, 500)))
    with pytest.raises(SeveralFacesError):
        people.enroll("Two", np.concatenate([obama, obama], axis=1))
    assert len(people) == 3


def test_every_kind_of_source(recognizer: Recognizer, photos: Path) -> None:
    path = photos / "grace_hopper.jpg"
    with Image.open(path) as opened, path.open("rb") as file:
        sources = [path, str(path), path.read_bytes(), file, opened, np.asarray(opened.convert("RGB"))]
        embeddings = [recognizer.encode_photo(source).embedding for source in sources]
    for embedding in embeddings[1:]:
        assert embedding == pytest.approx(embeddings[0], abs=1e-6)


def test_a_gallery_of_another_encoder(people: Gallery, recognizer: Recognizer) -> None:
    with pytest.raises(GalleryMismatchError):
        Gallery(people.location, recognizer=Recognizer(encoder="pixels", detector=recognizer.detector))


def test_no_gallery_is_made_where_none_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(GalleryMissingError):
        Gallery(tmp_path / "none.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_gallery_knows_its_own_encoder(recognizer: Recognizer, photos: Path, tmp_path: Path) -> None:
    with Gallery(tmp_path / "raw.db", recognizer=Recognizer(encoder="dlib-resnet")) as raw:
        raw.enroll("Grace Hopper", photos / "grace_hopper.jpg")
    with Gallery(tmp_path / "raw.db") as again:
        assert again.recognizer.space.encoder == "dlib-resnet"
        assert [person.name for person in again.people()] == ["Grace Hopper"]


def test_the_same_photos_enrolled_at_six_doors_at_once_are_stored_once(
    recognizer: Recognizer, photos: Path, tmp_path: Path
) -> None:
    both = [photos / "obama.jpg", photos / "obama2.jpg"]
    with six_doors(tmp_path / "people.db", recognizer) as doors, ThreadPoolExecutor(len(doors)) as pool:
        done = list(pool.map(lambda door: door.enroll("Barack Obama", both), doors))
        assert sum(enrollment.accepted for enrollment in done) == 2
        assert [person.photos for person in doors[0].people()] == [2]


def test_one_face_under_six_names_at_once_becomes_one_person(
    recognizer: Recognizer, photos: Path, tmp_path: Path
) -> None:
    def enroll(number: int, door: Gallery) -> str:
        try:
            door.enroll(f"door {number}", photos / "obama.jpg")
        except EnrollmentRefusedError as error:
            return str(error.reports[0].reason)
        return "enrolled"

    with six_doors(tmp_path / "people.db", recognizer) as doors, ThreadPoolExecutor(len(doors)) as pool:
        outcomes = sorted(pool.map(enroll, range(len(doors)), doors))
        assert outcomes == ["enrolled"] + ["looks like somebody else"] * 5
        assert len(doors[0]) == 1


@contextmanager
def six_doors(path: Path, recognizer: Recognizer) -> Iterator[list[Gallery]]:
    """The same gallery opened six times, as by six processes."""
    with ExitStack() as stack:
        yield [stack.enter_context(Gallery(path, recognizer=recognizer)) for _ in range(6)]


def test_a_first_photo_that_is_refused_makes_no_gallery(recognizer: Recognizer, photos: Path, tmp_path: Path) -> None:
    blurred = Image.open(photos / "obama.jpg").filter(ImageFilter.GaussianBlur(9))
    gallery = Gallery(tmp_path / "none.db")
    gallery.__dict__["recognizer"] = recognizer
    with pytest.raises(EnrollmentRefusedError, match="blurred"):
        gallery.enroll("Barack Obama", blurred)
    assert not (tmp_path / "none.db").exists()
    assert (len(gallery), list(gallery), "Barack Obama" in gallery) == (0, [], False)


def test_who_is_meant_by_id(people: Gallery, photos: Path) -> None:
    grace = people.person("Grace Hopper")
    people.rename(grace, "Amazing Grace")
    assert people.verify(grace, photos / "grace_hopper.jpg").same
    assert people.update(PersonId(grace.person_id), groups=["navy"]).groups == ("navy",)
    for photo in people.store.templates_of(grace):
        people.store.drop_template(photo.template_id)
    with pytest.raises(PersonNotFoundError, match="photos"):
        people.verify(grace, photos / "grace_hopper.jpg")
    assert people.forget(grace).templates == 0
    assert grace not in people
