"""Consent, retention, holds and access over HTTP, and that the service forgets by itself."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from sameface import Consent, Retention
from sameface.client import Client
from sameface.errors import NotAllowedError, PersonHeldError
from sameface.gallery import NewPerson
from sameface.service.key_file import KeyFile
from sameface.types import Template
from tests.service.test_client import ToTheApp

PAST = "2020-01-01T00:00:00+00:00"
LATER = (datetime.now(UTC) + timedelta(days=90)).date().isoformat()


def store_of(api):
    return api.app.state.desk.shelf.get("people").store


def add(api, name, **rest):
    """Somebody without a photo of anybody: their embedding is random."""
    store = store_of(api)
    vector = np.random.default_rng(len(store)).standard_normal(store.dimension).astype(np.float32)
    store.add_many([NewPerson(name, [Template(vector / np.linalg.norm(vector), "door.jpg")], **rest)])


@pytest.fixture
def people(serve):
    """A gallery through the client, in a service that does not look for ends while a test lasts."""
    api = serve(expire_every=3600.0)
    with Client("http://127.0.0.1", transport=ToTheApp(api), retries=0) as connected:
        yield api, connected.gallery("people")


def test_consent_and_ends_at_enrolment_and_later(people, photos):
    api, gallery = people
    consent = Consent("the front door", "2026-11-20", LATER, "form 12")
    done = gallery.enroll("Obama", photos / "obama.jpg", consent=consent, keep_until=LATER)
    person = done.person
    assert (person.consent.purpose, person.consent.evidence) == ("the front door", "form 12")
    assert person.expires[:10] > LATER
    changed = gallery.update("Obama", keep_until="", consent=Consent("the canteen", "2026-11-21"))
    assert (changed.consent.purpose, changed.expires) == ("the canteen", "")
    assert (
        api.patch(f"/v1/galleries/people/people/{person.person_id}", json={"keep_until": "2001-01-01"}).status_code
        == 422
    )
    assert api.get("/v1/galleries/people/people").json()["people"][0]["consent"]["until"] == ""


def test_holds(people):
    api, gallery = people
    add(api, "Ada")
    assert gallery.hold("Ada", "case 7").hold == "case 7"
    with pytest.raises(PersonHeldError):
        gallery.forget("Ada")
    refused = api.delete("/v1/galleries/people")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:sameface:person-held")
    assert len(gallery) == 1
    assert gallery.lift_hold("Ada").hold == ""
    gallery.forget("Ada")
    assert api.delete("/v1/galleries/people").json() == {"gallery": "people", "people": 0}


def test_retention_and_forgetting_when_asked(people):
    api, gallery = people
    add(api, "Ada", created="2026-01-01T00:00:00+00:00", groups=["guests"])
    add(api, "Bob", keep_until=LATER)
    gallery.set_retention(Retention(days=36_000), group="guests")
    assert gallery.retention() == {"guests": Retention(days=36_000)}
    assert [person["name"] for person in api.get("/v1/galleries/people/ending?within=100").json()["people"]] == ["Bob"]
    gallery.set_retention(Retention(days=1))
    assert [person.name for person in gallery.people()] == ["Bob"]
    assert len(gallery.expire().people) == 1
    gallery.set_retention(None, group="guests")
    assert gallery.retention() == {"": Retention(days=1)}


def test_what_is_kept_of_somebody(people, photos):
    _, gallery = people
    gallery.enroll(
        "Obama",
        photos / "obama.jpg",
        details={"team": "night"},
        groups=["staff"],
        consent=Consent("door", "2026-11-20"),
    )
    kept = gallery.access("Obama")
    assert (kept.person.name, dict(kept.person.details), kept.person.groups) == ("Obama", {"team": "night"}, ("staff",))
    (photo,) = kept.photos
    assert photo.quality > 0.5
    assert photo.embedding is None
    assert photo.added[:10] == datetime.now(UTC).date().isoformat()
    assert [line.action for line in kept.audit] == ["add", "consent", "access"]
    with pytest.raises(NotAllowedError):
        gallery.access("Obama", embeddings=True)


def test_one_person_entered_twice_and_their_history(people):
    api, gallery = people
    for name in ("Ada", "Ada L."):
        add(api, name)
    gone = gallery.person("Ada L.").person_id
    gallery.update("Ada", groups=["staff"])
    assert gallery.merge("Ada", "Ada L.").photos == 2
    assert [person.name for person in gallery.people()] == ["Ada"]
    assert [(line.action, line.photos) for line in gallery.history("Ada")] == [("groups", 0), ("merge", 1)]
    assert [line.action for line in store_of(api).audit(1)] == ["merge"]  # to read it is no event
    url = f"/v1/galleries/people/people/{gallery.person('Ada').person_id}/merge"
    assert api.post(url, json={"other": gone}).status_code == 404
    assert api.post(url, json={"other": url.split("/")[-2]}).json()["expected"] == "somebody else"
    assert api.post(url, json={"other": "Ada L."}).status_code == 422


def test_embeddings_only_where_they_are_allowed_to_whom(serve, tmp_path):
    keys = KeyFile(tmp_path / "keys.json")
    admin, enroll = keys.add("admin")[0], keys.add("enroll")[0]
    api = serve(keys=keys.path, embeddings=True)
    add(api, "Ada")
    who = store_of(api).person("Ada").person_id
    for key, status, length in ((admin, 200, store_of(api).dimension), (enroll, 403, 0)):
        answer = api.get(f"/v1/galleries/people/people/{who}/access?embeddings=true", headers={"X-API-Key": key})
        assert answer.status_code == status
        assert len(answer.json().get("photos", [{"embedding": []}])[0]["embedding"]) == length


def test_the_service_forgets_by_itself_and_writes_it_down(serve, tmp_path):
    api = serve(expire_every=0.1)
    store = store_of(api)
    add(api, "Ada", keep_until=PAST)
    add(api, "Bob")
    deadline = time.monotonic() + 30
    while store.ending() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert store.ending() == []
    assert [person.name for person in store.people()] == ["Bob"]
    while '"expire"' not in (tmp_path / "audit.jsonl").read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    (line,) = (line for line in lines if line["action"] == "expire")
    assert (line["gallery"], line["people"], line["templates"], line["key"]) == ("people", 1, 1, "")
