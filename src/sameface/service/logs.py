"""What the service says on standard error: one line per request and per fault, each with the request's id; plain or JSON.

No query, no name, no number about a face goes into a line; a fault's own words do, since the operator must find its cause.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

LogFormat = Literal["plain", "json"]
#: Attribute of a log record that holds the fields of the line.
_FIELDS: Final = "sameface_fields"


def fields(**values: str | int | float | None) -> dict[str, dict[str, Any]]:
    """The ``extra`` of a log call: fields that a JSON line shows by name.

    >>> fields(request_id="r1")
    {'sameface_fields': {'request_id': 'r1'}}
    """
    return {_FIELDS: values}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at, level, message, the fields, and the traceback of an unexpected fault."""

    def format(self, record: logging.LogRecord) -> str:
        """As `logging.Formatter.format`."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, _FIELDS, {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def log_config(style: LogFormat) -> dict[str, Any]:
    """For `logging.config.dictConfig`: uvicorn's own lines of starting and stopping, ours per request."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "plain": {"format": "%(asctime)s %(levelname)s %(message)s"},
            "json": {"()": "sameface.service.logs.JsonFormatter"},
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": style}},
        "loggers": {
            "uvicorn": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
            "sameface.service": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        },
    }
