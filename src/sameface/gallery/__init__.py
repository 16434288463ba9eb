"""Where embeddings are kept and searched. `open_store` opens any gallery; `TemplateStore` says what it can do."""

from __future__ import annotations

from sameface.gallery.beside import galleries_beside
from sameface.gallery.location import (
    distribute_gallery,
    erase_gallery,
    gallery_exists,
    make_gallery,
    open_store,
    read_space,
)
from sameface.gallery.places import Place
from sameface.gallery.rekeying import retire_key, rotate_key
from sameface.gallery.rules.names import clean_name
from sameface.gallery.rules.places import check_slug, is_server
from sameface.gallery.rules.terms import rules_for
from sameface.gallery.sqlite.key import new_key
from sameface.gallery.store import (
    AuditEntry,
    CheckReport,
    GalleryProblem,
    IndexBuild,
    Judge,
    NewPerson,
    Page,
    Sight,
    Spread,
    Stats,
    StoredTemplate,
    TemplateStore,
    Tuning,
    now,
)

__all__ = [
    "AuditEntry",
    "CheckReport",
    "GalleryProblem",
    "IndexBuild",
    "Judge",
    "NewPerson",
    "Page",
    "Place",
    "Sight",
    "Spread",
    "Stats",
    "StoredTemplate",
    "TemplateStore",
    "Tuning",
    "check_slug",
    "clean_name",
    "distribute_gallery",
    "erase_gallery",
    "galleries_beside",
    "gallery_exists",
    "is_server",
    "make_gallery",
    "new_key",
    "now",
    "open_store",
    "read_space",
    "retire_key",
    "rotate_key",
    "rules_for",
]
