"""Names that are nearly the same: told in the error about a name that nobody has, and before two of them become two people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from sameface.errors import PersonNotFoundError, did_you_mean
from sameface.types import Person, Who

if TYPE_CHECKING:
    from sameface.recognizer import wire

#: So many people are looked through: of more it would take longer than whoever asks would wait.
_MOST: Final = 5000
#: So many new names are looked up: each is a search.
_MOST_NEW: Final = 100


class Listed(Protocol):
    """People who can be searched by a part of their names."""

    def page(self, *, search: str, limit: int) -> wire.People:
        """See `sameface.Gallery.page`."""
        ...


def alike(known: Listed, names: Iterable[str]) -> list[tuple[str, str]]:
    """Names that differ from another in nothing but capitals and spaces: from one before them, or, where they are new, from one that is enrolled.

    Args:
        known: the gallery that they are to be enrolled into.
        names: of those who are to be enrolled; the first hundred are looked up in the gallery.

    Returns:
        Each such name with the other one.
    """
    found: list[tuple[str, str]] = []
    first: dict[str, str] = {}
    for place, name in enumerate(names):
        other = first.setdefault(_plain(name), name)
        if other == name and place < _MOST_NEW:
            there = [person.name for person in known.page(search=name.strip(), limit=_MOST_NEW).people]
            if name not in there:
                other = next((person for person in there if _plain(person) == _plain(name)), name)
        if other != name:
            found.append((name, other))
    return found


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


@contextmanager
def near_names(known: Iterable[Person], *who: Who) -> Iterator[None]:
    """What is raised within about a name that is not there says which names are near.

    Whoever may ask about a person may list the people of that gallery (`sameface.service.keys.ALLOWED`), so nothing is told that is not theirs.

    Args:
        known: the people of the gallery.
        who: those asked about; ids have no near ones.
    """
    try:
        yield
    except PersonNotFoundError as error:
        for name in who:
            if isinstance(name, str) and repr(name) in error.got:
                error.advise(did_you_mean(name, (person.name for person in islice(known, _MOST)), error.advice))
        raise
