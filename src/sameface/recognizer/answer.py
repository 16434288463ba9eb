"""What all answers of the use cases share."""

from __future__ import annotations

from typing import Any

from sameface.plain import Plain


class Answer(Plain):
    """What all answers share: their plain and notebook forms are those of their wire form."""

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
