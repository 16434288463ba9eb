"""From one store to another."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sameface.errors import GalleryMismatchError
from sameface.gallery.store import NewPerson, TemplateStore

Progress = Callable[[int], None]


def silent(done: int) -> None:
    """No progress is shown."""


def copy_gallery(source: TemplateStore, target: TemplateStore, progress: Progress = silent) -> int:
    """Copy everybody, with their ids, details, groups and vectors, in the order of enrolment; all or none.

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
    return target.add_many(_everybody(source, progress))


def _everybody(source: TemplateStore, progress: Progress) -> Iterator[NewPerson]:
    for done, (person, stored) in enumerate(source.export(), 1):
        templates = [item.template for item in stored]
        yield NewPerson(person.name, templates, person.details, person.groups, person.person_id, person.created)
        progress(done)
