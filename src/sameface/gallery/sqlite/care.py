"""Measuring, compacting and re-encoding a gallery file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import numpy.typing as npt

from sameface.errors import EmbeddingError, PersonHeldError
from sameface.gallery.exact.scan import CODED_FROM
from sameface.gallery.exact.segment import NOBODY
from sameface.gallery.rules.vectors import storable
from sameface.gallery.sqlite import erasing, keyring
from sameface.gallery.sqlite.record import pack, tombstone
from sameface.gallery.sqlite.schema import Binding, setting, write_settings
from sameface.gallery.sqlite.vault import Vault
from sameface.gallery.store import Stats
from sameface.types import EmbeddingSpace


def stats(connection: sqlite3.Connection, path: Path, binding: Binding, scan: str) -> Stats:
    """Sizes and settings."""
    groups = dict(
        connection.execute("SELECT group_name, count(*) FROM membership GROUP BY group_name ORDER BY group_name")
    )
    page, free = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "freelist_count"))
    forgotten, length = connection.execute(
        "SELECT (SELECT count(*) FROM vector) - (SELECT count(*) FROM template), (SELECT length(record) FROM vector)"
    ).fetchone()
    sizes = {"record": _size(path), "of it free": page * free + forgotten * (length or 0)}
    sizes |= {
        what: _size(path.with_name(path.name + end))
        for what, end in (("write-ahead log", "-wal"), ("search cache", "-cache"))
    }
    return Stats(
        location=str(path),
        space=binding.space,
        dimension=binding.dimension,
        people=connection.execute("SELECT count(*) FROM person").fetchone()[0],
        templates=connection.execute("SELECT count(*) FROM template").fetchone()[0],
        groups=groups,
        bytes=sizes,
        settings={
            "engine": f"SQLite {sqlite3.sqlite_version}",
            "schema": str(binding.version),
            "search": "exact",
            "scan": "float32" if scan == "float32" else f"{scan} from {CODED_FROM:,} templates on",
            "encryption": binding.encryption,
            **_about_keys(setting(connection, "keys")),
        },
    )


def _about_keys(text: str) -> dict[str, str]:
    if not text:
        return {}
    keys = keyring.decode(text, "")
    fits = max(len(slots) for slots in keys.wrapped.values())
    return {
        "names": "encrypted too" if keys.texts else "in the clear",
        "keys that open it": f"{fits}{', being changed' if len(keys.wrapped) > 1 else ''}",
    }


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def compact(connection: sqlite3.Connection, path: Path) -> int:
    """Rewrite the file without forgotten records and unused pages. Returns the bytes saved."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = _size(path)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM vector WHERE template_id NOT IN (SELECT template_id FROM template)")
    must_rewrite(connection)
    connection.execute("COMMIT")
    rewrite_if_due(connection)
    return max(0, before - _size(path))


def must_rewrite(connection: sqlite3.Connection) -> None:
    """Note, within a transaction that moves vectors, that old copies of them may lie in unused parts of pages until the file is rewritten."""
    connection.execute("INSERT OR REPLACE INTO gallery (key, value) VALUES ('rewrite', 'due')")


def rewrite_if_due(connection: sqlite3.Connection) -> None:
    """Rewrite the file if that was noted; a process that was killed in between leaves the note for the next writer."""
    if connection.execute("SELECT 1 FROM gallery WHERE key = 'rewrite'").fetchone():
        connection.execute("VACUUM")
        connection.execute("DELETE FROM gallery WHERE key = 'rewrite'")
        erasing.finish(connection, erased=True)


def reembed(
    connection: sqlite3.Connection,
    binding: Binding,
    vault: Vault,
    space: EmbeddingSpace,
    dimension: int,
    vectors: Iterable[tuple[int, npt.ArrayLike]],
    *,
    drop_missing: bool,
) -> int:
    """Replace every embedding; the caller's transaction makes it all or none. Returns how many were replaced."""
    owners = dict(connection.execute("SELECT template_id, person_key FROM template"))
    replaced = length = 0
    for template_id, vector in vectors:
        key = owners.pop(template_id, None)
        if key is None:
            continue  # forgotten while the photos were encoded again, or given twice
        record = pack(key, vault.seal(storable(vector, dimension).tobytes(), key, template_id))
        length = len(record)
        connection.execute("UPDATE vector SET record = ? WHERE template_id = ?", (record, template_id))
        replaced += 1
    if owners and not drop_missing:
        raise EmbeddingError(
            expected="a new embedding for every template",
            got=f"none for {len(owners)} of {len(owners) + replaced}",
            advice="find their photos, or drop those templates on purpose",
        )
    _require_nobody_held(connection, set(owners.values()))
    connection.executemany("DELETE FROM template WHERE template_id = ?", [(template_id,) for template_id in owners])
    # Records of one gallery are all of one length, those of the forgotten too.
    length = length or len(pack(NOBODY, vault.seal(bytes(4 * dimension), 0, 0)))
    connection.execute(
        "UPDATE vector SET record = ? WHERE template_id NOT IN (SELECT template_id FROM template)", (tombstone(length),)
    )
    must_rewrite(connection)
    values = {"encoder": space.encoder, "detector": space.detector, "alignment": space.alignment}
    values |= {"dimension": str(dimension), "epoch": str(binding.epoch + 1)}
    write_settings(connection, vault, values)
    return replaced


def _require_nobody_held(connection: sqlite3.Connection, keys: set[int]) -> None:
    held = keys & {row[0] for row in connection.execute("SELECT person_key FROM person WHERE held")}
    if held:
        raise PersonHeldError(
            expected="templates of people who may be forgotten",
            got=f"some of {len(held)} who are held",
            advice="find their photos, or lift the holds first, if you may",
        )
