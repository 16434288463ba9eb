"""The client against the service, in one process."""

from __future__ import annotations

import httpx
import pytest

from sameface import PersonId, Recognizer, errors
from sameface.client import Client
from sameface.client.replies import kinds
from sameface.errors import ServiceError, kind_of
from sameface.recognizer import gallery
from sameface.recognizer.domain import Judgement


class ToTheApp(httpx.BaseTransport):
    """Hands the client's requests to the service under test."""

    def __init__(self, api) -> None:
        self.api = api

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = [(name, value) for name, value in request.headers.items() if name not in ("host", "connection")]
        answer = self.api.request(request.method, str(request.url), content=request.read(), headers=headers)
        return httpx.Response(answer.status_code, headers=dict(answer.headers), content=answer.content)


@pytest.fixture
def client(api):
    with Client("http://127.0.0.1", transport=ToTheApp(api), retries=0) as connected:
        yield connected


def test_a_face_that_is_not_comparable_is_refused_unless_the_caller_forces_it(client, photos, monkeypatch):
    monkeypatch.setattr(Recognizer, "judge", lambda self, face: Judgement("outside", "it looks blurred"))
    with pytest.raises(errors.NotComparableError, match=r"not comparable \(it looks blurred\)"):
        client.verify(photos / "obama.jpg", photos / "obama2.jpg")
    forced = client.verify(photos / "obama.jpg", photos / "obama2.jpg", force=True)
    assert (forced.standing, forced.standing_reason, forced.probability) == ("outside", "it looks blurred", None)


def test_claims_and_searches_are_forced_as_the_library_forces_them(client, photos, monkeypatch):
    people = client.gallery("people")
    people.enroll("Obama", photos / "obama.jpg")
    monkeypatch.setattr(gallery, "judge", lambda *_: Judgement("outside", "it looks blurred"))
    probe = photos / "obama2.jpg"
    with pytest.raises(errors.NotComparableError, match=r"not comparable \(it looks blurred\)"):
        people.verify("Obama", probe)
    claimed = people.verify("Obama", probe, force=True)
    assert (claimed.standing, claimed.standing_reason, claimed.probability) == ("outside", "it looks blurred", None)
    assert [face.name for face in people.identify(probe)] == [None]
    (forced,) = people.identify(probe, force=True)
    assert (forced.name, forced.standing) == ("Obama", "outside")
    assert [one.faces[0].name for one in people.identify_many([probe])] == [None]
    assert [one.faces[0].name for one in people.identify_many([probe], force=True)] == ["Obama"]
    assert (
        people.identify(probe, force=True, threshold=0.0)[0].name is None
    )  # a stricter τ of the caller's holds all the same


def test_the_librarys_words_over_http(client, photos):
    yes = client.verify(photos / "obama.jpg", str(photos / "obama2.jpg"))
    assert yes
    assert yes.probe_box.width > 100
    assert not client.verify((photos / "obama.jpg").read_bytes(), photos / "biden.jpg")
    people = client.gallery("people")
    done = people.enroll(
        "Obama / é",
        [photos / "obama.jpg", photos / "biden.jpg"],
        review="strict",
        details={"a": "b"},
        groups=["x", "y"],
    )
    assert [report.accepted for report in done.reports] == [True, False]
    assert done.person.details == {"a": "b"}
    assert done.person.groups == ("x", "y")
    assert len(people) == 1
    with (photos / "obama3.jpg").open("rb") as file:
        assert people.identify(file)[0].name == "Obama / é"
    assert people.identify(photos / "biden.jpg")[0].name is None
    assert people.verify("Obama / é", photos / "obama2.jpg").claimed.name == "Obama / é"
    assert people.rename("Obama / é", "Barack").name == "Barack"
    assert [person.name for person in people.people()] == ["Barack"]
    assert people.forget("Barack").templates == 1
    assert len(people) == 0
    assert client.create_gallery("team-2").name in client.galleries()


def test_who_was_looked_up_is_meant_by_id(client, photos):
    people = client.gallery("people")
    ada = people.enroll("Ada", photos / "obama.jpg").person
    grace = people.enroll("Grace", photos / "grace_hopper.jpg").person
    people.rename("Ada", "Countess")
    people.rename("Grace", "Ada")  # the name has changed hands
    assert people.person(ada).name == "Countess"
    changed = people.update(PersonId(ada.person_id), details={"a": "b"}, groups=["x"])
    assert (changed.details, changed.groups, changed.name) == ({"a": "b"}, ("x",), "Countess")
    assert people.verify(ada, photos / "obama2.jpg").claimed.name == "Countess"
    assert people.forget(ada).person_id == ada.person_id
    assert [person.person_id for person in people.people()] == [grace.person_id]
    with pytest.raises(errors.PersonNotFoundError):
        people.forget(ada)
    people.rename(grace, "Grace Hopper")
    with pytest.raises(errors.PersonNotFoundError, match="Did you mean Grace Hopper"):
        people.forget("Grace Hoper")


def test_errors_are_the_librarys_own(client, photos, tmp_path):
    with pytest.raises(errors.NotAnImageError, match="JPEG"):
        client.verify(b"hello", photos / "obama.jpg")
    with pytest.raises(errors.PersonNotFoundError):
        client.gallery().forget("nobody")
    with pytest.raises(errors.GalleryMissingError):
        len(client.gallery("nowhere"))
    with pytest.raises(errors.PersonExistsError):
        client.create_gallery("people")
    with pytest.raises(errors.ImageNotFoundError):
        client.verify(tmp_path / "no.jpg", b"")
    with pytest.raises(errors.MalformedRequestError, match="policy"):
        client.verify(photos / "obama.jpg", photos / "obama2.jpg", threshold=1.9)


def test_every_kind_of_error_is_known_to_both_sides():
    assert {kind_of(kind): kind for kind in errors.OUTCOMES} == kinds()


def answering(*answers: httpx.Response | Exception) -> tuple[Client, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        answer = answers[min(len(seen), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Client("http://x", key="sf_k", transport=httpx.MockTransport(handle)), seen


def test_busy_services_are_asked_again():
    busy = httpx.Response(503, headers={"retry-after": "0"}, json={"type": "urn:sameface:overloaded"})
    client, seen = answering(busy, httpx.ConnectError("no"), httpx.Response(200, json={"galleries": ["a"]}))
    assert client.galleries() == ["a"]
    assert len(seen) == 3
    assert seen[0].headers["authorization"] == "Bearer sf_k"


def test_what_may_have_been_done_is_not_sent_again():
    client, seen = answering(httpx.ReadError("cut"))
    with pytest.raises(ServiceError, match="cut"):
        client.create_gallery("a")
    assert len(seen) == 1
    late = {"type": "urn:sameface:request-timeout", "expected": "a", "got": "b", "advice": "c"}
    client, seen = answering(httpx.Response(503, json=late))
    with pytest.raises(errors.RequestTimeoutError):
        client.create_gallery("a")
    assert len(seen) == 1


@pytest.mark.parametrize(
    "answer", [httpx.Response(502, text="<html>"), httpx.Response(404, json=[]), httpx.Response(301, json={})]
)
def test_other_programs_answers(answer):
    client, _ = answering(answer)
    with pytest.raises(ServiceError, match="proxy"):
        client.galleries()
