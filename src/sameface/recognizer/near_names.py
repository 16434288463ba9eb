"""A name that nobody has: the error names those who are called nearly so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Final

from sameface.errors import PersonNotFoundError, did_you_mean
from sameface.types import Person, Who

#: So many people are looked through: of more it would take longer than whoever asks would wait.
_MOST: Final = 5000


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
