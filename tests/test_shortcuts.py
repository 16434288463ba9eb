"""The functions at the top: what one would guess, and what one mistypes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sameface
from sameface.errors import (
    DataError,
    GalleryMissingError,
    ImageAccessError,
    ImageArrayError,
    NoFaceError,
    NotEnoughDataError,
    OutputError,
    SettingError,
)

WALL = np.full((200, 200, 3), 127, np.uint8)


@pytest.fixture(scope="module")
def people(tmp_path_factory, photos):
    place = tmp_path_factory.mktemp("shortcuts") / "people.db"
    with sameface.Gallery(place) as known:
        known.enroll("Barack Obama", photos / "obama.jpg", groups="presidents")
        known.enroll("Grace Hopper", photos / "grace_hopper.jpg")
        yield known


def test_one_photo_gives_a_vector_and_many_a_matrix(photos):
    one = sameface.embed(photos / "obama.jpg")
    many = sameface.embed([photos / "obama.jpg", str(photos / "obama2.jpg")])
    assert one.shape == (128,)
    assert many.shape == (2, 128)
    assert one == pytest.approx(many[0], abs=1e-6)
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-6)
    assert sameface.embed([]).shape == (0, 128)
    assert sameface.embed(Path(photos).glob("obama2.*")).shape == (1, 128)


def test_every_form_of_a_photo_is_the_same_photo(photos):
    path = photos / "astronaut.png"
    with Image.open(path) as opened:
        forms = [path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes()), opened.copy(), np.asarray(opened)]
    vectors = sameface.embed(forms)
    assert np.abs(vectors - vectors[0]).max() < 1e-6


def test_of_many_photos_the_one_that_fails_is_named(photos):
    listed = [photos / "obama.jpg", WALL]
    with pytest.raises(NoFaceError, match="photo 2 of 2"):
        sameface.embed(listed)
    found = sameface.embed(listed, on_error="nan")
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()
    with pytest.raises(SettingError, match="raise or nan"):
        sameface.embed(listed, on_error="skip")


def test_progress_is_told_in_steps(photos):
    from contextlib import contextmanager

    seen = []

    @contextmanager
    def stages(label, total):
        seen.append((label, total))
        yield seen.append

    sameface.embed([photos / "obama.jpg", photos / "obama2.jpg"], progress=stages)
    assert seen == [("photos", 2), 1, 1]


def test_faces_with_their_quality(photos):
    (face,) = sameface.detect(photos / "grace_hopper.jpg")
    assert face.box.width > 50
    assert face.quality > 0.5
    assert face.reasons == ()
    assert sameface.detect(WALL) == []


def test_who_is_this(people, photos):
    assert [face.name for face in sameface.identify(photos / "obama2.jpg", people)] == ["Barack Obama"]
    assert [face.name for face in sameface.identify(photos / "obama2.jpg", people.location)] == ["Barack Obama"]
    with pytest.raises(GalleryMissingError):
        sameface.identify(photos / "obama2.jpg", "nowhere.db")


def test_many_photos_of_a_gallery(people, photos):
    asked = [photos / "obama2.jpg", WALL, b"no picture", photos / "biden.jpg"]
    answers = list(people.identify_many(asked))
    assert [answer.names for answer in answers] == [("Barack Obama",), (), (), ()]
    assert answers[0].photo == str(photos / "obama2.jpg")
    assert answers[1].faces == ()
    assert answers[2].error is not None
    alone = people.identify(photos / "obama2.jpg")[0]
    assert answers[0].faces[0].distance == pytest.approx(alone.distance, abs=1e-6)
    assert [face.name for face in answers[3].faces] == [None]
    table = sameface.Answers(answers).rows()
    assert [row.get("name") for row in table] == ["Barack Obama", None, None, None]


def test_an_endless_stream_is_answered_as_it_comes(people, photos):
    def stream():
        while True:
            yield photos / "biden.jpg"

    answers = people.identify_many(stream())
    assert [len(next(answers).faces) for _ in range(3)] == [1, 1, 1]


def test_many_people_at_once(tmp_path, photos):
    with sameface.Gallery(tmp_path / "many.db") as known:
        done = known.enroll_many(
            {
                "Barack": [photos / "obama.jpg", photos / "obama2.jpg"],
                "Wall": WALL,
                "Grace": photos / "grace_hopper.jpg",
            },
            groups="all",
        )
        assert [(item.accepted) for item in done] == [2, 0, 1]
        assert [person.name for person in known] == ["Barack", "Grace"]
        assert known.person("Grace").groups == ("all",)
        assert done[1].name == "Wall"
        assert "no face" in str(done.rows()).lower() or done[1].error is not None
        with pytest.raises(DataError, match="dictionary"):
            known.enroll_many([("Ada", "ada.jpg")])
    tree = tmp_path / "tree" / "Eileen"
    tree.mkdir(parents=True)
    (tree / "1.png").write_bytes((photos / "astronaut.png").read_bytes())
    with sameface.Gallery(tmp_path / "tree.db") as known:
        assert [item.accepted for item in known.enroll_many(tmp_path / "tree")] == [1]


def test_people_come_page_by_page(people):
    first = people.page(limit=1)
    assert ([person.name for person in first.people], first.total) == (["Barack Obama"], 2)
    second = people.page(limit=1, after=first.next)
    assert [person.name for person in second.people] == ["Grace Hopper"]
    assert second.next is None
    assert people.page(search="GRACE").total == 1
    assert people.page(group="presidents").total == 1
    assert sameface.Gallery("nowhere.db").page().people == ()


def test_what_is_passed_over_is_said(photos, tmp_path):
    (tmp_path / "Ada" / "inside").mkdir(parents=True)
    (tmp_path / "Ada" / "1.png").write_bytes((photos / "astronaut.png").read_bytes())
    (tmp_path / "Ada" / "cut.jpg").write_bytes((photos / "obama.jpg").read_bytes()[:9000])
    (tmp_path / "Ada" / "lost.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "Ada" / "notes.txt").write_text("no photo")
    with pytest.warns(UserWarning, match=r"^2 passed over: (?s:.*)lost\.jpg(?s:.*)cut\.jpg: expected"):
        assert [len(group.faces) for group in sameface.cluster(tmp_path)] == [1]
    with pytest.warns(UserWarning, match=r"^1 passed over: 2: expected"):
        sameface.cluster([photos / "biden.jpg", b"no picture"])
    with (
        pytest.warns(UserWarning, match=r"^1 passed over: .*notes\.txt: not a photo"),
        sameface.Gallery(tmp_path / "people.db") as people,
    ):
        assert [(item.accepted, len(item.reports)) for item in people.enroll_many(tmp_path)] == [(1, 3)]


def test_photos_by_person(photos):
    groups = sameface.cluster(photos)
    assert [len(group.faces) for group in groups] == [3, 1, 1, 1]
    listed = sameface.cluster([photos / "biden.jpg", WALL, photos / "obama.jpg"])
    assert [face.photo for group in listed for face in group.faces] == [
        str(photos / "biden.jpg"),
        str(photos / "obama.jpg"),
    ]
    assert {row["group"] for row in groups.rows()} == {1, 2, 3, 4}
    assert sameface.cluster([]) == []
    with pytest.raises(DataError, match="folder"):
        sameface.cluster("nowhere")
    with pytest.raises(SettingError):
        sameface.cluster(photos, threshold=5)


@pytest.mark.parametrize(
    ("mistyped", "kind", "word"),
    [
        (None, ImageArrayError, "OpenCV"),
        (["a.jpg", "b.jpg"], ImageArrayError, "list of 2"),
        (np.zeros((100, 100, 3)), ImageArrayError, r"\* 255"),
        (np.zeros((3, 100, 100), np.uint8), ImageArrayError, "transpose"),
        (np.zeros((2, 100, 100, 3), np.uint8), ImageArrayError, "embed"),
        ("examples", ImageAccessError, "folder"),
        (3, ImageArrayError, "int"),
        (np.zeros(128, np.float32), ImageArrayError, "sameface.distance"),
    ],
    ids=["None", "list", "floats", "channels first", "several", "folder", "number", "embedding"],
)
def test_what_is_mistyped_is_named(mistyped, kind, word, photos):
    with pytest.raises(kind, match=word):
        sameface.verify(mistyped, photos / "obama.jpg")


@pytest.mark.parametrize(
    "ask",
    [
        sameface.embed,
        sameface.detect,
        lambda photo: sameface.verify(photo, photo.copy()),
        lambda photo: sameface.Recognizer().encode_photo(photo),
    ],
    ids=["embed", "detect", "verify", "encode_photo"],
)
def test_colours_turned_round_are_noticed(photos, ask):
    with Image.open(photos / "grace_hopper.jpg") as opened:
        rgb = np.asarray(opened.convert("RGB"))
    ask(rgb)  # no warning
    with pytest.warns(UserWarning, match="BGR"):
        ask(np.ascontiguousarray(rgb[..., ::-1]))


def test_a_threshold_of_ones_own(tmp_path, photos, people):
    from sameface.models.operating_points import save_operating_point

    point = sameface.Recognizer().operating_point
    save_operating_point(point, tmp_path / "mine.json")
    for given in (tmp_path / "mine.json", str(tmp_path / "mine.json"), point):
        assert sameface.Recognizer(operating_point=given).operating_point.threshold == point.threshold
    with sameface.Gallery(people.location, operating_point=0.0) as strict:
        assert [face.name for face in strict.identify(photos / "obama.jpg")] == [None]
    with pytest.raises(SettingError, match="both"):
        sameface.Gallery(people.location, recognizer=people.recognizer, operating_point=0.5)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """Twelve people with four pictures each: what is a person's own stays, what is not is noise."""
    top = tmp_path_factory.mktemp("labelled") / "people"
    random = np.random.default_rng(0)
    for person in "abcdefghijkl":
        (top / person).mkdir(parents=True)
        base = random.integers(0, 255, (32, 32), np.uint8)
        for n in range(4):
            noisy = np.clip(base + random.integers(-20, 20, base.shape), 0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(top / person / f"{n}.png")
    return top


def test_measuring_in_one_call(labelled):
    found = sameface.evaluate(labelled, encoders="pixels", detector="none")
    assert found.data.photos == 48
    (row,) = found.to_rows()
    # 12 people: 12 · (4 · 3 / 2) pairs of one, 48 · 47 / 2 in all
    assert (row["mated_pairs"], row["mated_pairs"] + row["non_mated_pairs"], row["encoder"]) == (72, 1128, "pixels")
    assert row["auc"] == 1
    assert repr(found).startswith("Evaluation(people, 48 photos of 12 people: pixels EER 0.00%")
    assert len(found.to_dataframe("pandas")) == 1
    assert found.to_dict()["schema"] == "sameface.evaluation/1"
    assert "pixels" in found._repr_html_()


def test_calibrating_in_one_call(labelled, tmp_path):
    place = tmp_path / "mine.json"
    point = sameface.calibrate(labelled, fmr=0.05, encoder="pixels", detector="none", out=place)
    assert point.target_fmr == 0.05
    assert sameface.Recognizer(encoder="pixels", detector="none", operating_point=place).operating_point == point
    with pytest.raises(OutputError):
        sameface.calibrate(labelled, fmr=0.05, encoder="pixels", detector="none", out=place)
    with pytest.raises(NotEnoughDataError):
        sameface.calibrate(labelled, fmr=1e-6, encoder="pixels", detector="none")


def test_training_in_one_call(labelled, tmp_path):
    pytest.importorskip("torch")
    done = sameface.train(labelled, tmp_path / "out", augment="characters", steps=2)
    assert done.encoder.is_file()
    assert done.to_dict()["encoder"] == str(done.encoder)
    with pytest.raises(OutputError):
        sameface.train(labelled, tmp_path / "out", steps=2)
