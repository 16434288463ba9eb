"""Tokens of an identity provider, against one on loopback: what is let in, and everything that is not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from sameface.errors import (
    IdentityProviderError,
    NotAllowedError,
    NotAuthenticatedError,
    SettingError,
)
from sameface.service.key_file import KeyFile
from sameface.service.oidc import OpenIdConnect, Provider

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()


def jwk(algorithm, key, kid: str, **rest: str) -> dict[str, str]:
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, **rest}


class Idp:
    """A provider on loopback."""

    def __init__(self) -> None:
        self.keys = [
            jwk(RSAAlgorithm, RSA, "rsa", alg="RS256", use="sig"),
            jwk(ECAlgorithm, EC, "ec"),
            jwk(OKPAlgorithm, ED, "ed"),
            jwk(RSAAlgorithm, OTHER, "secret-talk", use="enc"),
            {"kty": "oct", "kid": "shared", "k": base64.urlsafe_b64encode(b"x" * 32).decode()},
        ]
        self.asked: list[str] = []
        self.broken = False
        idp = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                idp.asked.append(self.path)
                described = {"issuer": idp.issuer, "jwks_uri": f"{idp.issuer}/keys"}
                body = {"/.well-known/openid-configuration": described, "/keys": {"keys": idp.keys}}.get(self.path)
                self.send_response(500 if idp.broken or body is None else 200)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def token(
        self, key=RSA, algorithm: str = "RS256", kid: str = "rsa", *, without: tuple[str, ...] = (), **rest
    ) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "sameface",
            "sub": "lovelace",
            "exp": now + 60,
            "iat": now,
            "roles": ["sameface:identify"],
            **rest,
        }
        for name in without:
            del claims[name]
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def idp() -> Iterator[Idp]:
    running = Idp()
    yield running
    running.close()


@pytest.fixture
def door(idp: Idp) -> OpenIdConnect:
    return OpenIdConnect(Provider(idp.issuer, "sameface"))


@pytest.mark.parametrize(("key", "algorithm", "kid"), [(RSA, "RS256", "rsa"), (EC, "ES256", "ec"), (ED, "EdDSA", "ed")])
def test_a_right_token_is_let_in(idp, door, key, algorithm, kid):
    caller = door.caller(idp.token(key, algorithm, kid))
    assert (caller.role, caller.galleries) == ("identify", ("*",))
    assert caller.key_id.startswith("oidc-")
    assert "lovelace" not in caller.key_id
    assert caller.key_id == door.caller(idp.token(key, algorithm, kid)).key_id
    assert len(idp.asked) == 2  # the description and the keys, once


def by_hand(head: dict[str, str], claims: dict[str, object], sign) -> str:
    def part(value: dict[str, object]) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    body = part(head) + b"." + part(claims)
    return (body + b"." + base64.urlsafe_b64encode(sign(body)).rstrip(b"=")).decode()


def wrong_tokens(idp: Idp) -> dict[str, str]:
    now = int(time.time())
    right = {"iss": idp.issuer, "aud": "sameface", "sub": "lovelace", "exp": now + 60, "roles": ["sameface:admin"]}
    public = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    head, claims, signature = idp.token().split(".")
    changed = base64.urlsafe_b64encode(json.dumps(right).encode()).rstrip(b"=").decode()
    return {
        "another issuer": idp.token(iss="http://127.0.0.1:1"),
        "another audience": idp.token(aud="other"),
        "no audience": idp.token(without=("aud",)),
        "no end": idp.token(without=("exp",)),
        "no issuer": idp.token(without=("iss",)),
        "nobody": idp.token(without=("sub",)),
        "over": idp.token(exp=now - 40),
        "not yet": idp.token(nbf=now + 40),
        "issued later than now": idp.token(iat=now + 40),
        "signed by another key": idp.token(OTHER),
        "an unknown key": idp.token(OTHER, kid="nowhere"),
        "a key that is not for signing": idp.token(OTHER, kid="secret-talk"),
        "another algorithm than the key's": idp.token(RSA, "PS256"),
        "another kind than the key's": idp.token(EC, "ES256", "rsa"),
        "a shared secret": idp.token("x" * 32, "HS256", "shared"),
        "the public key as a secret": by_hand(
            {"alg": "HS256", "typ": "JWT", "kid": "rsa"},
            right,
            lambda body: hmac.new(public, body, hashlib.sha256).digest(),
        ),
        "no signature": by_hand({"alg": "none", "kid": "rsa"}, right, lambda _: b""),
        "no signature, in capitals": by_hand({"alg": "NONE", "kid": "rsa"}, right, lambda _: b""),
        "another body": f"{head}.{changed}.{signature}",
        "cut short": f"{head}.{claims}.",
        "no token at all": "a.b.c",
        "endless": f"{head}.{'a' * 20_000}.{signature}",
    }


def test_no_wrong_token_is_let_in(idp, door):
    let_in = []
    for name, token in wrong_tokens(idp).items():
        try:
            let_in.append((name, door.caller(token)))
        except NotAuthenticatedError as error:
            if token in str(error):
                let_in.append((name, "and repeated"))
    assert let_in == []
    assert door.caller(idp.token()).role == "identify"


def test_clocks_may_differ_by_the_leeway(idp, door):
    now = int(time.time())
    assert door.caller(idp.token(exp=now - 20)).role == "identify"
    assert door.caller(idp.token(nbf=now + 20)).role == "identify"
    strict = OpenIdConnect(Provider(idp.issuer, "sameface", leeway=0))
    for wrong in (idp.token(exp=now - 1), idp.token(nbf=now + 20)):
        with pytest.raises(NotAuthenticatedError):
            strict.caller(wrong)


@pytest.mark.parametrize(
    ("roles", "role", "galleries"),
    [
        (["sameface:read", "sameface:enroll"], "enroll", ("*",)),
        (["sameface:enroll:people", "sameface:enroll:team-2", "sameface:read"], "enroll", ("people", "team-2")),
        (["sameface:admin:people", "sameface:admin"], "admin", ("*",)),
        ("sameface:identify other", "identify", ("*",)),
    ],
)
def test_roles_of_the_claim(idp, door, roles, role, galleries):
    caller = door.caller(idp.token(roles=roles))
    assert (caller.role, caller.galleries) == (role, galleries)


@pytest.mark.parametrize(
    "roles", [[], None, ["admin"], ["sameface:king"], {"sameface:admin": 1}, 7, [["sameface:admin"]]]
)
def test_without_a_role_nobody_is_let_in(idp, door, roles):
    with pytest.raises(NotAllowedError):
        door.caller(idp.token(roles=roles))


def test_roles_deep_inside(idp):
    door = OpenIdConnect(Provider(idp.issuer, "sameface", roles="realm_access.roles"))
    token = idp.token(realm_access={"roles": ["sameface:read"]})
    assert door.caller(token).role == "read"
    with pytest.raises(NotAllowedError):
        door.caller(idp.token())


def test_keys_that_turn_are_asked_for_now_and_then_only(idp):
    now = [0.0]
    door = OpenIdConnect(Provider(idp.issuer, "sameface", keys_at=f"{idp.issuer}/keys"), clock=lambda: now[0])
    assert door.caller(idp.token()).role == "identify"
    assert idp.asked == ["/keys"]
    idp.keys.append(jwk(RSAAlgorithm, OTHER, "next"))
    for _ in range(20):
        with pytest.raises(NotAuthenticatedError):
            door.caller(idp.token(OTHER, kid="next"))
    assert idp.asked == ["/keys"]
    now[0] = 31.0
    assert door.caller(idp.token(OTHER, kid="next")).role == "identify"
    idp.keys = idp.keys[-1:]
    now[0] = 62.0
    with pytest.raises(NotAuthenticatedError):
        door.caller(idp.token(kid="unknown"))  # asks again, and the old key is gone
    with pytest.raises(NotAuthenticatedError):
        door.caller(idp.token())


def test_a_provider_that_gives_no_answer(idp):
    idp.broken = True
    with pytest.raises(IdentityProviderError):
        OpenIdConnect(Provider(idp.issuer, "sameface")).caller(idp.token())
    for address in ("http://id.example", "file:///etc/passwd", "nonsense"):
        with pytest.raises(SettingError):
            OpenIdConnect(Provider(address, "sameface"))


def test_a_provider_of_another_name(idp):
    door = OpenIdConnect(Provider(f"{idp.issuer}/", "sameface"))
    with pytest.raises(IdentityProviderError):
        door.caller(idp.token())


def test_over_http_beside_keys(serve, idp, tmp_path, photo):
    keys = KeyFile(tmp_path / "keys.json")
    key = keys.add("read")[0]
    api = serve(keys=keys.path, oidc_issuer=idp.issuer, oidc_audience="sameface")

    def ask(bearer: str | None, path: str = "/v1/galleries") -> int:
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return api.get(path, headers=headers).status_code

    assert [ask(None), ask(key), ask(idp.token()), ask(idp.token(exp=1)), ask("a.b.c")] == [401, 200, 200, 401, 401]
    assert ask(idp.token(roles=["sameface:read:others"]), "/v1/galleries/people") == 403
    assert ask(idp.token(roles=[])) == 403
    asked = {"files": {"photo": photo("obama.jpg")}, "headers": {"Authorization": f"Bearer {idp.token()}"}}
    assert api.post("/v1/galleries/people/identify", **asked).status_code == 200
    written = (tmp_path / "audit.jsonl").read_text()
    assert '"key":"oidc-' in written
    assert "lovelace" not in written


def test_over_http_alone(serve, idp):
    api = serve(oidc_issuer=idp.issuer, oidc_audience="sameface")
    assert api.get("/v1/policy").status_code == 401
    assert api.get("/v1/policy", headers={"Authorization": "Bearer sf_x"}).status_code == 401
    answer = api.get("/v1/policy", headers={"Authorization": f"Bearer {idp.token()}"})
    assert answer.json()["role"] == "identify"
    idp.broken = True
    other = api.get("/v1/policy", headers={"Authorization": f"Bearer {idp.token(kid='new')}"})
    assert other.status_code == 401  # asked for a moment ago


def test_settings_of_a_provider(make_settings):
    with pytest.raises(SettingError):
        make_settings(oidc_issuer="https://id.example")
    assert make_settings(oidc_issuer="https://id.example", oidc_audience="x", host="0.0.0.0").asks_who
