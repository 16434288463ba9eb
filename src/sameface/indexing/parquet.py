"""An archive as Parquet, for programs that work on tables: ``photos.parquet`` and ``faces.parquet``. By pyarrow: the extra ``parquet``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from sameface.errors import ExtraMissingError
from sameface.files import atomic_write
from sameface.gallery import TemplateStore
from sameface.indexing.ledger import Ledger

#: Rows that are in memory at a time.
_AT_ONCE: Final = 10_000


def write_parquet(store: TemplateStore, ledger: Ledger, folder: Path) -> tuple[Path, Path]:
    """Write what an archive holds; memory stays flat. The embeddings are biometric data: keep the files like the gallery.

    Args:
        store: the gallery. A row for each face of ``faces.parquet``: ``photo``, ``sha256``, ``person``, ``person_id``, ``x1 y1 x2 y2`` in pixels,
            ``embedding`` (fixed-size list of float32).
        ledger: of its photos. A row for each of ``photos.parquet``: ``photo``, ``size``, ``sha256``, ``faces``, ``error``, ``space``.
        folder: is made where missing; files there are replaced, whole or not at all.

    Raises:
        ExtraMissingError: pyarrow is not installed.
        StorageFullError, OutputError: they cannot be written.
    """
    arrow, parquet = _pyarrow()
    text, number = arrow.string(), arrow.float32()
    about = {"encoder": store.space.encoder, "detector": store.space.detector, "alignment": store.space.alignment}
    photos = arrow.schema(
        [
            ("photo", text),
            ("size", arrow.int64()),
            ("sha256", text),
            ("faces", arrow.int32()),
            ("error", text),
            ("space", text),
        ],
        metadata=about,
    )
    faces = arrow.schema(
        [
            *(("photo", text), ("sha256", text), ("person", text), ("person_id", text)),
            *((name, number) for name in ("x1", "y1", "x2", "y2")),
            ("embedding", arrow.list_(number, store.dimension)),
        ],
        metadata=about,
    )
    listed = ((e.path, e.size, e.sha256, e.faces, e.error, e.space) for e in ledger.everything())
    return (
        _write(arrow, parquet, folder / "photos.parquet", photos, listed),
        _write(arrow, parquet, folder / "faces.parquet", faces, _faces(store)),
    )


def _faces(store: TemplateStore) -> Iterator[tuple[Any, ...]]:
    for person, templates in store.export():
        for stored in templates:
            template = stored.template
            box = template.box.xyxy if template.box is not None else (None,) * 4
            vector = np.asarray(template.embedding, dtype=np.float32)
            yield template.source, template.source_sha256, person.name, person.person_id, *box, vector


def _write(arrow: Any, parquet: Any, path: Path, schema: Any, rows: Iterable[tuple[Any, ...]]) -> Path:
    source = iter(rows)
    with atomic_write(path) as part, parquet.ParquetWriter(part, schema) as writer:
        while some := list(islice(source, _AT_ONCE)):
            columns = [
                arrow.array(column, type=field.type)
                for column, field in zip(zip(*some, strict=True), schema, strict=True)
            ]
            writer.write_table(arrow.Table.from_arrays(columns, schema=schema))
    return path


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ExtraMissingError(
            expected="the extra `parquet`",
            got="an installation without pyarrow",
            advice='run `pip install "sameface[parquet]"`',
        ) from error
    return pyarrow, pyarrow.parquet
