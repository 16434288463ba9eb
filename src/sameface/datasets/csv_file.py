"""A CSV file as spreadsheets write it."""

from __future__ import annotations

import csv
from pathlib import Path

from sameface.errors import DataError
from sameface.imaging.formats import format_of


def read_csv(path: Path) -> csv.DictReader[str]:
    """Rows by column. Commas, semicolons and tabs separate; UTF-8, or UTF-16 with its mark.

    Raises:
        DataError: no such file, or another encoding.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(expected=f"a CSV file at {path}", got=str(error), advice="check the path") from error
    if format_of(raw) is not None:
        raise DataError(
            expected="a folder with a folder of photos for each person, or a table",
            got=f"one picture, {path.name}",
            advice="give the folder that holds the people's folders",
        )
    try:
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            expected=f"UTF-8 in {path.name}",
            got=f"a byte that is none, at {error.start}",
            advice="save the table as UTF-8 (in a spreadsheet program: “CSV UTF-8”)",
        ) from error
    return csv.DictReader(text.splitlines(), delimiter=delimiter_of(text.partition("\n")[0]))


def delimiter_of(head: str) -> str:
    """Comma, semicolon or tab, whichever stands most often in the first line.

    >>> delimiter_of("a;b;same")
    ';'
    """
    return max(",;\t", key=head.count)
