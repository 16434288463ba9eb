"""What the clients send and how they take what comes, as values: no service, no network."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import httpx
import pytest

from sameface import errors
from sameface.client import asking, folders, replies
from sameface.client.asking import GalleryAsks
from sameface.errors import ImageAccessError, ImageNotFoundError, NoFaceError, SamefaceError, ServiceError
from sameface.types import Consent, Person, PersonId

GALLERY = GalleryAsks("people")
ADA = Person("a" * 32, "Ada")


def test_photos_are_read_once_and_named_after_their_files(tmp_path: Path) -> None:
    path = tmp_path / "ada.jpg"
    path.write_bytes(b"one")
    opened = io.BytesIO(b"two")
    ask = GALLERY.enroll("Ada", [path, b"three", opened], {"role": "x"}, ["staff"], None, "", "only", None)
    assert (ask.method, ask.path) == ("POST", "galleries/people/people")
    sent = ask.request()
    assert sent["files"] == [
        ("photos", ("ada.jpg", b"one")),
        ("photos", ("photo", b"three")),
        ("photos", ("photo", b"two")),
    ]
    assert sent["data"] == {"name": "Ada", "choose": "only", "groups": ["staff"], "details": '{"role":"x"}'}


def test_what_was_not_given_is_not_sent() -> None:
    sent = GALLERY.enroll("Ada", b"x", None, (), None, "", "only", None).request()
    assert sent["data"] == {"name": "Ada", "choose": "only"}
    assert asking.verify(b"x", b"y", "only", None, False).request()["data"] == {"choose": "only"}
    assert asking.verify(b"x", b"y", "only", 0.0, True).request()["data"] == {
        "choose": "only",
        "threshold": 0.0,  # τ = 0 is legal
        "force": "true",
    }


def test_one_text_is_one_group_not_its_letters() -> None:
    sent = GALLERY.enroll("Ada", b"x", None, "staff", None, "2027-01-01", "only", "strict", "job7")
    assert sent.path == "galleries/people/jobs/job7/people"
    assert sent.request()["data"]["groups"] == ["staff"]
    assert sent.request()["data"]["keep_until"] == "2027-01-01"
    assert GALLERY.update("a" * 32, None, None, "staff", None, None).json == {"groups": ["staff"]}


def test_a_change_holds_what_was_given_and_nothing_else() -> None:
    assert GALLERY.update("a" * 32, None, {}, [], None, "").json == {"details": {}, "groups": [], "keep_until": ""}
    assert GALLERY.update("a" * 32, "Eve", None, None, None, None).json == {"name": "Eve"}
    body = GALLERY.update("a" * 32, None, None, None, Consent("door", "2026-01-01"), None).json
    assert body is not None
    assert body["consent"]["purpose"] == "door"  # type: ignore[index]


@pytest.mark.parametrize(
    ("who", "claimed"),
    [("Ada", {"name": "Ada"}), (PersonId("b" * 32), {"person_id": "b" * 32}), (ADA, {"person_id": ADA.person_id})],
)
def test_a_claim_goes_by_name_or_by_id(who: object, claimed: dict[str, str]) -> None:
    sent = GALLERY.verify(who, b"x", "only", None, False).request()  # type: ignore[arg-type]
    assert sent["data"] == {**claimed, "choose": "only"}


def test_pages_and_photos_that_are_there() -> None:
    assert GALLERY.page("ad", None, "").request() == {"params": {"search": "ad", "cursor": "", "limit": "500"}}
    assert GALLERY.page("", "staff", "7").params == {"search": "", "cursor": "7", "limit": "500", "group": "staff"}
    assert GALLERY.digests("a" * 32).read({"photos": [{"sha256": "x"}, {"sha256": "y"}, {"sha256": "x"}]}) == {"x", "y"}
    assert GALLERY.forget("a" * 32).method == "DELETE"


def test_photos_that_cannot_be_read_are_said_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(ImageNotFoundError):
        GALLERY.identify(tmp_path / "gone.jpg", {}).request()
    with pytest.raises(ImageAccessError):
        GALLERY.identify(tmp_path, {}).request()  # a folder


def answer(status: int, body: object, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = httpx.Request("GET", "http://faces.example/v1/x")
    return httpx.Response(status, content=content, headers=headers, request=request)


def busy(word: str) -> dict[str, str]:
    return {"type": f"urn:sameface:{word}"}


@pytest.mark.parametrize(
    ("status", "body", "seconds"),
    [
        (429, busy("rate-limited"), 3.0),
        (503, busy("overloaded"), 3.0),
        (503, busy("request-timeout"), None),  # something may have been stored
        (503, busy("gallery-locked"), None),
        (500, busy("overloaded"), None),
        (503, b"<html>of a proxy</html>", None),
        (503, [1], None),
        (200, {}, None),
    ],
)
def test_only_refusals_before_any_work_are_sent_again(status: int, body: object, seconds: float | None) -> None:
    found = answer(status, body, **{"retry-after": "3"})
    assert replies.wait_after_answer(0, 2, found) == seconds
    assert replies.wait_after_answer(2, 2, found) is None  # often enough


def test_nobody_waits_for_an_hour() -> None:
    assert replies.wait_after_answer(0, 1, answer(503, busy("overloaded"), **{"retry-after": "3600"})) == 10
    assert replies.wait_after_answer(0, 1, answer(503, busy("overloaded"))) == 1


def test_what_did_not_get_through_is_sent_again_with_longer_pauses() -> None:
    refused, cut = httpx.ConnectError("refused"), httpx.ReadError("cut")
    assert [replies.wait_after_failure(n, 3, refused) for n in range(4)] == [0.2, 0.4, 0.8, None]
    assert replies.wait_after_failure(0, 3, cut) is None  # it may have been done


def test_errors_come_back_as_the_librarys_own() -> None:
    told = {
        "type": "urn:sameface:no-face",
        "expected": "one face",
        "got": "none",
        "advice": "go on",
        "request_id": "r1",
    }
    with pytest.raises(NoFaceError, match="one face") as caught:
        replies.body_of(answer(422, told))
    assert caught.value.__notes__ == ["request r1"]
    with pytest.raises(SamefaceError, match="one face"):  # of a newer service
        replies.body_of(answer(422, {**told, "type": "urn:sameface:no-such-word"}))
    assert replies.body_of(answer(200, {"a": 1})) == {"a": 1}


@pytest.mark.parametrize("body", [b"<html>", {"type": "urn:sameface:no-face"}, [], "x", None])
def test_what_another_program_says_is_named_with_its_host(body: object) -> None:
    with pytest.raises(ServiceError, match=r"status 502 from faces\.example"):
        replies.body_of(answer(502, body))


def test_every_word_of_the_service_has_its_class() -> None:
    assert set(replies.kinds().values()) == set(errors.OUTCOMES)
    assert replies.kinds()["no-face"] is NoFaceError


@pytest.mark.parametrize("url", ["http://x", "http://x/", "http://x//"])
def test_the_address_and_the_key(url: str) -> None:
    made = replies.settings(url, "sf_1", 5.0)
    assert (made["base_url"], made["follow_redirects"]) == ("http://x/v1/", False)
    assert made["headers"] == {"Authorization": "Bearer sf_1"}
    assert replies.settings(url, None, 5.0)["headers"] == {}


def test_a_photo_that_cannot_be_read_takes_no_other_along(tmp_path: Path) -> None:
    place = tmp_path / "Ada"
    place.mkdir()
    for number in (1, 2, 3):
        (place / f"{number}.jpg").write_bytes(bytes([number]))
    (place / "0.jpg").symlink_to("nowhere")
    (place / "notes.txt").write_text("x")
    known = hashlib.sha256(bytes([2])).hexdigest()
    parts = [[photo.name for photo in part] for part in folders.parts_to_send(place, {known}, 8)]
    assert parts == [["1.jpg", "3.jpg"], ["0.jpg"]]
    assert len(folders.digests_below(place)) == 3
    with pytest.raises(ImageNotFoundError, match=r"0\.jpg"):
        GALLERY.enroll("Ada", [place / "0.jpg"], None, (), None, "", "only", None).request()
