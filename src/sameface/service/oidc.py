"""OpenID Connect beside keys: a bearer token of an identity provider, checked against its published keys. Needs the extra ``oidc``.

The provider is asked for its keys when the first token comes, and again when a token names a key that is not known, at most every half minute. A
token says by its claim of roles what its bearer may do: ``sameface:identify``, or ``sameface:enroll:people`` for one gallery.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast, get_args
from urllib.parse import urlsplit

from sameface.errors import (
    ExtraMissingError,
    IdentityProviderError,
    NotAllowedError,
    NotAuthenticatedError,
    SettingError,
)
from sameface.service.keys import ALL_GALLERIES, Caller, Role
from sameface.service.settings import is_loopback

#: Signatures that are believed: of a private key that only the provider has. None by a shared secret, and none without any.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_PREFIX: Final = "sameface"
_LONGEST: Final = 16_384
_MOST_BYTES: Final = 1 << 20
#: Seconds between two questions to the provider.
_AGAIN: Final = 30.0
_PATIENCE: Final = 5.0
_ORDER: Final[tuple[Role, ...]] = ("read", "identify", "enroll", "admin")


@dataclass(frozen=True, slots=True)
class Provider:
    """Who is believed.

    Attributes:
        issuer: as tokens name it, an https address (http on this machine alone).
        audience: what tokens must be made for.
        keys_at: address of the provider's keys, "" to find it by the issuer's own description.
        roles: the claim that holds roles; a path by dots, like ``realm_access.roles``.
        leeway: seconds by which clocks may differ.
    """

    issuer: str
    audience: str
    keys_at: str = ""
    roles: str = "roles"
    leeway: float = 30.0


@dataclass(frozen=True, slots=True)
class _PublicKey:
    public: Any
    algorithm: str | None


@dataclass
class OpenIdConnect:
    """Checks tokens of a provider. Safe to use from several threads; a call may wait for the provider.

    Attributes:
        provider: who is believed.
        clock: seconds that only grow.
    """

    provider: Provider
    clock: Callable[[], float] = time.monotonic
    _keys: dict[str, _PublicKey] = field(default_factory=dict)
    _asked: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        for address in (self.provider.issuer, self.provider.keys_at):
            if address and not may_be_asked(address):
                raise SettingError(
                    expected="an https address of the identity provider", got=address[:200], advice="correct it"
                )
        try:
            import jwt
        except ImportError as error:
            raise ExtraMissingError(
                expected="the extra `oidc` for tokens of an identity provider",
                got=f"no module {error.name}",
                advice='run `pip install "sameface[oidc]"`',
            ) from error
        self._jwt = jwt

    def caller(self, token: str) -> Caller:
        """Who a token belongs to.

        Raises:
            NotAuthenticatedError: not a token of this provider for this service, or its time is over; the words do not say what is wrong with it.
            NotAllowedError: a right token without a role here.
            IdentityProviderError: the provider's keys cannot be had.
        """
        jwt = self._jwt
        try:
            if len(token) > _LONGEST:
                raise jwt.InvalidTokenError
            head = jwt.get_unverified_header(token)
            key = self._key(str(head.get("kid", "")))
            if head.get("alg") not in ALGORITHMS or key.algorithm not in (None, head["alg"]):
                raise jwt.InvalidTokenError
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key.public,
                algorithms=[head["alg"]],
                issuer=self.provider.issuer,
                audience=self.provider.audience,
                leeway=self.provider.leeway,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise NotAuthenticatedError(
                expected="a valid key, or a token of the identity provider",
                got="a token that is not accepted",
                advice="sign in again",
            ) from error
        return self._as_caller(claims)

    def _as_caller(self, claims: Mapping[str, Any]) -> Caller:
        granted: dict[Role, set[str]] = {}
        for word in self._roles(claims):
            prefix, _, rest = word.partition(":")
            role, _, gallery = rest.partition(":")
            if prefix == _PREFIX and role in get_args(Role):
                granted.setdefault(cast(Role, role), set()).add(gallery or ALL_GALLERIES[0])
        if not granted:
            raise NotAllowedError(
                expected=f"a role like {_PREFIX}:identify in the token's claim {self.provider.roles!r}",
                got="none",
                advice="ask whoever manages the identity provider",
            )
        role = max(granted, key=_ORDER.index)
        galleries = ALL_GALLERIES if ALL_GALLERIES[0] in granted[role] else tuple(sorted(granted[role]))
        # Who it is stays with the provider: logs and the audit trail hold a digest that the same person always has.
        who = hashlib.sha256(f"{self.provider.issuer}\n{claims['sub']}".encode()).hexdigest()[:16]
        return Caller(f"oidc-{who}", role, galleries)

    def _roles(self, claims: Mapping[str, Any]) -> list[str]:
        found: Any = claims
        for name in self.provider.roles.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        words = found.split() if isinstance(found, str) else found
        return [word for word in words if isinstance(word, str)] if isinstance(words, list) else []

    # -- the provider's keys ------------------------------------------------------------------------------------------
    def _key(self, kid: str) -> _PublicKey:
        with self._lock:
            due = self._asked is None or self.clock() - self._asked >= _AGAIN
            if kid not in self._keys and due:
                self._asked = self.clock()
                self._keys = self._fetched()
            found = self._keys.get(kid)
            if found is None and not kid and len(self._keys) == 1:  # a provider with one key need not name it
                (found,) = self._keys.values()
        if found is None:
            raise self._jwt.InvalidKeyError
        return found

    def _fetched(self) -> dict[str, _PublicKey]:
        place = self.provider.keys_at
        if not place:
            described = _asked_for(f"{self.provider.issuer.rstrip('/')}/.well-known/openid-configuration")
            if described.get("issuer") != self.provider.issuer:
                raise _unavailable("a description of another issuer")
            place = str(described.get("jwks_uri", ""))
        keys: dict[str, _PublicKey] = {}
        listed = _asked_for(place).get("keys")
        for item in listed if isinstance(listed, list) else []:
            if not isinstance(item, dict) or item.get("kty") == "oct" or item.get("use", "sig") != "sig":
                continue
            try:
                public = self._jwt.PyJWK.from_dict(item).key
            except self._jwt.PyJWTError:  # a kind of key that is not known here
                continue
            keys[str(item.get("kid", ""))] = _PublicKey(public, item.get("alg"))
        if not keys:
            raise _unavailable("no keys")
        return keys


def is_token(text: str) -> bool:
    """Whether a bearer's text is a token and not a key of this service.

    >>> is_token("sf_0123456789ab_x"), is_token("a.b.c")
    (False, True)
    """
    return not text.startswith("sf_") and text.count(".") == 2


def _asked_for(address: str) -> dict[str, Any]:
    """A JSON object from the provider. Raises IdentityProviderError."""
    if not may_be_asked(address):
        raise _unavailable("an address that is not https")
    try:
        with urllib.request.urlopen(address, timeout=_PATIENCE) as answer:  # https, or this machine
            found = json.loads(answer.read(_MOST_BYTES))
    except (OSError, ValueError, urllib.error.URLError) as error:
        raise _unavailable(type(error).__name__) from error
    if not isinstance(found, dict):
        raise _unavailable("something else")
    return found


def may_be_asked(address: str) -> bool:
    """Whether an address is https, or http on this machine.

    >>> [may_be_asked(text) for text in ("https://id.example", "http://127.0.0.1:8080/x", "http://id.example", "file:///etc/passwd")]
    [True, True, False, False]
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def _unavailable(got: str) -> IdentityProviderError:
    return IdentityProviderError(
        expected="the keys of the identity provider", got=got, advice="try again; the operator looks at the provider"
    )
