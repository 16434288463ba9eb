"""Sessions of liveness by the service: begun, fed, passed, used once; and what the policy makes of a request."""

from __future__ import annotations

import gc
import io
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from sameface.errors import NothingHereError, SettingError
from sameface.liveness.session import State
from sameface.service import live_sessions
from sameface.service.app import create_app
from sameface.service.desk import open_desk
from sameface.service.live_policy import HEADER
from sameface.service.live_sessions import LiveSessions
from sameface.service.settings import Settings


def kept(at: float = 0.0) -> State:
    return State(("left", "up", "nearer"), (0.3,) * 3, "head", 0.01, at, last=at)


@pytest.fixture
def passed(api_of):
    """Lets a session pass at once, with the face of a photo."""

    def make(api, photo: bytes, owner: str = "") -> str:
        desk = api.app.state.desk
        state = kept(time.monotonic())
        state.phase = "passed"
        state.embedding = tuple(desk.recognizer.encode_photo(photo).embedding.tolist())
        return desk.live.begin(owner, state)

    return make


@pytest.fixture
def api_of(serve, photo):
    """A service under a policy, with Obama enrolled."""

    def start(policy: str):
        api = serve(liveness=policy)
        api.post("/v1/galleries/people/people", data={"name": "Obama"}, files={"photos": photo("obama.jpg")})
        return api

    return start


def claim(api, photo: bytes, **fields: str):
    return api.post("/v1/galleries/people/verify", data={"name": "Obama", **fields}, files={"photo": photo})


def test_a_session_is_begun_and_fed(api):
    begun = api.post("/v1/liveness", json={"moved_by": "camera", "steps": 5}).json()
    assert begun["prompt"]["steps"] == 5
    assert begun["prompt"]["phase"] == "settle"
    assert "camera" in begun["prompt"]["words"]
    frame = io.BytesIO()
    Image.fromarray(np.zeros((60, 60, 3), np.uint8)).save(frame, "PNG")
    told = api.post(f"/v1/liveness/{begun['session']}/frames", files={"photo": frame.getvalue()}).json()
    assert (told["phase"], told["hint"]) == ("settle", "No face is seen.")
    result = api.get(f"/v1/liveness/{begun['session']}").json()
    assert (result["over"], result["passed"], result["frames"]) == (False, False, 0)
    assert 0 < result["chance"] < 0.01


def test_a_still_photo_settles_and_gets_no_further(api, photo):
    begun = api.post("/v1/liveness", json={}).json()
    phases = []
    for _ in range(40):
        told = api.post(f"/v1/liveness/{begun['session']}/frames", files={"photo": photo("obama.jpg")}).json()
        phases.append(told["phase"])
        if told["phase"] == "step":
            break
    assert phases[0] == "settle"
    assert "back" not in phases
    assert "passed" not in phases


@pytest.mark.parametrize(
    ("policy", "session", "status", "shown"),
    [
        ("off", "", 200, "not-asked"),
        ("off", "mine", 200, "passed"),
        ("warn", "", 200, "missing"),
        ("warn", "mine", 200, "passed"),
        ("warn", "theirs", 200, "other-face"),
        ("warn", "none", 200, "not-passed"),
        ("require", "", 403, None),
        ("require", "mine", 200, "passed"),
        ("require", "theirs", 403, None),
        ("require", "none", 403, None),
    ],
)
def test_what_the_policy_makes_of_a_claim(api_of, passed, photo, policy, session, status, shown):
    api = api_of(policy)
    names = {
        "mine": lambda: passed(api, photo("obama2.jpg")),
        "theirs": lambda: passed(api, photo("biden.jpg")),
        "none": lambda: "0" * 32,
    }
    fields = {"liveness": names[session]()} if session else {}
    answer = claim(api, photo("obama2.jpg"), **fields)
    assert answer.status_code == status, answer.json()
    assert answer.headers.get(HEADER) == shown
    trail = [json.loads(line) for line in api.app.state.desk.settings.audit.read_text().splitlines()]
    last = [line for line in trail if line["action"] == "claim"][-1]
    if status == 403:
        assert last["outcome"] == "liveness-required"
    else:
        assert last.get("live") == {"not-asked": None, "passed": 1}.get(shown, 0)


def test_a_session_is_used_once(api_of, passed, photo):
    api = api_of("require")
    session = passed(api, photo("obama2.jpg"))
    assert claim(api, photo("obama2.jpg"), liveness=session).status_code == 200
    assert claim(api, photo("obama2.jpg"), liveness=session).status_code == 403


def test_required_for_identify_too_and_no_way_round_by_many(api_of, passed, photo):
    api = api_of("require")
    ask = lambda **fields: api.post("/v1/galleries/people/identify", data=fields, files={"photo": photo("obama2.jpg")})  # noqa: E731
    assert ask().status_code == 403
    assert ask(liveness=passed(api, photo("obama2.jpg"))).json()["faces"][0]["name"] == "Obama"
    many = api.post("/v1/galleries/people/identify-many", files={"photos": photo("obama2.jpg")})
    assert (many.status_code, many.json()["type"]) == (403, "urn:sameface:liveness-required")


def test_a_session_that_has_not_passed_opens_nothing(api_of, photo):
    api = api_of("require")
    begun = api.post("/v1/liveness", json={}).json()
    assert claim(api, photo("obama2.jpg"), liveness=begun["session"]).status_code == 403


def test_sessions_belong_to_a_key_and_end(tmp_path, monkeypatch):
    sessions = LiveSessions(str(tmp_path))
    mine = sessions.begin("key 1", kept(time.monotonic()))
    with pytest.raises(NothingHereError), sessions.held(mine, "key 2"):
        pass
    for name in ("0" * 32, "../../etc/passwd", "", mine.upper()):
        with pytest.raises(NothingHereError):
            sessions.take(name, "key 1")
    with sessions.held(mine, "key 1") as held:
        held.state.step = 2
    assert LiveSessions(str(tmp_path)).take(mine, "key 1").step == 2, "another worker goes on"
    assert list(tmp_path.iterdir()) == []
    old = sessions.begin("key 1", kept(time.monotonic() - live_sessions.KEPT - 1))
    with pytest.raises(NothingHereError):
        sessions.take(old, "key 1")


@pytest.fixture
def temporary(tmp_path, monkeypatch) -> Path:
    """The system's folder of temporary files, empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_files_are_private_and_an_own_folder_is_removed(temporary):
    sessions = LiveSessions()
    name = sessions.begin("", kept(time.monotonic()))
    (folder,) = temporary.iterdir()
    (file,) = folder.iterdir()
    assert file.name == name
    assert (file.stat().st_mode | folder.stat().st_mode) & 0o077 == 0
    sessions.close()
    assert list(temporary.iterdir()) == []


def test_nothing_is_left_where_nobody_closes(temporary, make_settings):
    create_app(make_settings(audit=None))  # let go without having been started
    assert list(temporary.iterdir()) == []
    sessions = LiveSessions()
    sessions.begin("", kept(time.monotonic()))
    del sessions
    gc.collect()
    assert list(temporary.iterdir()) == []


def test_a_service_that_ends_leaves_no_folder(temporary, make_settings):
    for _ in range(2):
        with TestClient(create_app(make_settings()), base_url="http://127.0.0.1") as client:
            assert client.post("/v1/liveness", json={}).is_success
            assert len(list(temporary.iterdir())) == 1
        assert list(temporary.iterdir()) == []


def test_a_session_after_the_end_is_kept_in_a_new_folder(temporary):
    sessions = LiveSessions()
    for _ in range(2):
        assert sessions.take(sessions.begin("a", kept(time.monotonic())), "a").step == kept(0).step
        sessions.close()
    assert list(temporary.iterdir()) == []


def test_another_policy_is_refused():
    with pytest.raises(SettingError, match="liveness"):
        Settings("galleries", liveness="sometimes")  # type: ignore[arg-type]


def test_a_challenge_is_not_told_before_its_time(api):
    begun = api.post("/v1/liveness", json={}).text
    assert not any(f'"{action}"' in begun for action in ("left", "right", "up", "down", "nearer", "farther"))


@pytest.mark.parametrize("policy", ["warn", "require"])
def test_no_start_with_a_detector_that_sees_no_movements(tmp_path, policy):
    desk = open_desk(Settings(str(tmp_path), threshold=1.0, detector="none", liveness=policy))
    try:
        with pytest.raises(SettingError, match="five points"):
            desk.load()
    finally:
        desk.close()
