"""What a gallery's location may be, told without looking there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sameface.errors import ExtraMissingError, PersonNameError

#: A gallery's name among others is a path component on disk and in addresses, so it is a strict slug.
_SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?\Z")


def is_server(location: str | Path) -> bool:
    """Whether a location is a server's address and not a path.

    >>> is_server("postgresql://faces.example/people"), is_server("people.db")
    (True, False)
    """
    return isinstance(location, str) and location.startswith(("postgresql://", "postgres://"))


@contextmanager
def server_extra() -> Iterator[None]:
    """For the import of what needs a server's driver. Raises ExtraMissingError where it is not installed."""
    try:
        yield
    except ImportError as error:
        raise ExtraMissingError(
            expected="the extra `postgres` for galleries on a server",
            got=f"no module {error.name}",
            advice='run `pip install "sameface[postgres]"`',
        ) from error


def check_slug(name: str) -> str:
    """The name of a gallery among others, unchanged, when it is one.

    Raises:
        PersonNameError: anything but lower-case letters, digits and inner hyphens, at most 64.

    >>> check_slug("team-2")
    'team-2'
    """
    if not _SLUG.match(name):
        raise PersonNameError(
            expected="a gallery name of lower-case letters, digits and inner hyphens, at most 64",
            got=repr(name[:80]),
            advice="choose a name like team-2",
        )
    return name
