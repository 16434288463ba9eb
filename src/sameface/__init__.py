"""Face verification and recognition with Siamese networks.

>>> import sameface
>>> sameface.nearest([0.0, 0.0], {"Ada": [3.0, 4.0], "Grace": [0.0, 2.0]})
('Grace', 2.0)

Importing this package loads no network, no runtime and no driver; each name below is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sameface.encoders import load_encoder
    from sameface.errors import SamefaceError
    from sameface.faces import load_detector
    from sameface.imaging import Limits, load_image
    from sameface.matching import distance, is_same, nearest
    from sameface.recognizer import Enrollment, Gallery, Identification, Recognizer, Verification
    from sameface.recognizer.display import annotated
    from sameface.shortcuts import calibrate, cluster, detect, embed, evaluate, identify, train, verify
    from sameface.tables import Answers
    from sameface.types import Box, Consent, Erased, Expired, OperatingPoint, Person, PersonId, Retention

__version__ = "0.1.0"

_HOMES: Final = {
    "Answers": "sameface.tables",
    "Box": "sameface.types",
    "Consent": "sameface.types",
    "Enrollment": "sameface.recognizer",
    "Erased": "sameface.types",
    "Expired": "sameface.types",
    "Gallery": "sameface.recognizer",
    "Identification": "sameface.recognizer",
    "Limits": "sameface.imaging",
    "OperatingPoint": "sameface.types",
    "Person": "sameface.types",
    "PersonId": "sameface.types",
    "Recognizer": "sameface.recognizer",
    "Retention": "sameface.types",
    "SamefaceError": "sameface.errors",
    "Verification": "sameface.recognizer",
    "annotated": "sameface.recognizer.display",
    "calibrate": "sameface.shortcuts",
    "cluster": "sameface.shortcuts",
    "detect": "sameface.shortcuts",
    "distance": "sameface.matching",
    "embed": "sameface.shortcuts",
    "evaluate": "sameface.shortcuts",
    "identify": "sameface.shortcuts",
    "is_same": "sameface.matching",
    "load_detector": "sameface.faces",
    "load_encoder": "sameface.encoders",
    "load_image": "sameface.imaging",
    "nearest": "sameface.matching",
    "train": "sameface.shortcuts",
    "verify": "sameface.shortcuts",
}

__all__ = [
    "Answers",
    "Box",
    "Consent",
    "Enrollment",
    "Erased",
    "Expired",
    "Gallery",
    "Identification",
    "Limits",
    "OperatingPoint",
    "Person",
    "PersonId",
    "Recognizer",
    "Retention",
    "SamefaceError",
    "Verification",
    "__version__",
    "annotated",
    "calibrate",
    "cluster",
    "detect",
    "distance",
    "embed",
    "evaluate",
    "identify",
    "is_same",
    "load_detector",
    "load_encoder",
    "load_image",
    "nearest",
    "train",
    "verify",
]


#: Names that people guess, and what they mean.
_GUESSED: Final = {
    "enroll": 'sameface.Gallery("people.db").enroll(name, photo)',
    "register": 'sameface.Gallery("people.db").enroll(name, photo)',
    "forget": 'sameface.Gallery("people.db").forget(name)',
    "delete": 'sameface.Gallery("people.db").forget(name)',
    "people": 'sameface.Gallery("people.db").people()',
    "annotate": "sameface.annotated(photo, answers)",
    "draw": "sameface.annotated(photo, answers)",
    "draw_boxes": "sameface.annotated(photo, answers)",
    "compare": "sameface.verify(photo, photo)",
    "recognize": "sameface.identify(photo)",
    "find": "sameface.identify(photo)",
    "search": "sameface.identify(photo)",
    "group": "sameface.cluster(photos)",
    "encode": "sameface.embed(photos)",
    "represent": "sameface.embed(photos)",
    "face_encodings": "sameface.embed(photos)",
    "face_locations": "sameface.detect(photo)",
    "extract_faces": "sameface.detect(photo)",
    "compare_faces": "sameface.verify(photo, photo)",
    "face_distance": "sameface.distance(embedding, embedding)",
    "load_image_file": "sameface.load_image(path)",
    "remove": 'sameface.Gallery("people.db").forget(name)',
    "add": 'sameface.Gallery("people.db").enroll(name, photo)',
    "threshold": "sameface.verify(photo, photo, threshold=0.9), or sameface.calibrate(photos) to measure one",
    "Client": "from sameface.client import Client",
    "load_operating_point": 'sameface.Recognizer(operating_point="FILE")',
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        hint = f"; write `{_GUESSED[name]}`" if name in _GUESSED else ""
        raise AttributeError(f"module 'sameface' has no attribute {name!r}{hint}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
