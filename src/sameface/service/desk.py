"""The running parts of a service, made once per process."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sameface.defaults import DEFAULT_DETECTOR, DEFAULT_ENCODER
from sameface.encoders import load_encoder
from sameface.errors import PersonExistsError, RequestTooLargeError, SamefaceError
from sameface.faces import Detector, load_detector
from sameface.imaging import Limits
from sameface.liveness import PassiveLiveness
from sameface.matching import as_threshold
from sameface.models.given import remember_given
from sameface.models.operating_points import load_operating_point
from sameface.recognizer import Recognizer
from sameface.recognizer.live import check_points
from sameface.service.attempts import Attempts
from sameface.service.audit import AuditTrail
from sameface.service.batching import BatchingEncoder
from sameface.service.jobs import JobFolder
from sameface.service.key_file import KeyFile
from sameface.service.key_use import KeyUse
from sameface.service.limits import PixelBudget, RateLimit, Workshop
from sameface.service.live_sessions import LiveSessions
from sameface.service.oidc import OpenIdConnect, Provider
from sameface.service.settings import Settings
from sameface.service.shelf import Shelf, common_space
from sameface.service.telemetry import Telemetry
from sameface.service.tracing import Tracing, tracing_to
from sameface.types import Detection, ImageRGB

log = logging.getLogger("sameface.service")


class FaceLimit:
    """A detector that refuses photos of more faces than one request may cost."""

    def __init__(self, inner: Detector, most: int) -> None:
        self._inner = inner
        self._most = most

    @property
    def id(self) -> str:
        return self._inner.id

    @property
    def sure(self) -> float:
        return self._inner.sure

    @property
    def search_side(self) -> int | None:
        return self._inner.search_side

    def smallest_in(self, width: int, height: int) -> float:
        """As `Detector.smallest_in`."""
        return self._inner.smallest_in(width, height)

    def detect(self, image_rgb: ImageRGB) -> list[Detection]:
        """As `Detector.detect`.

        Raises:
            RequestTooLargeError: more faces than allowed; none of them was encoded.
        """
        found = self._inner.detect(image_rgb)
        if len(found) > self._most:
            raise RequestTooLargeError(
                expected=f"at most {self._most} faces in a photo",
                got=f"{len(found)}",
                advice="cut the photo into parts",
            )
        return found


@dataclass(slots=True)
class Desk:
    """Everything that routes use.

    Attributes:
        refusals: how many refusals of one caller the audit trail holds, so that nobody fills the disk with them.
        claims: refused claims that callers without embeddings have left. near_misses: the same for 1:K.
        photos: threads for photos. records: threads for quick questions to galleries, so that lists answer while photos wait.
        pixels: how many are decoded at once.
        live: sessions of liveness. passive: its networks, None where the settings ask for none.
        recognizer, shelf: None until the networks are loaded.
    """

    settings: Settings
    telemetry: Telemetry
    tracing: Tracing
    keys: KeyFile | None
    key_use: KeyUse | None
    oidc: OpenIdConnect | None
    rate: RateLimit
    refusals: RateLimit
    audit: AuditTrail
    photos: Workshop
    records: Workshop
    pixels: PixelBudget
    claims: Attempts
    near_misses: Attempts
    live: LiveSessions
    jobs: JobFolder
    recognizer: Recognizer | None = None
    passive: PassiveLiveness | None = None
    shelf: Shelf | None = None

    def load(self) -> None:
        """Load the networks and open the galleries; takes seconds, in a thread."""
        if self.keys is not None and (warning := self.keys.check()):
            log.warning("%s", warning)
        recognizer = load_recognizer(self.settings)
        _ = recognizer.operating_point  # a service without a policy does not start
        if self.settings.liveness != "off":
            check_points(recognizer)
        if self.settings.least_passive:
            self.passive = PassiveLiveness(device=self.settings.device, limits=recognizer.limits)
        # Files and folders are made once nothing stands in the way, so that a service that does not start leaves none.
        self.audit.open()
        shelf = Shelf(self.settings, recognizer)
        if not shelf.names():
            with suppress(PersonExistsError):  # another worker that starts just now was first
                shelf.create("people")
        self.recognizer, self.shelf = recognizer, shelf

    def expire(self) -> None:
        """Forget everybody whose time is over, in all galleries. One that cannot be used now is tried again the next time."""
        if self.shelf is None:
            return
        for name in self.shelf.names():
            try:
                done = self.shelf.get(name).expire()
            except SamefaceError as error:
                log.warning("gallery %s: whose time is over could not be forgotten: %s", name, type(error).__name__)
                continue
            if done.people:
                counts = {"people": len(done.people), "templates": done.templates}
                self.audit.note("expire", request_id="", key="", gallery=name, counts=counts)
                log.info("gallery %s: forgot %d people whose time was over", name, len(done.people))

    def close(self) -> None:
        """Finish what runs, then let go of galleries and files."""
        self.photos.close()
        self.records.close()
        if self.shelf is not None:
            self.shelf.close()
        if self.key_use is not None:
            self.key_use.write()
        self.audit.close()
        self.live.close()
        self.tracing.close()


def load_recognizer(settings: Settings) -> Recognizer:
    """The recognizer of a service: capped, batching, under the server's operating point.

    An encoder or detector that the settings do not name is the operating point's, else the one that all galleries were made with.
    """
    point = load_operating_point(settings.operating_point) if settings.operating_point else None
    if settings.threshold is not None:
        as_threshold(settings.threshold)
    space = point.space if point is not None else common_space(settings)
    encoder_id = settings.encoder or (space.encoder if space else DEFAULT_ENCODER)
    detector_id = settings.detector or (space.detector if space else DEFAULT_DETECTOR)
    # Photos run side by side in threads of their own, so a detector takes one core; the encoder runs one call at a time, on all.
    detector = load_detector(detector_id, device=settings.device, threads=1)
    encoder = load_encoder(encoder_id, device=settings.device)
    remember_given(encoder.card.id, encoder_id)
    recognizer = Recognizer(
        detector=FaceLimit(detector, settings.max_faces),
        encoder=BatchingEncoder(encoder, settings.batch),
        operating_point=settings.threshold if point is None else point,
        limits=Limits(settings.max_photo, settings.max_pixels, settings.formats),
    )
    if point is not None and settings.threshold is not None:
        recognizer.operating_point = replace(point, threshold=min(point.threshold, settings.threshold))
    return recognizer


def open_desk(settings: Settings) -> Desk:
    """The parts that are ready at once."""
    return Desk(
        settings=settings,
        telemetry=Telemetry(),
        tracing=tracing_to(settings.traces),
        keys=None if settings.keys is None else KeyFile(settings.keys),
        key_use=None if settings.keys is None else KeyUse(settings.keys),
        oidc=_oidc(settings),
        rate=RateLimit(settings.rate, settings.burst),
        refusals=RateLimit(0.1, 20),
        audit=AuditTrail(settings.audit),
        photos=Workshop(settings.workers, settings.queue, settings.timeout, "photos"),
        records=Workshop(4, 4 * (settings.queue + 1), settings.timeout, "records"),
        pixels=PixelBudget(max(settings.pixels_at_once, 2 * settings.max_pixels)),
        claims=Attempts(settings.attempts),
        near_misses=Attempts(settings.near_misses, a_day=4 * settings.near_misses),
        live=LiveSessions(settings.live_folder),
        jobs=JobFolder(settings.jobs or (None if settings.in_database else Path(settings.galleries) / "jobs")),
    )


def _oidc(settings: Settings) -> OpenIdConnect | None:
    if not settings.oidc_issuer:
        return None
    provider = Provider(
        settings.oidc_issuer,
        settings.oidc_audience,
        settings.oidc_keys,
        settings.oidc_roles,
        settings.oidc_leeway,
    )
    return OpenIdConnect(provider)
