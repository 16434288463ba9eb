"""Events of cameras: known, unknown, strangers who come again, what was denied, living or not, lost and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from sameface import Gallery, PersonId
from sameface.errors import SettingError
from sameface.imaging import load_image
from sameface.indexing.strangers import Strangers
from sameface.indexing.watching import Watcher
from sameface.liveness import Liveness
from sameface.recognizer import Recognizer

NOW = datetime(2099, 5, 4, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(operating_point=1.0, threads=1)


@pytest.fixture
def people(tmp_path, photos, recognizer):
    with Gallery(tmp_path / "people.db", recognizer=recognizer) as gallery:
        gallery.enroll("Obama", photos / "obama.jpg")
        yield gallery


@pytest.fixture
def strangers(tmp_path, recognizer):
    with Gallery(tmp_path / "strangers.db", recognizer=recognizer) as gallery:
        yield Strangers(gallery, days=7)


@pytest.fixture(scope="module")
def frames(photos):
    from PIL import Image

    def small(name):
        picture = Image.fromarray(load_image(photos / name))
        picture.thumbnail((400, 400))
        return np.asarray(picture)

    return {name: small(f"{name}.jpg") for name in ("obama2", "biden")}


def watch(watcher, frame, count=8, begin=0.0, now=NOW):
    return [event for number in range(count) for event in watcher.look(begin + number / 5, frame, now=now)]


def test_who_is_known_and_who_is_not(people, frames):
    watcher = Watcher("door", people)
    (known,) = watch(watcher, frames["obama2"])
    assert (known.event, known.camera, known.name, known.time) == (
        "known",
        "door",
        "Obama",
        "2099-05-04T12:00:00.000+00:00",
    )
    events = watch(watcher, frames["biden"], begin=10.0)
    assert [(event.event, event.name) for event in events] == [("left", "Obama"), ("unknown", None)]
    assert [event.event for event in watcher.finish(20.0)] == ["left"]
    assert watcher.lost_or_back("lost").event == "lost"


def test_a_stranger_who_comes_again_is_the_same_stranger(people, strangers, frames):
    for day, (new, meetings) in enumerate([(True, 1), (False, 2)]):
        now = NOW + timedelta(days=day)
        unknown = watch(Watcher("door", people, strangers=strangers), frames["biden"], now=now)[-1]
        assert (unknown.event, unknown.name, unknown.stranger, unknown.meetings) == (
            "unknown",
            "stranger 1",
            True,
            meetings,
        )
        assert new == (meetings == 1)
    other = strangers.meet(np.eye(1, 128, 3, dtype=np.float32)[0], now=NOW)
    assert (other.name, other.new) == ("stranger 2", True)


def test_strangers_end_some_days_after_they_were_last_seen(tmp_path, recognizer):
    with Gallery(tmp_path / "strangers.db", recognizer=recognizer) as gallery:
        kept = Strangers(gallery, days=7)
        met = kept.meet(np.eye(1, 128, dtype=np.float32)[0], now=NOW)
        person = gallery.person(PersonId(met.person_id))
        assert person.keep_until.startswith("2099-05-11")
        kept.meet(np.eye(1, 128, dtype=np.float32)[0], now=NOW + timedelta(days=3))
        assert gallery.person(PersonId(met.person_id)).keep_until.startswith("2099-05-14")
        with pytest.raises(SettingError):
            Strangers(gallery, days=0)


def test_what_was_denied_is_remembered(people, strangers, frames, recognizer):
    obama = people.person("Obama")
    face = recognizer.encode_photo(frames["obama2"]).embedding
    assert not strangers.denied(face, obama.person_id, 0.9)
    met = strangers.meet(face, now=NOW)  # as if a look-alike had been met
    strangers.deny(PersonId(met.person_id), obama.person_id)
    assert strangers.denied(face, obama.person_id, 0.9)
    assert not strangers.denied(face, "0" * 32, 0.9), "another person is not meant"
    assert not strangers.denied(face, obama.person_id, 0.0), (
        "who is nearer to the person than to the stranger is the person"
    )
    events = watch(Watcher("door", people, strangers=strangers), frames["obama2"])
    assert [(event.event, event.name) for event in events] == [("unknown", met.name)]


def test_scores_are_told_once(people, frames):
    class Half:
        def judge(self, photo, faces):
            return [Liveness(0.5, ()) for _ in faces]

    events = watch(Watcher("door", people, passive=Half()), frames["obama2"], count=20)
    assert [(event.event, event.liveness) for event in events] == [("known", 0.5), ("liveness", 0.5)]
