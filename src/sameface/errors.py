"""Every exception of sameface, in one tree.

Each message says what was expected, what came, and what to do; the three parts are attributes too. Each class is also
of the builtin that fits, so ``except FileNotFoundError`` works without knowing this file. Over 300 lines because the tree and its one table
of outcomes are read, and checked, together.

>>> try:
...     raise NoFaceError(expected="one face", got="none in door.jpg", advice="use a photo that shows the face")
... except ValueError as error:
...     print(error)
expected one face; got none in door.jpg. Use a photo that shows the face.

The tree, with the builtins that classes are too::

    SamefaceError
        ImageError
            ImageNotFoundError (FileNotFoundError)
            ImageAccessError (PermissionError)
            NotAnImageError (ValueError)
            DamagedImageError (ValueError)
            ImageTooLargeError (ValueError)
            ImageArrayError (ValueError)
            ReaderMissingError
        FaceError (ValueError)
            NoFaceError
            SeveralFacesError
            FaceTooSmallError
            FaceQualityError
            NotComparableError
            CropError
        ModelError
            UnknownModelError (LookupError)
            ModelMissingError (FileNotFoundError)
            ModelDamagedError (ValueError)
            ModelCardError (ValueError)
            ModelInUseError (ValueError)
            DeviceUnavailableError (RuntimeError)
            DownloadError (ConnectionError)
        EmbeddingError (ValueError)
        GalleryError
            NotAGalleryError (ValueError)
            GalleryMissingError (FileNotFoundError)
            GalleryDamagedError (ValueError)
            GalleryMismatchError (ValueError)
            GallerySchemaError (ValueError)
            GalleryLockedError (TimeoutError)
            GalleryReadOnlyError (PermissionError)
            GalleryKeyError (PermissionError)
            GalleryUnavailableError (ConnectionError)
            RecallError (ValueError)
            StorageFullError (OSError)
        PersonError
            PersonNotFoundError (LookupError)
            PersonExistsError (ValueError)
            PersonNameError (ValueError)
            PersonHeldError (PermissionError)
            EnrollmentRefusedError (ValueError)
        DataError (ValueError)
            NotEnoughDataError
        NoThresholdError (LookupError)
        CalibrationError (ValueError)
        TrainingError (RuntimeError)
            CheckpointError (ValueError)
            LossNotFiniteError (ArithmeticError)
        ExtraMissingError (ImportError)
            ReaderMissingError
        WorkerError (RuntimeError)
        OutputError (OSError)
        ListenError (OSError)
        SettingError (ValueError)
            KeyFileError
            UnknownArgumentError (TypeError)
        RequestError
            NotAuthenticatedError (PermissionError)
            NotAllowedError (PermissionError)
            LivenessRequiredError (PermissionError)
            NothingHereError (LookupError)
            MethodError (ValueError)
            MalformedRequestError (ValueError)
            RequestTooLargeError (ValueError)
            UnsupportedMediaError (ValueError)
            RateLimitedError (RuntimeError)
            OverloadedError (RuntimeError)
            RequestTimeoutError (TimeoutError)
            IdentityProviderError (ConnectionError)
            ServiceError
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, Self

#: The password of an address: ``rtsp://user:password@camera``. No message shows one, whatever was typed where.
_PASSWORD: Final = re.compile(r"(:/{1,2}[^/@\s]*?:)[^/@\s]+@")


def without_passwords(text: str) -> str:
    """A message fit to be shown and logged.

    >>> without_passwords("no file at rtsp://me:s3cret@camera/1")
    'no file at rtsp://me:…@camera/1'
    """
    return _PASSWORD.sub(r"\1…@", text)


class SamefaceError(Exception):
    """Root of the tree.

    Args:
        expected: what the operation needed, as a noun phrase.
        got: what came instead, with its source where there is one; never an embedding, a secret or pixels.
        advice: one imperative sentence, what to do now.
    """

    def __init__(self, *, expected: str, got: str, advice: str) -> None:
        self.expected = without_passwords(expected)
        self.got = without_passwords(got)
        self.advice = without_passwords(advice)
        super().__init__(self._message())

    def _message(self) -> str:
        advice = f"{self.advice[:1].upper()}{self.advice[1:].rstrip('.')}"
        return f"expected {self.expected}; got {self.got}. {advice}{'' if advice.endswith('?') else '.'}"

    def advise(self, advice: str) -> Self:
        """The same error with better advice."""
        self.advice = advice
        self.args = (self._message(),)
        return self

    def about(self, which: str) -> Self:
        """The same error, saying which of several things it is about.

        >>> print(NoFaceError(expected="a face", got="none", advice="use another photo").about("the second photo"))
        expected a face; got none (the second photo). Use another photo.
        """
        self.got = f"{self.got} ({which})"
        self.args = (self._message(),)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors cross from one process to another whole."""
        return _error_again, (type(self), self.__dict__)


def _error_again(kind: type[SamefaceError], values: dict[str, Any]) -> SamefaceError:
    error = kind(expected=values["expected"], got=values["got"], advice=values["advice"])
    error.__dict__.update(values)
    return error


# -- images -----------------------------------------------------------------------------------------------------------
class ImageError(SamefaceError):
    """A picture could not be read."""


class ImageNotFoundError(ImageError, FileNotFoundError):
    """No file at that path."""


class ImageAccessError(ImageError, PermissionError):
    """A file that may not be read, or a folder where a file was wanted."""


class NotAnImageError(ImageError, ValueError):
    """The bytes are not a picture in a format that is read here."""


class DamagedImageError(ImageError, ValueError):
    """A picture that is cut short or broken inside."""


class ImageTooLargeError(ImageError, ValueError):
    """More bytes or pixels than the limits allow; raised before anything is decoded."""


class ImageArrayError(ImageError, ValueError):
    """An array that is not an RGB or grey picture: wrong shape, type or range."""


# -- faces ------------------------------------------------------------------------------------------------------------
class FaceError(SamefaceError, ValueError):
    """A picture was read, but not the one good face that was asked for."""


class NoFaceError(FaceError):
    """No face was found."""


class SeveralFacesError(FaceError):
    """Several faces where one was wanted."""


class FaceTooSmallError(FaceError):
    """A face with too few pixels to tell people apart."""


class FaceQualityError(FaceError):
    """A face too blurred, dark, or turned to be enrolled."""


class NotComparableError(FaceError):
    """A face outside what the threshold was measured on: too many strangers would pass."""


class CropError(FaceError):
    """Face crops of a shape or type that an encoder does not take."""


# -- models -----------------------------------------------------------------------------------------------------------
class ModelError(SamefaceError):
    """A network or its weights cannot be used."""


class UnknownModelError(ModelError, LookupError):
    """No model of that name is known here."""


class ModelMissingError(ModelError, FileNotFoundError):
    """The model is known, but its weights are not on this machine."""


class ModelDamagedError(ModelError, ValueError):
    """The weights file is cut short, changed (wrong sha256), or of another network."""


class ModelCardError(ModelError, ValueError):
    """A model card that is incomplete, or that does not fit its network."""


class ModelInUseError(ModelError, ValueError):
    """A model that a gallery still needs was to be removed."""


class DeviceUnavailableError(ModelError, RuntimeError):
    """The device that was asked for is not there; nothing falls back silently."""


class DownloadError(ModelError, ConnectionError):
    """A model could not be fetched, whole and unchanged."""


# -- embeddings and galleries -----------------------------------------------------------------------------------------
class EmbeddingError(SamefaceError, ValueError):
    """A vector that cannot be compared: wrong length, NaN, infinite."""


class GalleryError(SamefaceError):
    """A gallery cannot be opened, read or written."""


class NotAGalleryError(GalleryError, ValueError):
    """The file is not a sameface gallery."""


class GalleryMissingError(GalleryError, FileNotFoundError):
    """There is no gallery at that place, and none was to be made."""


class GalleryDamagedError(GalleryError, ValueError):
    """The file is cut short or changed: some templates cannot be trusted."""


class GalleryMismatchError(GalleryError, ValueError):
    """Vectors of another encoder, detector or alignment."""


class GallerySchemaError(GalleryError, ValueError):
    """A gallery written by a newer sameface."""


class GalleryLockedError(GalleryError, TimeoutError):
    """Another process holds the gallery for too long."""


class GalleryReadOnlyError(GalleryError, PermissionError):
    """The gallery may be read, but not written."""


class GalleryKeyError(GalleryError, PermissionError):
    """An encrypted gallery, and no key or the wrong one."""


class GalleryUnavailableError(GalleryError, ConnectionError):
    """The database server cannot be reached, or hung up."""


class RecallError(GalleryError, ValueError):
    """An approximate index does not find as many as was asked, whatever it is set to."""


class StorageFullError(GalleryError, OSError):
    """No room is left on the disk; what was acknowledged before is safe."""


class PersonError(SamefaceError):
    """A person cannot be stored or found."""


class PersonNotFoundError(PersonError, LookupError):
    """Nobody of that name or id is enrolled."""


class PersonExistsError(PersonError, ValueError):
    """The name is taken."""


class PersonNameError(PersonError, ValueError):
    """A name that cannot be stored: empty, too long, control characters."""


class PersonHeldError(PersonError, PermissionError):
    """A person who may not be forgotten now: a legal hold."""


class EnrollmentRefusedError(PersonError, ValueError):
    """No photo passed the review; the report says why, photo by photo.

    Attributes:
        reports: a `PhotoReport` for each photo, in the order given.
    """

    reports: Sequence[Any] = ()


# -- measuring --------------------------------------------------------------------------------------------------------
class DataError(SamefaceError, ValueError):
    """A data set, pair list or table that cannot be used as asked."""


class NotEnoughDataError(DataError):
    """Too few pairs or people to claim what was asked for."""


class NoThresholdError(SamefaceError, LookupError):
    """No measured threshold for this encoder, detector and alignment; none is made up."""


class CalibrationError(SamefaceError, ValueError):
    """An operating point or calibration that is broken or belongs to another encoder."""


# -- training ---------------------------------------------------------------------------------------------------------
class TrainingError(SamefaceError, RuntimeError):
    """Training cannot start or go on."""


class CheckpointError(TrainingError, ValueError):
    """A checkpoint of another network, or one that is damaged."""


class LossNotFiniteError(TrainingError, ArithmeticError):
    """The loss became NaN or infinite; the last good checkpoint was kept."""


# -- surroundings -----------------------------------------------------------------------------------------------------
class ExtraMissingError(SamefaceError, ImportError):
    """An optional part is not installed; the message names the extra."""


class ReaderMissingError(ImageError, ExtraMissingError):
    """A picture in a format whose reader is an extra that is not installed: of many photos the others are answered."""


class WorkerError(SamefaceError, RuntimeError):
    """A process or machine that was to do a part of the work cannot: another version, no model, or it ends at once."""


class OutputError(SamefaceError, OSError):
    """A file that could not be written where it was asked for."""


class ListenError(SamefaceError, OSError):
    """The service cannot listen there: the port is taken or not allowed, or the address is not this machine's."""


class SettingError(SamefaceError, ValueError):
    """An argument, option or environment variable outside what it may be."""


class KeyFileError(SettingError):
    """The file of a service's keys is missing, damaged, or open to others."""


class UnknownArgumentError(SettingError, TypeError):
    """A function was called with an argument that it does not take; the message names the one that is meant."""


# -- service ----------------------------------------------------------------------------------------------------------
class RequestError(SamefaceError):
    """A request that the service does not take.

    Attributes:
        retry_after: whole seconds after which the same request may succeed; None where waiting does not help.
    """

    retry_after: int | None = None


class NotAuthenticatedError(RequestError, PermissionError):
    """No valid key came with the request."""


class NotAllowedError(RequestError, PermissionError):
    """The key is valid, but not for this."""


class LivenessRequiredError(RequestError, PermissionError):
    """The policy wants a session of liveness that passed, with the face of the photo; there is none."""


class NothingHereError(RequestError, LookupError):
    """No such address, or nothing of that name behind it."""


class MethodError(RequestError, ValueError):
    """The address does not take this method."""


class MalformedRequestError(RequestError, ValueError):
    """Missing or contradictory fields."""


class RequestTooLargeError(RequestError, ValueError):
    """A body, or a number of faces, above the limits."""


class UnsupportedMediaError(RequestError, ValueError):
    """A content type that is not taken."""


class RateLimitedError(RequestError, RuntimeError):
    """Too many requests with this key."""


class OverloadedError(RequestError, RuntimeError):
    """The service is at its limit of concurrent work."""


class RequestTimeoutError(RequestError, TimeoutError):
    """The request took longer than allowed."""


class IdentityProviderError(RequestError, ConnectionError):
    """The identity provider, whose keys tokens are checked by, gives no answer."""


class ServiceError(RequestError):
    """A service answered in a way that is not in its contract: a proxy in between, or another program."""


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """Advice for a word that is not known: the nearest ones that are, in any case of letters, or those with it as a part; else what is always right.

    >>> did_you_mean("Tripplet", ["triplet", "contrastive"], "check the spelling")
    'did you mean triplet?'
    >>> did_you_mean("Ada", ["Ada Lovelace", "Adam Ries"], "check the spelling")
    'did you mean Ada Lovelace?'
    >>> did_you_mean("xyz", ["triplet", "contrastive"], "check the spelling")
    'check the spelling'
    """
    folded = {item.casefold(): item for item in known}
    near = [folded[item] for item in difflib.get_close_matches(word.casefold(), folded, n=3, cutoff=0.6)]
    near = near or [folded[item] for item in folded if word.casefold() in re.split(r"\W+", item)][:3]
    return f"did you mean {' or '.join(near)}?" if near else otherwise


def kind_of(error_class: type[SamefaceError]) -> str:
    """The stable word for an error class, as programs read it.

    >>> kind_of(NoFaceError), kind_of(NotAGalleryError)
    ('no-face', 'not-a-gallery')
    """
    words = re.findall(r"[A-Z][a-z]*", error_class.__name__.removesuffix("Error"))
    return "-".join(word.lower() for word in words)


def outcome_of(error_class: type[SamefaceError]) -> Outcome:
    """How a class leaves the program: by its own row of the table, else by that of the nearest class above it."""
    return next(OUTCOMES[kind] for kind in error_class.__mro__ if kind in OUTCOMES)


class Outcome(NamedTuple):
    """How an error class leaves the program: a process exit code and an HTTP status."""

    exit_code: int
    http_status: int


#: The one table. Exit codes 0 (yes, done) and 1 (a clean "no") are not errors; 2 is what command lines use for usage.
OUTCOMES: dict[type[SamefaceError], Outcome] = {
    SamefaceError: Outcome(70, 500),
    SettingError: Outcome(2, 422),
    KeyFileError: Outcome(2, 503),
    UnknownArgumentError: Outcome(2, 422),
    ImageError: Outcome(3, 422),
    ImageNotFoundError: Outcome(3, 404),
    ImageAccessError: Outcome(3, 403),
    NotAnImageError: Outcome(3, 415),
    DamagedImageError: Outcome(3, 422),
    ImageTooLargeError: Outcome(3, 413),
    ImageArrayError: Outcome(3, 422),
    FaceError: Outcome(4, 422),
    NoFaceError: Outcome(4, 422),
    SeveralFacesError: Outcome(4, 422),
    FaceTooSmallError: Outcome(4, 422),
    FaceQualityError: Outcome(4, 422),
    NotComparableError: Outcome(4, 422),
    CropError: Outcome(4, 422),
    ModelError: Outcome(5, 500),
    UnknownModelError: Outcome(5, 404),
    ModelMissingError: Outcome(5, 503),
    ModelDamagedError: Outcome(5, 500),
    ModelCardError: Outcome(5, 500),
    ModelInUseError: Outcome(5, 409),
    DeviceUnavailableError: Outcome(5, 503),
    DownloadError: Outcome(5, 502),
    EmbeddingError: Outcome(6, 422),
    GalleryError: Outcome(6, 500),
    NotAGalleryError: Outcome(6, 500),
    GalleryMissingError: Outcome(6, 404),
    GalleryDamagedError: Outcome(6, 500),
    GalleryMismatchError: Outcome(6, 409),
    GallerySchemaError: Outcome(6, 500),
    GalleryLockedError: Outcome(6, 503),
    GalleryReadOnlyError: Outcome(6, 503),
    GalleryKeyError: Outcome(6, 503),
    GalleryUnavailableError: Outcome(6, 503),
    RecallError: Outcome(6, 409),
    StorageFullError: Outcome(6, 507),
    PersonError: Outcome(7, 422),
    PersonNotFoundError: Outcome(7, 404),
    PersonExistsError: Outcome(7, 409),
    PersonNameError: Outcome(7, 422),
    PersonHeldError: Outcome(7, 409),
    EnrollmentRefusedError: Outcome(7, 422),
    DataError: Outcome(8, 422),
    NotEnoughDataError: Outcome(8, 422),
    NoThresholdError: Outcome(8, 409),
    CalibrationError: Outcome(8, 409),
    TrainingError: Outcome(9, 500),
    CheckpointError: Outcome(9, 500),
    LossNotFiniteError: Outcome(9, 500),
    ExtraMissingError: Outcome(10, 501),
    ReaderMissingError: Outcome(10, 415),
    OutputError: Outcome(12, 500),
    ListenError: Outcome(13, 500),
    WorkerError: Outcome(13, 500),
    RequestError: Outcome(11, 400),
    NotAuthenticatedError: Outcome(11, 401),
    NotAllowedError: Outcome(11, 403),
    LivenessRequiredError: Outcome(11, 403),
    NothingHereError: Outcome(11, 404),
    MethodError: Outcome(11, 405),
    MalformedRequestError: Outcome(11, 422),
    RequestTooLargeError: Outcome(11, 413),
    UnsupportedMediaError: Outcome(11, 415),
    RateLimitedError: Outcome(11, 429),
    OverloadedError: Outcome(11, 503),
    RequestTimeoutError: Outcome(11, 503),
    IdentityProviderError: Outcome(11, 503),
    ServiceError: Outcome(11, 502),
}
