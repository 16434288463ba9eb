from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sameface.errors import SettingError
from sameface.indexing.tracking import Sighting, Tracker, overlap_of
from sameface.types import Box


def face(x: float, name: str | None = None, distance: float = 0.3, size: float = 10) -> Sighting:
    return Sighting(Box(x, 0, x + size, size), name, name and f"id-{name}", distance)


def kinds(events):
    return [(event.kind, event.track_id, event.name) for event in events]


def test_a_face_that_moves_stays_one_track_and_gets_its_name_by_vote():
    tracker = Tracker(enough=3)
    assert kinds(tracker.update(0.0, [face(0, "Ada")])) == [("appeared", 1, None)]
    assert kinds(tracker.update(0.1, [face(3, "Ada")])) == []
    assert kinds(tracker.update(0.2, [face(6, "Ada", 0.2)])) == [("named", 1, "Ada")]
    assert kinds(tracker.update(0.3, [face(9, None)])) == []  # one bad frame changes nothing
    assert kinds(tracker.update(0.4, [face(12, "Bob")])) == []
    (left,) = tracker.finish(0.5)
    assert (left.kind, left.name, left.frames, left.since, left.best_distance) == ("left", "Ada", 5, 0.0, 0.2)


def test_a_stranger_stays_nobody():
    tracker = Tracker(enough=2)
    events = [kinds(tracker.update(t / 10, [face(0)])) for t in range(20)]
    assert [event for batch in events for event in batch] == [("appeared", 1, None)]


def test_two_faces_cross_without_swapping():
    tracker = Tracker(enough=2, overlap=0.2)
    for step in range(11):
        left, right = (
            Sighting(Box(step * 4, 0, step * 4 + 10, 10), "Ada", "a", 0.1),
            Sighting(Box(40 - step * 4, 8, 50 - step * 4, 18), "Bob", "b", 0.1),
        )
        tracker.update(step / 10, [left, right] if step % 2 else [right, left])
    names = {track.name: track.box.x1 for track in tracker.tracks}
    assert names == {"Ada": 40, "Bob": 0}


def test_a_track_outlives_a_short_absence_and_ends_after_a_long_one():
    tracker = Tracker(enough=1, patience=1.0)
    tracker.update(0.0, [face(0, "Ada")])
    assert tracker.update(0.9, []) == []
    assert tracker.update(1.0, [face(1, "Ada")]) == []
    ended = tracker.update(2.1, [])
    assert kinds(ended) == [("left", 1, "Ada")]
    assert ended[0].at == 1.0  # when it was last seen
    assert kinds(tracker.update(2.2, [face(1, "Ada")])) == [("appeared", 2, None), ("named", 2, "Ada")]


def test_nobody_is_in_two_places():
    tracker = Tracker(enough=2)
    for step in range(3):
        tracker.update(step / 10, [face(0, "Ada")])
    for step in range(3, 6):
        tracker.update(step / 10, [face(0, "Ada"), face(100, "Ada")])
    assert [(track.track_id, track.name) for track in tracker.tracks] == [(1, "Ada"), (2, None)]


def test_another_name_wins_only_with_more_than_half_of_the_window():
    tracker = Tracker(enough=2, window=5)
    for step in range(5):
        tracker.update(step, [face(0, "Ada")])
    changes = [kinds(tracker.update(5 + step, [face(0, "Bob")])) for step in range(5)]
    assert changes == [[], [], [("named", 1, "Bob")], [], []]


def test_a_name_that_no_frame_of_the_window_gives_is_given_up():
    tracker = Tracker(enough=2, window=4)
    for step in range(4):
        tracker.update(step, [face(0, "Ada")])
    changes = [kinds(tracker.update(4 + step, [face(0, None)])) for step in range(4)]
    assert changes == [[], [], [("named", 1, None)], []]


@pytest.mark.parametrize("bad", [{"enough": 0}, {"enough": 16}, {"overlap": 0.0}, {"overlap": 1.0}, {"patience": -1.0}])
def test_settings_that_make_no_sense(bad):
    with pytest.raises(SettingError):
        Tracker(**bad)


boxes = st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(1, 30), st.integers(1, 30)).map(
    lambda b: Box(b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@given(boxes, boxes)
def test_overlap_is_a_share_of_pixels(a, b):
    def pixels(box):
        return {(x, y) for x in range(int(box.x1), int(box.x2)) for y in range(int(box.y1), int(box.y2))}

    assert overlap_of(a, b) == pytest.approx(len(pixels(a) & pixels(b)) / len(pixels(a) | pixels(b)))


@given(st.lists(st.lists(st.tuples(boxes, st.sampled_from([None, "Ada", "Bob"])), max_size=4), max_size=12))
def test_laws(frames):
    """Every face of a frame is on its own track; names of living tracks differ; tracks end once."""
    tracker = Tracker(enough=1, patience=0.5)
    events = []
    for number, faces in enumerate(frames):
        events += tracker.update(number / 4, [Sighting(box, name, name, 0.1) for box, name in faces])
        assert sum(track.last == number / 4 for track in tracker.tracks) == len(faces)
        names = [track.name for track in tracker.tracks if track.name]
        assert len(names) == len(set(names))
    events += tracker.finish(9.0)
    began = [event.track_id for event in events if event.kind == "appeared"]
    ended = [event.track_id for event in events if event.kind == "left"]
    assert began == sorted(set(began))
    assert sorted(ended) == began
