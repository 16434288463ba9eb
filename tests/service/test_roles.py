"""Every route × every caller × every gallery, from the OpenAPI document: who is let in, and who learns nothing."""

from __future__ import annotations

import itertools

import pytest

from sameface.service.app import create_app
from sameface.service.key_file import KeyFile
from sameface.service.settings import Settings
from tests.service.documented import DOCUMENT

#: What each operation needs, by hand: the smallest role that may ask; "" for nobody's key.
NEEDS = {
    "GET /v1/health": "",
    "GET /v1/ready": "",
    "GET /v1/policy": "read",
    "GET /v1/models": "read",
    "GET /v1/metrics": "read",
    "GET /v1/reports": "read",
    "GET /v1/reports/{name}": "read",
    "GET /v1/galleries": "read",
    "GET /v1/galleries/{gallery}": "read",
    "GET /v1/galleries/{gallery}/people": "read",
    "GET /v1/galleries/{gallery}/people/{person_id}": "read",
    "GET /v1/galleries/{gallery}/people/{person_id}/photos": "read",
    "POST /v1/verify": "identify",
    "POST /v1/liveness": "identify",
    "POST /v1/liveness/{session}/frames": "identify",
    "GET /v1/liveness/{session}": "identify",
    "POST /v1/detect": "identify",
    "POST /v1/galleries/{gallery}/identify": "identify",
    "POST /v1/galleries/{gallery}/identify-many": "identify",
    "POST /v1/galleries/{gallery}/verify": "identify",
    "POST /v1/galleries/{gallery}/people": "enroll",
    "PATCH /v1/galleries/{gallery}/people/{person_id}": "enroll",
    "DELETE /v1/galleries/{gallery}/people/{person_id}": "enroll",
    "DELETE /v1/galleries/{gallery}/people/{person_id}/photos/{photo_id}": "enroll",
    "GET /v1/galleries/{gallery}/people/{person_id}/access": "enroll",
    "GET /v1/galleries/{gallery}/people/{person_id}/history": "enroll",
    "POST /v1/galleries/{gallery}/people/{person_id}/merge": "enroll",
    "POST /v1/galleries/{gallery}/jobs": "enroll",
    "GET /v1/galleries/{gallery}/jobs": "enroll",
    "GET /v1/galleries/{gallery}/jobs/{job_id}": "enroll",
    "DELETE /v1/galleries/{gallery}/jobs/{job_id}": "enroll",
    "POST /v1/galleries/{gallery}/jobs/{job_id}/missing": "enroll",
    "POST /v1/galleries/{gallery}/jobs/{job_id}/people": "enroll",
    "GET /v1/galleries/{gallery}/retention": "read",
    "GET /v1/galleries/{gallery}/ending": "read",
    "POST /v1/galleries/{gallery}/expire": "enroll",
    "PUT /v1/galleries/{gallery}/people/{person_id}/hold": "admin",
    "DELETE /v1/galleries/{gallery}/people/{person_id}/hold": "admin",
    "PUT /v1/galleries/{gallery}/retention": "admin",
    "POST /v1/galleries": "admin",
    "DELETE /v1/galleries/{gallery}": "admin",
    "POST /v1/embeddings": "admin",
}
ROLES = ("read", "identify", "enroll", "admin")
OPERATIONS = sorted(
    f"{method.upper()} {path}"
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if method != "parameters"
)


def test_every_operation_of_the_document_is_here():
    assert sorted(NEEDS) == OPERATIONS


@pytest.fixture(scope="module")
def house(tmp_path_factory, point_file):
    """A service with the galleries `mine` and `theirs`, and a key of each role for `mine` and for all."""
    from starlette.testclient import TestClient

    folder = tmp_path_factory.mktemp("roles")
    keys = KeyFile(folder / "keys.json")
    callers = {
        (role, scope): keys.add(role, ("*",) if scope == "all" else ("mine", "nowhere"))[0]
        for role in ROLES
        for scope in ("all", "mine")
    }
    ended = keys.add("admin")
    keys.revoke(ended[1].id)
    callers["revoked", "all"] = ended[0]
    settings = Settings(
        galleries=str(folder / "g"),
        keys=keys.path,
        operating_point=str(point_file),
        embeddings=True,
        rate=1e6,
        burst=10**6,
    )
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as api:
        yield api, callers


def ask(api, operation: str, gallery: str, key: str | None):
    method, path = operation.split()
    for name, value in {
        "gallery": gallery,
        "person_id": "0" * 32,
        "photo_id": "1",
        "session": "0" * 32,
        "name": "x.json",
        "job_id": "0" * 16,
    }.items():
        path = path.replace(f"{{{name}}}", value)
    body = {"json": {}} if method in ("POST", "PATCH", "PUT") else {}
    return api.request(method, path, headers={"X-API-Key": key} if key else {}, **body)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_who_is_let_in(house, operation):
    api, callers = house
    galleries = ("mine", "theirs", "nowhere") if "{gallery}" in operation else ("mine",)
    shelf = api.app.state.desk.shelf
    wrong = []
    for gallery, (caller, key) in itertools.product(galleries, [*callers.items(), (("nobody", "all"), None)]):
        for name in ("mine", "theirs"):
            if name not in shelf.names():
                shelf.create(name)
        role, scope = caller
        needs = NEEDS[operation]
        within = scope == "all" or gallery != "theirs"
        if not needs:
            expected = 0
        elif role in ("nobody", "revoked"):
            expected = 401
        else:
            expected = 0 if ROLES.index(role) >= ROLES.index(needs) and within else 403
        status = ask(api, operation, gallery, key).status_code
        refused = status if status in (401, 403) else 0
        if refused != expected:
            wrong.append((operation, gallery, caller, status))
        assert status < 500, (operation, gallery, caller)
    assert wrong == []


def test_a_scoped_admin_makes_only_their_own_galleries(house):
    api, callers = house
    for name, status in (("elsewhere", 403), ("nowhere", 201)):
        answer = api.post("/v1/galleries", json={"name": name}, headers={"X-API-Key": callers["admin", "mine"]})
        assert answer.status_code == status


def test_others_galleries_and_those_that_are_not_there_look_the_same(house):
    api, callers = house
    key = callers["read", "mine"]
    theirs, nothing = (ask(api, "GET /v1/galleries/{gallery}", name, key).json() for name in ("theirs", "never-made"))
    for answer in (theirs, nothing):
        answer.pop("request_id")
    assert {**theirs, "expected": "", "detail": ""} == {**nothing, "expected": "", "detail": ""}
