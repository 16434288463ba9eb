"""The rules of a session, frame by frame, on points that are made by hand; then whole sessions in simulation."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product
from random import Random

import cv2
import msgspec
import numpy as np
import pytest

from sameface.errors import SettingError
from sameface.liveness.challenge import Challenge, draw_challenge
from sameface.liveness.session import REASONS, Rules, Seen, Session, State
from sameface.recognizer import Recognizer
from sameface.recognizer.live import LiveSession
from sameface.types import Box, Detection, Landmarks

RULES = Rules(threshold=1.1, likeness=-1.0)
FACE = np.array([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0, 0.15, 0.42], [-0.4, 0.6, 0], [0.4, 0.6, 0]], float)
SKIN = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 255, (400, 400, 3), dtype=np.uint8), (0, 0), 5)
ME = np.eye(1, 128, dtype=np.float32)[0]
OTHER = np.eye(1, 128, 5, dtype=np.float32)[0]


class Camera:
    """Frames of a face of known depth: the picture holds the face's points where they are seen, so they are found there."""

    def __init__(self, session: Session, depth: float = 1.0) -> None:
        self.session, self.depth, self.at = session, depth, 0.0

    def frame(self, yaw=0.0, pitch=0.0, size=80.0, faces=1, who=ME, after=0.15, passive=None):
        self.at += after
        y, p = np.radians([yaw, pitch])
        about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
        about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
        points = (FACE * (1, 1, self.depth) @ (about_y @ about_x).T)[:, :2] * size + 200
        image = np.full((400, 400, 3), 128, np.uint8)
        for number, (x, y) in enumerate(points.round().astype(int)):  # each point in surroundings of its own
            part = SKIN[number * 60 : number * 60 + 36, 20:56]
            image[y - 18 : y + 18, x - 18 : x + 18] = part
        face = Detection(Box(100, 100, 300, 300), 0.95, Landmarks("arcface5", points.astype(np.float32)))
        return self.session.see(Seen(self.at, image, [face] * faces, who if faces == 1 else None, passive))

    def hold(self, frames: int, **pose):
        for _ in range(frames):
            prompt = self.frame(**pose)
        return prompt


def started(*actions, pauses=0.3, rules=RULES, depth=1.0) -> Camera:
    camera = Camera(Session(Challenge(actions, (pauses,) * len(actions)), rules, at=0.0), depth)
    camera.hold(6)
    return camera


MOVES = {
    "left": {"yaw": 22},
    "right": {"yaw": -22},
    "up": {"pitch": 20},
    "down": {"pitch": -20},
    "nearer": {"size": 100},
    "farther": {"size": 65},
}


def until_asked(camera: Camera, action: str):
    for _ in range(20):
        prompt = camera.frame()
        if prompt.phase == "step":
            assert prompt.action == action
            return
    raise AssertionError("never asked")


@pytest.mark.parametrize("action", MOVES)
def test_each_movement_is_seen(action):
    camera = started(action, "left" if action != "left" else "right")
    until_asked(camera, action)
    assert camera.frame(**MOVES[action], after=0.3).phase == "back"
    assert camera.session.state.made[0].action == action


def test_a_whole_session_passes_once():
    actions = ("left", "up", "nearer", "right")
    camera = started(*actions)
    for action in actions:
        until_asked(camera, action)
        prompt = camera.frame(after=0.3, **MOVES[action])
        assert prompt.phase == "back"
        prompt = camera.hold(1)
    assert prompt.phase == "passed"
    assert prompt.done == prompt.steps == 4
    assert camera.frame(who=OTHER).phase == "passed", "what is over stays as it is"


@pytest.mark.parametrize("depth", [0.0, 0.1])
def test_a_sheet_is_never_seen_to_turn(depth):
    camera = started("left", "up", "nearer", depth=depth)
    until_asked(camera, "left")
    for yaw in range(0, 60, 3):
        prompt = camera.frame(yaw=yaw)
    while prompt.phase != "failed":
        prompt = camera.frame(yaw=50)
    assert prompt.reason == "too-slow"


def test_a_strongly_bent_sheet_shows_too_little_depth():
    # Depth 0.12 eye distances: parallax enough at 43 degrees, and a face as narrow as at 43 degrees.
    camera = started("left", "nearer", depth=0.28)
    until_asked(camera, "left")
    assert camera.frame(yaw=43, after=0.3).phase == "back"
    until_asked(camera, "nearer")
    camera.frame(size=100, after=0.3)
    prompt = camera.frame()
    assert (prompt.phase, prompt.reason) == ("failed", "no-depth")
    (turn,) = [item for item in camera.session.state.made if item.action == "left"]
    assert turn.relief == pytest.approx(0.28 * 0.42, abs=0.03)


@pytest.mark.parametrize(
    ("reason", "happens"),
    [
        ("other-movement", lambda camera: camera.hold(3, yaw=-22)),
        ("too-early", lambda camera: camera.frame(yaw=22, after=0.05)),
        ("too-slow", lambda camera: camera.hold(60)),
        ("other-face", lambda camera: camera.hold(3, who=OTHER)),
        ("several-faces", lambda camera: camera.frame(faces=2)),
        ("gap", lambda camera: camera.frame(after=2)),
        ("face-lost", lambda camera: camera.hold(12, faces=0)),
        ("expired", lambda camera: camera.frame(after=100)),
    ],
)
def test_what_ends_a_session(reason, happens):
    camera = started("left", "up", "nearer")
    until_asked(camera, "left")
    prompt = happens(camera)
    assert (prompt.phase, prompt.reason) == ("failed", reason)
    assert prompt.words == REASONS[reason]


def test_who_does_not_look_straight_is_told_so():
    camera = Camera(Session(Challenge(("left", "nearer"), (0.3, 0.3)), RULES, at=0.0))
    prompt = camera.hold(10, yaw=30)
    assert (prompt.phase, prompt.hint) == ("settle", "Look straight at the camera.")
    assert camera.hold(6).phase == "wait"


def test_who_moves_in_the_pause_waits_longer_and_does_not_fail():
    camera = started("left", "up", "nearer")
    assert camera.hold(10, yaw=22).phase == "wait"
    until_asked(camera, "left")


def test_faces_that_look_like_pictures_fail_at_the_end_where_that_is_asked():
    for score, phase in ((0.2, "failed"), (0.9, "passed")):
        camera = started("left", "nearer", rules=replace(RULES, passive=0.5))
        for action in ("left", "nearer"):
            until_asked(camera, action)
            camera.frame(after=0.3, passive=score, **MOVES[action])
            prompt = camera.frame(passive=score)
        assert prompt.phase == phase


def test_a_session_goes_on_from_what_was_kept():
    camera = started("left", "up", "nearer")
    until_asked(camera, "left")
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(camera.session.state), type=State)
    camera.session = Session.again(kept, RULES)
    assert camera.frame(yaw=22, after=0.3).phase == "back"


@pytest.mark.parametrize("seed", range(40))
def test_challenges_hold_every_kind(seed):
    for steps in (3, 4, 6):
        drawn = draw_challenge(steps, random=Random(seed))
        assert len(drawn.actions) == len(drawn.pauses) == steps
        assert {"left", "right"} & set(drawn.actions)
        assert {"up", "down"} & set(drawn.actions)
        assert {"nearer", "farther"} & set(drawn.actions)
        assert all(a != b for a, b in pairwise(drawn.actions))


def test_the_chance_is_one_over_what_may_be_drawn():

    turns, far = ("left", "right", "up", "down"), ("nearer", "farther")
    counted = sum(
        all(a != b for a, b in pairwise(s))
        and sum(a in far for a in s) == 1
        and bool({"left", "right"} & set(s))
        and bool({"up", "down"} & set(s))
        for s in product(turns + far, repeat=4)
    )
    assert draw_challenge(4).chance == pytest.approx(1 / counted)


def test_a_whole_kind_cannot_be_left_out():
    assert "left" not in draw_challenge(leave_out=["left"]).actions
    with pytest.raises(SettingError):
        draw_challenge(leave_out=["left", "right"])
    with pytest.raises(SettingError):
        draw_challenge(2)


def test_a_detector_without_points_is_refused_at_once():
    with pytest.raises(SettingError, match="five points"):
        LiveSession(Recognizer(detector="none", operating_point=1.0))
