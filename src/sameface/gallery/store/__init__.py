"""The contract of a gallery's storage, and the values that go in and out."""

from __future__ import annotations

from sameface.gallery.store.contract import TemplateStore
from sameface.gallery.store.transaction import Transaction
from sameface.gallery.store.values import (
    AuditEntry,
    CheckReport,
    GalleryProblem,
    IfExists,
    IndexBuild,
    Judge,
    NewPerson,
    Page,
    Sight,
    Spread,
    Stats,
    StoredTemplate,
    Tuning,
    now,
)

__all__ = [
    "AuditEntry",
    "CheckReport",
    "GalleryProblem",
    "IfExists",
    "IndexBuild",
    "Judge",
    "NewPerson",
    "Page",
    "Sight",
    "Spread",
    "Stats",
    "StoredTemplate",
    "TemplateStore",
    "Transaction",
    "Tuning",
    "now",
]
