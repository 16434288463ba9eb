"""Where embeddings are kept and searched. `open_store` opens any gallery; `TemplateStore` says what it can do."""

from __future__ import annotations

from sameface.gallery.location import gallery_exists, open_store, read_space
from sameface.gallery.sqlite.key import new_key
from sameface.gallery.store import AuditEntry, CheckReport, NewPerson, Problem, Stats, StoredTemplate, TemplateStore

__all__ = [
    "AuditEntry",
    "CheckReport",
    "NewPerson",
    "Problem",
    "Stats",
    "StoredTemplate",
    "TemplateStore",
    "gallery_exists",
    "new_key",
    "open_store",
    "read_space",
]
