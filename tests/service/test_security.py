"""What the service refuses, to whom, and what it never says."""

from __future__ import annotations

import json
import logging
import time

import pytest
from starlette.testclient import TestClient

from sameface.errors import KeyFileError
from sameface.service import audit
from sameface.service.app import create_app
from sameface.service.key_file import KeyFile
from sameface.service.key_use import KeyUse


@pytest.fixture
def keys(tmp_path):
    return KeyFile(tmp_path / "keys.json")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


class TestKeys:
    @pytest.fixture
    def locked(self, serve, keys):
        keys.add("admin")
        return serve(keys=keys.path, rate=1.0, burst=30)

    def test_nothing_without_a_key_but_health(self, serve, keys):
        keys.add("admin")
        locked = serve(keys=keys.path, burst=1000)  # more than there are routes
        document = locked.get("/v1/openapi.json").json()
        for path, methods in document["paths"].items():
            for method in methods:
                url = path.replace("{gallery}", "people").replace("{person_id}", "0" * 32).replace("{photo_id}", "1")
                answer = locked.request(method.upper(), url.replace("{name}", "x"))
                if path in ("/v1/health", "/v1/ready"):
                    assert answer.status_code == 200
                else:
                    assert answer.status_code == 401, (method, path)
                    assert answer.headers["www-authenticate"] == "Bearer"

    def test_guessing_is_slowed_down(self, locked):
        answers = [
            locked.get("/v1/galleries", headers=bearer(f"sf_{number:012x}_{'A' * 43}")).status_code
            for number in range(40)
        ]
        assert answers[0] == 401
        assert answers[-1] == 429

    def test_roles_and_scope(self, serve, keys, photo):
        admin, _ = keys.add("admin")
        names = {role: keys.add(role, ("people",))[0] for role in ("read", "identify", "enroll", "admin")}
        api = serve(keys=keys.path)
        assert api.post("/v1/galleries", json={"name": "other"}, headers=bearer(admin)).status_code == 201
        upload = {"photo": photo("obama.jpg")}
        asked = {
            "see": lambda g, h: api.get(f"/v1/galleries/{g}/people", headers=h),
            "ask": lambda g, h: api.post(f"/v1/galleries/{g}/identify", files=upload, headers=h),
            "write": lambda g, h: api.post(f"/v1/galleries/{g}/people", data={"name": "x"}, headers=h),
            "erase": lambda g, h: api.delete(f"/v1/galleries/{g}/people/{'0' * 32}", headers=h),
        }
        may = {"read": {"see"}, "identify": {"see", "ask"}, "enroll": set(asked), "admin": set(asked)}
        for role, key in names.items():
            for action, ask in asked.items():
                status = ask("people", bearer(key)).status_code
                assert (status != 403) is (action in may[role]), (role, action, status)
                # Others' galleries and galleries that are not there look the same.
                assert ask("other", bearer(key)).status_code == 403
                assert ask("nowhere", bearer(key)).status_code == 403
        assert api.get("/v1/galleries", headers=bearer(names["read"])).json() == {"galleries": ["people"]}
        assert api.post("/v1/galleries", json={"name": "new"}, headers=bearer(names["admin"])).status_code == 403
        assert api.get("/v1/galleries", headers={"X-API-Key": admin}).json() == {"galleries": ["other", "people"]}

    def test_a_revoked_key_is_refused_at_once(self, serve, keys):
        key, stored = keys.add("read")
        api = serve(keys=keys.path)
        assert api.get("/v1/galleries", headers=bearer(key)).status_code == 200
        keys.revoke(stored.id)
        assert api.get("/v1/galleries", headers=bearer(key)).status_code == 401

    @pytest.mark.parametrize("header", ["Bearer", "Basic abc", "bearer  ", "Bearer \x00", "Bearer " + "x" * 5000])
    def test_broken_headers(self, locked, header):
        assert locked.get("/v1/galleries", headers={"Authorization": header}).status_code == 401


class TestBrowsers:
    def test_other_host_names_are_refused_without_keys(self, serve, keys):
        api = serve()
        for host, status in [
            ("127.0.0.1:80", 200),
            ("localhost", 200),
            ("[::1]:8000", 200),
            ("evil.example", 403),
            ("", 403),
            ("[", 403),
        ]:
            assert api.get("/v1/health", headers={"Host": host}).status_code == status, host
        keys.add("read")
        assert serve(keys=keys.path).get("/v1/health", headers={"Host": "faces.example"}).status_code == 200
        named = serve(keys=keys.path, allowed_hosts=("faces.example",))
        assert named.get("/v1/health", headers={"Host": "faces.example:443"}).status_code == 200
        assert named.get("/v1/health", headers={"Host": "evil.example"}).status_code == 403

    @pytest.mark.parametrize(
        "origin",
        [
            "https://evil.example", "null", "http://127.0.0.1:1", "http://localhost", "http://[", "http://", "", "://", "http://127.0.0.1@evil.example",
            "http://127.0.0.1:99999", "http://127.0.0.1:x", "127.0.0.1", "http://[::1", "file:///etc/passwd",
        ],
    )  # fmt: skip
    def test_other_sites_cannot_post(self, api, origin):
        answer = api.post("/v1/galleries", json={"name": "x"}, headers={"Origin": origin})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers

    def test_the_own_page_can(self, api):
        assert api.post("/v1/galleries", json={"name": "x"}, headers={"Origin": "http://127.0.0.1"}).status_code == 201

    @pytest.mark.parametrize(
        ("origin", "host"),
        [
            ("https://faces.example", "faces.example"),
            ("https://faces.example", "faces.example:443"),
            ("https://faces.example:8443", "faces.example:8443"),
            ("https://faces.example", "FACES.example."),
            ("http://[::1]:8000", "[::1]:8000"),
        ],
    )
    def test_the_own_page_can_by_any_spelling_of_its_host(self, serve, keys, origin, host):
        key, _ = keys.add("admin")
        headers = {"Origin": origin, "Host": host, **bearer(key)}
        assert serve(keys=keys.path).post("/v1/galleries", json={"name": "x"}, headers=headers).status_code == 201

    def test_preflights_get_no_permission(self, api):
        headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        answer = api.options("/v1/verify", headers=headers)
        assert answer.status_code in (403, 405)
        assert not any(name.startswith("access-control") for name in answer.headers)

    @pytest.mark.parametrize("path", ["/", "/v1/health", "/v1/nothing", "/js/main.js"])
    def test_headers(self, api, path):
        headers = api.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in headers
        assert "strict-transport-security" not in headers
        assert headers["cache-control"] == ("no-store" if path.startswith("/v1") else "no-cache")

    def test_hsts_with_tls(self, serve):
        assert "strict-transport-security" in serve(secure=True).get("/v1/health").headers

    @pytest.mark.parametrize(("given", "kept"), [("abc-1", True), ("a b", False), ("x" * 65, False), ("a\nb", False)])
    def test_request_ids(self, api, given, kept):
        answer = api.get("/v1/nothing", headers={"X-Request-Id": given.replace("\n", "%0a")})
        assert (answer.headers["x-request-id"] == given) is kept
        assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_embeddings_are_off_by_default(api, photo):
    answer = api.post("/v1/embeddings", files={"photo": photo("obama.jpg")})
    assert answer.status_code == 403
    assert "--allow-embeddings" in answer.json()["advice"]


def test_rate(serve):
    api = serve(rate=0.001, burst=3)
    statuses = [api.get("/v1/galleries") for _ in range(5)]
    assert [answer.status_code for answer in statuses] == [200, 200, 200, 429, 429]
    assert int(statuses[-1].headers["retry-after"]) > 100
    assert api.get("/v1/health").status_code == 200  # a probe never starves


def test_no_answer_and_no_log_holds_biometrics_or_names(api, photo, caplog):
    with caplog.at_level(logging.DEBUG):
        done = api.post(
            "/v1/galleries/people/people", data={"name": "Obama-the-secret"}, files={"photos": photo("obama.jpg")}
        )
        api.get("/v1/galleries/people/people", params={"search": "Obama-the-secret"})
        api.post("/v1/galleries/people/identify", files={"photo": photo("obama2.jpg")})
    ours = "\n".join(
        record.getMessage() for record in caplog.records if record.name.startswith(("sameface", "uvicorn"))
    )
    assert "request=" in ours
    assert "Obama-the-secret" not in ours
    embedding = api.app.state.desk.recognizer.encode_photo(photo("obama.jpg")).embedding
    for number in embedding[:5]:
        assert f"{float(number):.4f}"[2:] not in ours
    assert "embedding" not in json.dumps(done.json())


def test_a_fault_of_ours_is_a_problem_without_innards(serve, monkeypatch):
    api = serve()

    def explode() -> None:
        raise RuntimeError("/etc/secret of Obama")

    monkeypatch.setattr(api.app.state.desk.shelf, "names", explode)
    answer = api.get("/v1/galleries")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert "content-security-policy" in answer.headers


def test_strangers_make_up_no_labels(api):
    """12,000 requests with methods of a stranger's own took 103 MB, each for ever."""
    lines = []
    for first in (0, 50, 100):
        for number in range(first, first + 50):
            api.request(f"BREW{number}", f"/v1/{number}")
            api.request("GET", f"/v1/galleries/g{number}")
        lines.append(api.get("/v1/metrics").text.splitlines())
    assert not any("BREW" in line for line in lines[-1])
    assert any('method="other"' in line for line in lines[-1])
    assert len(lines[1]) == len(lines[2])


def test_a_damaged_file_of_keys_says_nothing_of_where_it_is(serve, keys, caplog):
    key, _ = keys.add("admin")
    api = serve(keys=keys.path)
    keys.path.write_text("[{]")
    caplog.set_level(logging.INFO)
    answer = api.get("/v1/galleries", headers=bearer(key))
    assert answer.status_code == 503
    assert str(keys.path) not in answer.text
    assert answer.json()["request_id"] in caplog.text
    line = next(record for record in caplog.records if record.levelname == "ERROR")
    assert str(keys.path) in line.getMessage()
    assert answer.json()["request_id"] in line.getMessage()


def test_no_start_with_keys_that_are_not_there(serve, tmp_path):
    with pytest.raises(KeyFileError, match="keys add"):
        serve(keys=tmp_path / "nothing.json")


def test_a_key_has_a_rate_of_its_own(serve, keys):
    slow, _ = keys.add("read", rate=0.001, burst=2)
    usual, _ = keys.add("read")
    api = serve(keys=keys.path)
    assert [api.get("/v1/galleries", headers=bearer(slow)).status_code for _ in range(3)] == [200, 200, 429]
    assert [api.get("/v1/galleries", headers=bearer(usual)).status_code for _ in range(3)] == [200, 200, 200]


def test_the_audit_trail_holds_refusals_reads_and_faults_with_the_clients_address(serve, keys, photo, tmp_path):
    reader, stored = keys.add("read")
    api = serve(keys=keys.path)
    api.get("/v1/galleries/people/people", headers=bearer(reader))
    api.post("/v1/galleries/people/identify", files={"photo": photo("obama.jpg")}, headers=bearer(reader))
    api.get("/v1/galleries")
    admin, _ = keys.add("admin")
    api.post("/v1/galleries/people/identify", files={"photo": b"no photo"}, headers=bearer(admin))
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [(line["action"], line["outcome"]) for line in lines] == [
        ("list people", "done"),
        ("identify", "not-allowed"),
        ("galleries", "not-authenticated"),
        ("identify", "not-an-image"),
    ]
    assert lines[0]["key"] == stored.id
    assert {line["address"] for line in lines} == {"testclient"}


def test_guesses_do_not_fill_the_disk(serve, keys, tmp_path):
    keys.add("admin")
    api = serve(keys=keys.path)
    for _ in range(200):
        api.get("/v1/galleries")
    assert len((tmp_path / "audit.jsonl").read_text().splitlines()) < 30


def test_nothing_is_answered_unrecorded(serve, tmp_path, monkeypatch):
    api = serve()
    monkeypatch.setattr(audit, "_append", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    api.get("/v1/galleries/people")
    refused = api.get("/v1/galleries/people")
    assert refused.status_code == 507
    assert api.get("/v1/ready").json()["status"] == "broken"
    monkeypatch.undo()
    assert api.get("/v1/galleries/people").status_code == 200
    assert len((tmp_path / "audit.jsonl").read_text().splitlines()) >= 2


def test_a_timeout_is_in_the_audit_trail(serve, photo, tmp_path, monkeypatch):
    api = serve(timeout=0.2)
    shelf = api.app.state.desk.shelf

    held = shelf.get("people")

    def slow(_: str):
        time.sleep(0.5)
        return held

    monkeypatch.setattr(shelf, "get", slow)
    assert api.get("/v1/galleries/people").status_code == 503
    (line,) = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert (line["action"], line["gallery"], line["outcome"]) == ("see gallery", "people", "request-timeout")


def test_the_last_use_of_a_key_is_written_at_the_end(make_settings, keys):
    key, stored = keys.add("read")
    with TestClient(create_app(make_settings(keys=keys.path)), base_url="http://127.0.0.1") as api:
        assert api.get("/v1/galleries", headers=bearer(key)).status_code == 200
        assert api.get("/v1/galleries", headers=bearer("sf_0123456789ab_" + "A" * 43)).status_code == 401
    assert set(KeyUse(keys.path).last()) == {stored.id}
