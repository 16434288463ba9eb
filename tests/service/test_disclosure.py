"""What a caller without embeddings is told, over HTTP: yes or no, and no number about anybody who is stored."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from sameface.errors import RateLimitedError
from sameface.recognizer import gallery
from sameface.recognizer.domain import Judgement
from sameface.service.attempts import Attempts
from sameface.service.key_file import KeyFile


@pytest.fixture
def keys(tmp_path):
    return KeyFile(tmp_path / "keys.json")


@pytest.fixture
def start(serve, keys, photo):
    """A service with Obama in it, and a caller of each role."""

    def ready(**settings):
        callers = {role: {"X-API-Key": keys.add(role)[0]} for role in ("read", "identify", "enroll", "admin")}
        api = serve(keys=keys.path, **settings)
        files = {"photos": photo("obama.jpg")}
        done = api.post("/v1/galleries/people/people", data={"name": "Obama"}, files=files, headers=callers["admin"])
        assert done.status_code == 201
        return api, callers

    return ready


def claim(api, caller, data: bytes, **fields):
    return api.post(
        "/v1/galleries/people/verify", data={"name": "Obama", **fields}, files={"photo": data}, headers=caller
    )


def identify(api, caller, data: bytes, **fields):
    return api.post("/v1/galleries/people/identify", data=fields, files={"photo": data}, headers=caller)


def numbers(value) -> list[float]:
    """Every number in an answer that is no box, no size and no setting."""
    if isinstance(value, dict):
        known = {"box", "probe_box", "size", "probe_size", "threshold", "operating_point", "claimed"}
        return [n for key, item in value.items() if key not in known for n in numbers(item)]
    if isinstance(value, list):
        return [n for item in value for n in numbers(item)]
    return [value] if isinstance(value, float) else []


@pytest.mark.parametrize("role", ["identify", "enroll", "admin"])
def test_no_exact_number_without_the_right_to_embeddings(start, photo, role):
    api, callers = start()
    for name in ("obama2.jpg", "biden.jpg"):
        one = claim(api, callers[role], photo(name)).json()
        assert one["same"] is (name == "obama2.jpg")
        assert one["distance"] is None
        assert one["probability"] in (None, 0.5, 0.9, 0.99)
        many = identify(api, callers[role], photo(name)).json()
        assert (many["faces"][0]["name"] == "Obama") is (name == "obama2.jpg")
        assert many["faces"][0]["candidates"] == []
        assert set(numbers(one)) <= {0.5, 0.9, 0.99}
        assert numbers(many) == []
        assert "distance" not in many["faces"][0]["why"]


def test_a_face_that_is_not_comparable_is_called_so_and_not_unknown(start, photo, monkeypatch):
    api, callers = start()
    monkeypatch.setattr(gallery, "judge", lambda *_: Judgement("outside", "it looks blurred"))
    (face,) = identify(api, callers["identify"], photo("obama2.jpg")).json()["faces"]
    assert (face["name"], face["why"]) == (None, "not comparable: it looks blurred")
    (forced,) = identify(api, callers["identify"], photo("obama2.jpg"), force="true").json()["faces"]
    assert (forced["name"], forced["standing"], forced["distance"]) == ("Obama", "outside", None)


def test_who_may_have_embeddings_gets_the_numbers(start, photo):
    api, callers = start(embeddings=True)
    for role, exact in (("identify", False), ("enroll", False), ("admin", True)):
        assert (claim(api, callers[role], photo("biden.jpg")).json()["distance"] is not None) is exact
        face = identify(api, callers[role], photo("biden.jpg")).json()["faces"][0]
        assert (face["distance"] is not None) is exact
        assert bool(face["candidates"]) is exact


def test_refusals_at_enrolment_tell_no_distance(start, photo):
    api, callers = start()
    for name, file in (("Joe", "obama2.jpg"), ("Obama", "biden.jpg")):
        answer = api.post(
            "/v1/galleries/people/people", data={"name": name}, files={"photos": photo(file)}, headers=callers["enroll"]
        )
        assert answer.status_code == 422
        assert "distance" not in answer.text
        assert "0." not in answer.json()["got"] + answer.json()["reports"][0]["detail"]


def test_refused_claims_are_few(start, photo):
    api, callers = start(attempts=2)
    statuses = [claim(api, callers["identify"], photo("biden.jpg")).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    late = claim(api, callers["identify"], photo("obama2.jpg"))
    assert late.status_code == 429
    assert int(late.headers["retry-after"]) > 60
    assert claim(api, callers["enroll"], photo("obama2.jpg")).json()["same"] is True  # another key's budget


def test_claims_answered_by_yes_or_by_an_error_do_not_count(start, photo):
    api, callers = start(attempts=1)
    for _ in range(3):
        assert claim(api, callers["identify"], photo("obama2.jpg")).json()["same"] is True
        assert claim(api, callers["identify"], b"no photo").status_code == 415


def test_halving_by_thresholds_of_ones_own_is_counted(start, photo):
    """A stricter threshold turns a yes into a no, and the place where it turns is the distance."""
    api, callers = start(near_misses=3, embeddings=True)
    apart = identify(api, callers["admin"], photo("obama2.jpg")).json()["faces"][0]["distance"]
    names = [
        identify(api, callers["identify"], photo("obama2.jpg"), threshold=str(share * apart)).json()["faces"][0]["name"]
        for share in (1.05, 0.8, 0.9, 0.95, 1.05, 0.96, 0.97, 0.98, 1.05)
    ]
    assert names[0] == "Obama"
    assert names[4] == "Obama"  # no more at the edge of τ(K), but a clear match
    assert names[-1] is None  # withheld


def test_an_enrolled_photo_is_flagged_or_refused(start, photo):
    resaved = io.BytesIO()
    Image.open(io.BytesIO(photo("obama.jpg"))).save(resaved, "PNG")
    api, callers = start()
    for copy in (photo("obama.jpg"), resaved.getvalue()):
        answer = claim(api, callers["identify"], copy).json()
        assert (answer["same"], answer["replay"]) == (True, True)
        face = identify(api, callers["identify"], copy).json()["faces"][0]
        assert (face["name"], face["replay"]) == ("Obama", True)
    assert claim(api, callers["identify"], photo("obama2.jpg")).json()["replay"] is False
    assert identify(api, callers["identify"], photo("obama2.jpg")).json()["faces"][0]["replay"] is False


def test_an_enrolled_photo_can_be_refused(start, photo):
    api, callers = start(replays="refuse")
    answer = claim(api, callers["identify"], photo("obama.jpg")).json()
    assert (answer["same"], answer["replay"], answer["probability"]) == (False, True, None)
    face = identify(api, callers["identify"], photo("obama.jpg")).json()["faces"][0]
    assert (face["name"], face["person_id"], face["replay"]) == (None, None, True)
    assert "enrolled" in face["why"]
    assert claim(api, callers["identify"], photo("obama2.jpg")).json()["same"] is True


@pytest.mark.parametrize(
    ("least", "asked", "status"), [("strict", "standard", 422), ("standard", "strict", 422), ("standard", None, 422)]
)
def test_the_server_sets_the_least_review(start, photo, least, asked, status):
    """Biden's photo was taken for one of Obama's, because the caller chose the review."""
    api, callers = start(review=least)
    fields = {"name": "Obama"} | ({"review": asked} if asked else {})
    answer = api.post(
        "/v1/galleries/people/people", data=fields, files={"photos": photo("biden.jpg")}, headers=callers["enroll"]
    )
    assert answer.status_code == status


def test_a_persons_own_photos_are_compared_unless_the_operator_says_otherwise(start, photo):
    api, callers = start()
    answer = api.post(
        "/v1/galleries/people/people",
        data={"name": "Obama"},
        files={"photos": photo("biden.jpg")},
        headers=callers["admin"],
    )
    assert answer.status_code == 422
    assert answer.json()["reports"][0]["reason"] == "unlike the other photos"


def test_a_day_has_a_limit_of_its_own():
    now = 0.0
    attempts = Attempts(2, a_day=3, clock=lambda: now)
    assert [attempts.spend("a") for _ in range(3)] == [True, True, False]
    now = 3600.0  # the hour is full again; the day gave back an eighth
    assert [attempts.spend("a") for _ in range(2)] == [True, False]
    with pytest.raises(RateLimitedError) as caught:
        attempts.claim("a")
    assert caught.value.retry_after == 7 * 3600
    now = 8 * 3600.0
    assert [attempts.spend("a") for _ in range(2)] == [True, False]


def test_attempts_fill_again():
    now = 0.0
    attempts = Attempts(2, clock=lambda: now)
    attempts.claim("a")
    attempts.claim("a")
    with pytest.raises(RateLimitedError) as caught:
        attempts.claim("a")
    assert caught.value.retry_after == 1800
    now = 1800.0
    attempts.claim("a")
    with pytest.raises(RateLimitedError):
        attempts.claim("a")
    attempts.give_back("a")
    assert attempts.any_left("a")
    for number in range(100_100):
        attempts.spend(number)
    assert len(attempts._left) <= 100_000
