"""What is kept of one person, whole: what the law lets them ask for."""

from __future__ import annotations

from sameface.gallery import TemplateStore, now, rules_for
from sameface.recognizer.wire import Access, AuditLine, KeptPhoto, rounded
from sameface.types import Person, PersonId, Who

#: More lines than anybody's record has.
_ALL_LINES = 1_000_000


def everything_about(store: TemplateStore, who: Who, *, embeddings: bool) -> Access:
    """Everything that is kept of a person. That it was shown is noted in the audit log first, so the answer holds that too.

    Raises:
        PersonNotFoundError: nobody of that name or id.
    """
    person = store.person(who)
    store.note_access(person)
    photos = tuple(
        KeptPhoto(
            photo_id=item.template_id,
            added=item.template.added,
            source=item.template.source,
            sha256=item.template.source_sha256,
            box=rounded(item.template.box),
            quality=item.template.quality,
            embedding=tuple(item.template.embedding.tolist()) if embeddings else None,
        )
        for item in store.templates_of(person)
    )
    return Access(
        made=now(),
        person=person,
        space=store.space,
        dimension=store.dimension,
        photos=photos,
        retention=rules_for(person, store.retention()),
        audit=tuple(history_of(store, person)),
    )


def history_of(store: TemplateStore, person: Person) -> list[AuditLine]:
    """What was done to a person's record, the oldest first."""
    entries = store.audit(_ALL_LINES, of=PersonId(person.person_id))
    return [AuditLine(at=entry.at, action=entry.action, photos=entry.templates) for entry in reversed(entries)]
