"""Everything a running service may and may not do, in one frozen value."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec

from sameface.defaults import DEFAULT_FPIR
from sameface.errors import SettingError
from sameface.gallery import is_server
from sameface.plain import known
from sameface.service.logs import LogFormat

#: Formats that strangers may upload: decoders that are fuzzed by browsers every day.
UPLOAD_FORMATS: Final = ("JPEG", "PNG", "WEBP")
LeastReview = Literal["standard", "strict"]
Replays = Literal["flag", "refuse"]
LivenessPolicy = Literal["off", "warn", "require"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of `sameface serve`.

    Attributes:
        galleries: a folder with one file per gallery, or ``postgresql://…``.
        keys: the file of hashed keys; None means that nobody needs one, which only loopback allows.
        oidc_issuer, oidc_audience: the identity provider whose tokens are taken beside keys, and what they must be made for; "" for none.
            oidc_keys: address of its keys, "" to find it by the issuer. oidc_roles: the claim that holds roles, a path by dots.
            oidc_leeway: seconds by which clocks may differ.
        host, port: where to listen.
        allowed_hosts: names by which browsers may address the service; empty allows the loopback names, plus any when keys are asked for.
        detector, encoder: as for `Recognizer`; "" takes those that the galleries were made with, else the defaults.
        device: as for `Recognizer`.
        operating_point: file of the policy's τ; "" takes the one measured for the encoder. Callers may only be stricter.
        threshold: policy τ as a bare number, None takes the operating point's.
        fpir: policy for 1:K: share of searches of unknown people that may name somebody.
        embeddings: whether admins get embeddings, by ``/v1/embeddings``, and exact distances; both are biometric data.
        review: the least that a photo must pass at enrolment; callers may only ask for more.
        replays: what to do with a probe that is an enrolled photo: flag it, or answer no.
        attempts: refused claims of one person, per key and hour. near_misses: answers "nobody" just above τ(K) for one person, per key
            and hour, and four times as many a day; after them that person is named to that key for clear matches alone, for a while.
            Callers with embeddings are not counted.
        liveness: whether identify and claims need a session of liveness that passed: no; no, but the answer and the audit say
            what was shown; yes. least_passive: least median of the passive score of a session's frames, 0 asks for none.
        live_folder: where workers share their sessions; "" for a folder of the process's own.
        max_body: bytes of a whole request. max_bodies: of all requests that are being read. max_photo: of one photo.
        max_pixels: of one photo. pixels_at_once: of all photos that are decoded at once, at least two of the largest.
        max_photos: photos in one request. max_faces: faces in one photo.
        formats: what may be uploaded.
        workers: threads that decode, detect and align; one more than cores keeps these busy, more would starve whoever is refused.
        queue: requests that may wait for them; more are refused at once.
        batch: faces that concurrent requests may share in one encoder call.
        timeout: seconds for a request, its body included. header_timeout: seconds for its head.
        rate, burst: requests per second and at once, per key (per address without keys).
        expire_every: seconds between two looks for people whose time is over, to forget them.
        audit: file of the audit trail, None for none.
        jobs: folder of bulk enrolments; None takes ``jobs`` in the folder of galleries, and has none where galleries lie in a database.
        reports: folder of evaluation reports that the page may show, None for none.
        secure: whether TLS protects the connection (here or at a proxy), for HSTS.
        proxies: addresses or networks whose ``X-Forwarded-*`` headers are believed, by commas. root_path: prefix under which a proxy shows
            the service, like ``/faces``.
        log_format: of the lines on standard error.
        traces: address of an OpenTelemetry collector, like ``http://127.0.0.1:4318/v1/traces``; "" tells nobody.
    """

    galleries: str
    keys: Path | None = None
    oidc_issuer: str = ""
    oidc_audience: str = ""
    oidc_keys: str = ""
    oidc_roles: str = "roles"
    oidc_leeway: float = 30.0
    host: str = "127.0.0.1"
    port: int = 8000
    allowed_hosts: tuple[str, ...] = ()
    detector: str = ""
    encoder: str = ""
    device: str = "cpu"
    operating_point: str = ""
    threshold: float | None = None
    fpir: float = DEFAULT_FPIR
    embeddings: bool = False
    review: LeastReview = "strict"
    replays: Replays = "flag"
    attempts: int = 10
    near_misses: int = 60
    liveness: LivenessPolicy = "off"
    least_passive: float = 0.0
    live_folder: str = ""
    max_body: int = 40 * 2**20
    max_bodies: int = 256 * 2**20
    max_photo: int = 12 * 2**20
    max_pixels: int = 25_000_000
    pixels_at_once: int = 50_000_000
    max_photos: int = 20
    max_faces: int = 100
    formats: tuple[str, ...] = UPLOAD_FORMATS
    workers: int = field(default_factory=lambda: 1 + (os.cpu_count() or 1))
    queue: int = 32
    batch: int = 32
    timeout: float = 30.0
    header_timeout: float = 10.0
    rate: float = 50.0
    burst: int = 100
    expire_every: float = 60.0
    audit: Path | None = None
    jobs: Path | None = None
    reports: Path | None = None
    secure: bool = False
    proxies: str = ""
    root_path: str = ""
    log_format: LogFormat = "plain"
    traces: str = ""

    def __post_init__(self) -> None:
        if bool(self.oidc_issuer) != bool(self.oidc_audience) or not 0 <= self.oidc_leeway <= 600:
            raise SettingError(
                expected="an issuer and an audience of tokens, and a leeway of 0 to 600 seconds",
                got="one of both, or another leeway",
                advice="give --oidc-issuer and --oidc-audience together",
            )
        if not self.asks_who and not is_loopback(self.host):
            raise SettingError(
                expected="a file of keys to listen beyond this machine",
                got=f"host {self.host} and no keys",
                advice="make a key with `sameface keys add`, or listen on 127.0.0.1",
            )
        if self.traces and not self.traces.startswith(("http://", "https://")):
            raise SettingError(
                expected="the address of a collector",
                got=self.traces[:100],
                advice="write http://127.0.0.1:4318/v1/traces",
            )
        for name, kind in (
            ("review", LeastReview),
            ("replays", Replays),
            ("liveness", LivenessPolicy),
            ("log_format", LogFormat),
        ):
            if getattr(self, name) not in get_args(kind):
                raise SettingError(
                    expected=f"{name} among {', '.join(get_args(kind))}",
                    got=repr(getattr(self, name)),
                    advice="choose one of those",
                )
        for name in (
            "max_body",
            "max_photo",
            "max_pixels",
            "max_photos",
            "max_faces",
            "workers",
            "batch",
            "burst",
            "attempts",
            "near_misses",
        ):
            if getattr(self, name) < 1:
                raise SettingError(expected=f"{name} of at least 1", got=str(getattr(self, name)), advice="raise it")
        if (
            min(self.timeout, self.header_timeout, self.rate, self.expire_every) <= 0
            or self.queue < 0
            or not 0 < self.fpir < 1
        ):
            raise SettingError(
                expected="timeouts and a rate above 0, and an FPIR between 0 and 1",
                got=f"timeout {self.timeout}, header_timeout {self.header_timeout}, rate {self.rate}, fpir {self.fpir}",
                advice="correct the setting",
            )

    @property
    def asks_who(self) -> bool:
        """Whether callers must say who they are."""
        return self.keys is not None or bool(self.oidc_issuer)

    @property
    def in_database(self) -> bool:
        """Whether galleries lie in PostgreSQL."""
        return is_server(self.galleries)


def to_json(settings: Settings) -> str:
    """Settings as text, for worker processes."""
    return msgspec.json.encode(settings, enc_hook=str).decode()


def from_json(text: str) -> Settings:
    """Settings as `to_json` wrote them."""
    return msgspec.json.decode(text, type=known(Settings), dec_hook=lambda kind, value: kind(value))


def is_loopback(host: str) -> bool:
    """Whether an address reaches this machine only.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "10.0.0.5", "")]
    [True, True, True, False, False, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
