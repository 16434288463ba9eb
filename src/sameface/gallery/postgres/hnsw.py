"""pgvector's HNSW index, on request: built over half precision, its `ef_search` chosen by measured recall."""

from __future__ import annotations

import logging
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.errors import NotEnoughDataError
from sameface.gallery.postgres.connections import Connection
from sameface.gallery.store import Tuning

#: Below this share of right answers a gallery says so.
ENOUGH: Final = 0.99
_TRIED: Final = (40, 80, 120, 200, 300, 500, 800, 1000)
_PROBES: Final = 200
#: How far a made-up probe lies from its template, as a share of the distance of two strangers: about as far as a hard photo of that person does.
_AWAY: Final = 0.5
_log: Final = logging.getLogger(__name__)


def build(connection: Connection, dimension: int, recall: float) -> Tuning:
    """Build the index and choose the smallest `ef_search` that reaches a recall.

    Recall is the share of probes whose nearest template by exact search is the index's too. Probes are stored templates, moved by half
    of the difference of two others: in the directions in which faces differ. Moved evenly in all directions they would be found too easily.

    Args:
        recall: wanted, in (0, 1].

    Returns:
        What was chosen; its recall is below the one wanted when no setting reaches it, and a warning is logged under 0.99.

    Raises:
        NotEnoughDataError: an empty gallery.
    """
    drop(connection)
    connection.execute(b"SET LOCAL maintenance_work_mem = '1GB'")
    connection.execute(
        f"CREATE INDEX sameface_template_hnsw ON sameface_template USING hnsw ((embedding::halfvec({dimension})) halfvec_l2_ops)".encode()
    )
    probes = _probes(connection)
    exact = [_nearest(connection, probe, 0) for probe in probes]
    chosen = Tuning("hnsw")
    for ef_search in _TRIED:
        found = [_nearest(connection, probe, ef_search) for probe in probes]
        share = sum(a <= b * (1 + 1e-6) for a, b in zip(found, exact, strict=True)) / len(probes)
        chosen = Tuning("hnsw", share, len(probes), ef_search)
        if share >= recall:
            break
    values = {"ef_search": str(chosen.ef_search), "recall": str(chosen.recall), "recall_probes": str(chosen.probes)}
    for key, value in values.items():
        connection.execute(
            "INSERT INTO sameface_gallery VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )
    warn(chosen)
    return chosen


def drop(connection: Connection) -> None:
    """Take the index away: search is exact again."""
    connection.execute(b"DROP INDEX IF EXISTS sameface_template_hnsw")
    connection.execute(b"DELETE FROM sameface_gallery WHERE key IN ('ef_search', 'recall', 'recall_probes')")


def chosen(settings: dict[str, str]) -> Tuning | None:
    """The index among a gallery's settings, None when its search is exact."""
    if "ef_search" not in settings:
        return None
    return Tuning("hnsw", float(settings["recall"]), int(settings["recall_probes"]), int(settings["ef_search"]))


def warn(index: Tuning) -> None:
    """Say it when an index names the wrong person too often."""
    if index.recall < ENOUGH:
        _log.warning(
            "the HNSW index finds the nearest template for %.1f %% of probes only; `gallery reindex --exact` searches exactly",
            100 * index.recall,
        )


def _probes(connection: Connection) -> list[npt.NDArray[np.float32]]:
    rows: list[Any] = connection.execute(
        "SELECT embedding FROM sameface_template ORDER BY md5(template_id::text) LIMIT %s", (_PROBES,), binary=True
    ).fetchall()
    if not rows:
        raise NotEnoughDataError(
            expected="enrolled people to measure recall on", got="an empty gallery", advice="enroll people first"
        )
    vectors = np.stack([row[0].to_numpy() for row in rows]).astype(np.float64)
    away = np.roll(vectors, 1, axis=0) - np.roll(vectors, 2, axis=0)  # they come in no order: neighbours are strangers
    return list((vectors + _AWAY * away).astype(np.float32))


def _nearest(connection: Connection, probe: npt.NDArray[np.float32], ef_search: int) -> float:
    """Distance of the nearest template, by the index, or exactly when `ef_search` is 0."""
    if ef_search:
        half = f"halfvec({len(probe)})"
        connection.execute(f"SET LOCAL hnsw.ef_search = {ef_search}".encode())
        query = f"""
            SELECT min(near) FROM (
                SELECT embedding <-> %s AS near FROM sameface_template ORDER BY embedding::{half} <-> %s::{half} LIMIT 5
            ) AS nearby
        """
        row = connection.execute(query.encode(), (probe, probe)).fetchone()
    else:
        row = connection.execute("SELECT min(embedding <-> %s) FROM sameface_template", (probe,)).fetchone()
    return float(row[0]) if row else float("inf")
