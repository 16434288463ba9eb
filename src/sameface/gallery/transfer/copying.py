"""From one store to another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sameface.errors import GalleryMismatchError
from sameface.gallery.store import NewPerson, TemplateStore
from sameface.types import Retention

Progress = Callable[[int], None]


def silent(done: int) -> None:
    """No progress is shown."""


def copy_gallery(source: TemplateStore, target: TemplateStore, progress: Progress = silent) -> int:
    """Copy everybody, with their ids, details, groups, terms and vectors, in the order of enrolment; all or none.

    Retention goes along into an empty gallery. In another the target's own rules hold; nobody is kept longer there than they were to be here.

    Args:
        progress: told after each person how many are done.

    Returns:
        How many templates were copied.

    Raises:
        GalleryMismatchError: galleries of different embeddings.
        PersonExistsError: somebody of that name or id is in the target already.
    """
    if source.space != target.space or source.dimension != target.dimension:
        raise GalleryMismatchError(
            expected=f"a target of {source.space}",
            got=f"{target.location} of {target.space}",
            advice="copy into a new gallery",
        )
    alike = take_over(target, source.retention())
    return target.add_many(_everybody(source, progress, alike=alike))


def take_over(target: TemplateStore, rules: Mapping[str, Retention]) -> bool:
    """Give rules of retention to a gallery without people and rules. Returns whether it has the very rules now."""
    if not len(target) and not target.retention():
        for name, rule in rules.items():
            target.set_retention(rule, group=name or None)
    return target.retention() == rules


def _everybody(source: TemplateStore, progress: Progress, *, alike: bool) -> Iterator[NewPerson]:
    for done, (person, stored) in enumerate(source.export(), 1):
        yield NewPerson(
            person.name,
            [item.template for item in stored],
            person.details,
            person.groups,
            person.person_id,
            person.created,
            person.consent,
            person.keep_until if alike else person.expires,
            person.hold,
        )
        progress(done)
