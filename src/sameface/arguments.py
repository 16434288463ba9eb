"""Arguments that people bring from other libraries, or misspell: the error says the right one.

>>> @explained
... def greet(name, *, loudly=False): ...
>>> greet("Ada", loudli=True)
Traceback (most recent call last):
    ...
sameface.errors.UnknownArgumentError: expected arguments that greet takes: name, loudly; got loudli. Did you mean loudly?
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from sameface.errors import UnknownArgumentError, did_you_mean

P = ParamSpec("P")
R = TypeVar("R")

#: What is meant, where a function takes it under another name.
_OTHER_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "threshold": ("tolerance", "cutoff", "max_distance", "min_distance"),
    "encoder": ("model_name", "model", "encoder_name", "recognition_model", "network_name"),
    "encoders": ("encoder", "model_name", "model", "models"),
    "detector": ("detector_backend", "detector_name", "backend"),
    "gallery": ("db_path", "db", "database", "known_faces", "known_face_encodings"),
    "location": ("path", "file", "db_path", "db", "database"),
    "photo": ("img", "image", "img_path", "image_path", "path", "picture", "frame", "file", "source"),
    "photos": ("img", "image", "images", "img_path", "image_path", "paths", "pictures", "files", "photo", "folder"),
    "probe": ("img1", "img1_path", "image1", "photo1", "first", "a"),
    "reference": ("img2", "img2_path", "image2", "photo2", "second", "b"),
    "candidates": ("top_k", "top_n", "k", "n", "limit", "max_results", "n_results"),
    "name": ("person", "label", "identity", "subject"),
    "who": ("person", "name", "identity", "subject"),
    "data": ("photos", "folder", "path", "dataset"),
    "fmr": ("far", "target_fmr", "false_match_rate"),
    "fpir": ("far", "fmr"),
    "operating_point": ("point", "calibration"),
    "steps": ("epochs", "iterations", "batches"),
    "create": ("exist_ok", "new"),
    "progress": ("verbose", "silent", "show_progress"),
}
_NETWORK: Final = "the default network is the measured one; for another `sameface.Recognizer(encoder=NAME)`, whose methods are the same"
_LEAVE_OUT: Final = "leave it out"
#: What to do, where a function takes nothing of the kind.
_ADVICE: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("threshold", "tolerance", "cutoff", "operating_point"),
        "give it to what decides: `sameface.verify(…, threshold=0.9)`, `sameface.Recognizer(threshold=0.9)` or `sameface.Gallery(…, threshold=0.9)`",
    ),
    **dict.fromkeys(("model_name", "model", "encoder", "encoder_name", "recognition_model"), _NETWORK),
    **dict.fromkeys(
        ("detector", "detector_backend", "detector_name", "backend"),
        "for another detector `sameface.Recognizer(detector=NAME)`, whose methods are the same",
    ),
    **dict.fromkeys(
        ("distance_metric", "metric"),
        "leave it out: distances are Euclidean, between embeddings of length 1, which gives the same order as the cosine",
    ),
    "enforce_detection": (
        "leave it out: where one face is wanted, a photo without a face raises `sameface.errors.NoFaceError`; catch it"
    ),
    "align": "leave it out: faces are always aligned",
    "anti_spoofing": "leave it out: see `sameface liveness --help`",
    "device": "make a recognizer: `sameface.Recognizer(device=…)`",
    "recognizer": "use its own methods, or `sameface.Gallery(…, recognizer=…)`",
    **dict.fromkeys(
        (
            "normalization",
            "normalize",
            "expand_percentage",
            "silent",
            "verbose",
            "refresh_database",
            "num_jitters",
            "number_of_times_to_upsample",
            "upsample",
            "batched",
            "grayscale",
            "color_face",
        ),
        _LEAVE_OUT,
    ),
}


def explained(function: Callable[P, R]) -> Callable[P, R]:
    """The function, whose error about an argument that it does not take says what it takes, and what is meant by the one given."""
    known: dict[str, inspect.Parameter] = dict(inspect.signature(function).parameters)

    @wraps(function)
    def called(*given: P.args, **named: P.kwargs) -> R:
        for name in named:
            if name not in known:
                raise _unknown(function, [each for each in known if each != "self"], name)
        return function(*given, **named)

    return called


def _unknown(function: Callable[P, R], takes: list[str], name: str) -> UnknownArgumentError:
    called = function.__qualname__.removesuffix(".__init__")
    return UnknownArgumentError(
        expected=f"arguments that {called} takes: {', '.join(takes)}", got=name, advice=_advice(name, takes)
    )


def _advice(name: str, takes: list[str]) -> str:
    for meant in takes:
        if name in _OTHER_NAMES.get(meant, ()):
            # A number of another library is no number of this one.
            own = "; the 0.6 of face_recognition belongs to another network" if name == "tolerance" else ""
            return f"write {meant}={own}"
    return _ADVICE.get(name) or did_you_mean(name, takes, _LEAVE_OUT)
