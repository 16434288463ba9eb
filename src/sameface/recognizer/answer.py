"""What all answers of the use cases share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never

from sameface.plain import Plain
from sameface.recognizer.guesses import meant_of


class Answer(Plain):
    """What all answers share: their plain and notebook forms are those of their wire form. What is guessed is answered with what is meant."""

    __slots__ = ()

    def to_wire(self) -> Plain:
        """As it travels."""
        raise NotImplementedError

    def _form(self) -> object:
        return self.to_wire()

    def to_rows(self) -> list[dict[str, Any]]:
        """As rows of a table, most often one."""
        return self.to_wire().to_rows()

    def _repr_html_(self) -> str:
        return self.to_wire()._repr_html_()

    if not TYPE_CHECKING:  # else every name would be an attribute to type checkers

        def __getattr__(self, name: str) -> Never:
            said = f"{type(self).__name__!r} object has no attribute {name!r}"
            meant = meant_of(self, name)
            raise AttributeError(f"{said}; write .{meant}" if meant and meant != name else said)

        def __getitem__(self, key: object) -> Never:
            meant = meant_of(self, key)
            raise TypeError(
                f"{type(self).__name__!r} object is not subscriptable; write {f'.{meant}' if meant else '.to_dict()'}"
            )
