"""The faces of photos that are gone or overwritten: forgotten, but for those that somebody named or merged."""

from __future__ import annotations

from sameface.gallery import TemplateStore
from sameface.indexing.ledger import Ledger


def face_names(digest: str, faces: int) -> list[str]:
    """What the faces of a photo are called in the gallery until somebody names them: by the photo's content.

    >>> face_names("ab" * 32, 1)
    ['photo abababababababababababab face 1']
    """
    return [f"photo {digest[:24]} face {number}" for number in range(1, faces + 1)]


def forget_stale(store: TemplateStore, book: Ledger) -> None:
    """Forget the faces of contents that no photo has any more: first the gallery, then the ledger, so that a kill costs nothing."""
    while stale := book.stale():
        elsewhere = book.paths_of(list(stale))
        for digest, faces in stale.items():
            if digest in elsewhere:
                continue
            for name in face_names(digest, faces):
                if name in store:
                    _forget(store, name, digest)
        book.settle(stale)


def _forget(store: TemplateStore, name: str, digest: str) -> None:
    person = store.person(name)
    templates = store.templates_of(person)
    own = [stored for stored in templates if stored.template.source_sha256 == digest]
    if len(own) == len(templates):
        store.forget(person)
    else:  # another face was merged into it
        for stored in own:
            store.drop_template(stored.template_id, of=person)
