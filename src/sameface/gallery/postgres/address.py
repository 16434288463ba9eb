"""Where a server is, said without its password."""

from __future__ import annotations

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from sameface.errors import SettingError


class Address:
    """A connection string, and what may be shown of it.

    Args:
        location: ``postgresql://user:password@host:port/database?…``; what is missing comes from the ``PG…`` environment variables.

    Raises:
        SettingError: not a connection string; the message does not repeat it.
    """

    def __init__(self, location: str) -> None:
        self.secret = location
        try:
            parts = {key: str(value) for key, value in conninfo_to_dict(location).items()}
        except ProgrammingError:
            raise SettingError(
                expected="postgresql://user:password@host:port/database",
                got="something else that begins like it",
                advice="check the address; escape special characters of the password as %XX",
            ) from None
        self._password = parts.pop("password", "")
        user = f"{parts['user']}@" if "user" in parts else ""
        port = f":{parts['port']}" if "port" in parts else ""
        schema = f" ({parts['options']})" if "options" in parts else ""
        self.shown = f"postgresql://{user}{parts.get('host', '')}{port}/{parts.get('dbname', '')}{schema}"

    def clean(self, text: str) -> str:
        """A server's message without the password, on one line."""
        line = " ".join(text.split())
        for secret in (self.secret, self._password):
            if secret:
                line = line.replace(secret, "***")
        return line[:300]

    def __repr__(self) -> str:
        return f"Address({self.shown})"
