"""Names that people guess for what a gallery does and an answer holds: the error says the right one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

_OF_A_GALLERY: Final[Mapping[str, str]] = {
    **dict.fromkeys(("add", "register", "add_person", "add_face", "add_photo", "insert"), "enroll(name, photo)"),
    **dict.fromkeys(("delete", "remove", "erase", "delete_person", "remove_person"), "forget(name)"),
    **dict.fromkeys(
        ("search", "query", "recognize", "recognise", "find", "match", "predict", "who"), "identify(photo)"
    ),
    **dict.fromkeys(("get", "get_person"), "person(name)"),
    **dict.fromkeys(("list", "names", "all"), "people()"),
    **dict.fromkeys(("compare", "is_same"), "verify(name, photo)"),
    **dict.fromkeys(("annotate", "draw"), "identify(photo), then sameface.annotated(photo, answers)"),
}
#: Of an answer; each counts only for answers that have what is meant.
_OF_AN_ANSWER: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("verified", "match", "matched", "is_same", "is_match", "result"), ("same",)),
    **dict.fromkeys(("confidence", "score", "similarity", "percent"), ("probability", "quality", "distance")),
    **dict.fromkeys(("bbox", "rect", "region", "facial_area", "location", "bounding_box"), ("box", "probe_box")),
    **dict.fromkeys(("identity", "person", "label", "who", "match_name"), ("name",)),
    **dict.fromkeys(("vector", "encoding", "descriptor", "feature"), ("embedding",)),
    **dict.fromkeys(("tau", "cutoff", "tolerance"), ("threshold",)),
}


def meant_of(answer: object, name: object) -> str:
    """The attribute of an answer that is meant by a guessed one; "" where none is known."""
    for meant in _OF_AN_ANSWER.get(name, ()) if isinstance(name, str) else ():
        if hasattr(type(answer), meant):
            return meant
    return name if isinstance(name, str) and hasattr(type(answer), name) else ""


class Guessed:
    """Mixed into `Gallery`: an attribute that is not there raises an `AttributeError` that names the one that is meant."""

    if not TYPE_CHECKING:  # else every name would be an attribute to type checkers

        def __getattr__(self, name: str) -> Any:
            if name not in _OF_A_GALLERY:
                return object.__getattribute__(self, name)  # raises as ever, also the error of a property that failed
            raise AttributeError(f"'Gallery' object has no attribute {name!r}; write .{_OF_A_GALLERY[name]}")
