"""Names that people guess for what a gallery does: the error says the right one."""

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


class Guessed:
    """Mixed into `Gallery`: an attribute that is not there raises an `AttributeError` that names the one that is meant."""

    if not TYPE_CHECKING:  # else every name would be an attribute to type checkers

        def __getattr__(self, name: str) -> Any:
            if name not in _OF_A_GALLERY:
                return object.__getattribute__(self, name)  # raises as ever, also the error of a property that failed
            raise AttributeError(f"'Gallery' object has no attribute {name!r}; write .{_OF_A_GALLERY[name]}")
