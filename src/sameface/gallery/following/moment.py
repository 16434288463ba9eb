"""States of a gallery, and names for them that no other state ever has."""

from __future__ import annotations

from typing import Final, NamedTuple

#: Bytes of a link: random ones and a hash, as the record has it.
LINK_BYTES: Final = 24


class Moment(NamedTuple):
    """A state of a gallery: the number of the last line of its history, 0 before the first, and that line's link."""

    seq: int
    link: bytes


#: Before anything happened.
BEGINNING: Final = Moment(0, bytes(LINK_BYTES))
