"""`sameface people` and `sameface forget`."""

from __future__ import annotations

import shlex
from typing import Annotated, Final

import typer

from sameface.cli.options import ByIdOption, GalleryOption, JsonOption, YesOption, known_groups, known_names
from sameface.cli.rights import access, consent, hold, keep, lift

NameArgument = Annotated[str, typer.Argument(autocompletion=known_names)]

people_app = typer.Typer(rich_markup_mode=None, add_completion=False, invoke_without_command=True)
forget_app = typer.Typer(rich_markup_mode=None, add_completion=False)


@people_app.callback()
def people(
    ctx: typer.Context,
    gallery: GalleryOption = None,
    group: Annotated[
        str | None,
        typer.Option("--group", help="Only people with this tag.", show_default=False, autocompletion=known_groups),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Whole ids, times and details, a few lines for each.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """List the people of a gallery; the commands change it, and say what is kept of somebody."""
    if ctx.invoked_subcommand is not None:
        # `sameface people -g team.db rename …` means that gallery, as `rename … -g team.db` does.
        given = {name: value for name, value in (("gallery", gallery), ("json", json or None)) if value is not None}
        ctx.default_map = dict.fromkeys(("rename", "merge", *(each.__name__ for each in RIGHTS)), given)
        return
    from sameface.cli.options import gallery_location
    from sameface.cli.output import note, print_json, print_line, print_table
    from sameface.errors import did_you_mean
    from sameface.recognizer import Gallery
    from sameface.recognizer.wire import People

    note(f"gallery: {gallery_location(gallery)}")
    with Gallery(gallery_location(gallery), create=False) as known:
        listed = known.people(group)
        groups = [] if listed or group is None else known.store.stats().groups
    if json:
        print_json(People(people=tuple(listed), total=len(listed)))
        return
    if not listed:
        advice = did_you_mean(group or "", groups, "see `sameface gallery stats`") if group else ""
        print_line(f"nobody is in the group {group!r}: {advice}" if group else "nobody is enrolled")
        return
    if verbose:
        for item in listed:
            print_line(item.name)
            told = {
                "id": item.person_id,
                "photos": str(item.photos),
                "groups": ", ".join(item.groups),
                "enrolled": item.created[:19],
                "ends": item.expires[:19],
                "held for": item.hold,
                **item.details,
            }
            for what, value in told.items():
                if value:
                    print_line(f"  {what}: {value}")
        return
    # Ends and holds are shown where there are any, and take the place of the day of enrolment.
    ends = any(item.expires or item.hold for item in listed)
    columns = {
        "name": [item.name for item in listed],
        "photos": [str(item.photos) for item in listed],
        "groups": [", ".join(item.groups) for item in listed],
        "enrolled": ["" if ends else item.created[:10] for item in listed],
        "ends": [item.expires[:10] for item in listed],
        "held for": [item.hold for item in listed],
        "id": [item.person_id[-8:] for item in listed],  # ids begin with the time
    }
    optional = ("enrolled", "ends", "held for")
    shown = {name: cells for name, cells in columns.items() if name not in optional or any(cells)}
    print_table(tuple(shown), zip(*shown.values(), strict=True), shorten=("groups", "held for"))


@people_app.command()
def rename(
    name: NameArgument, new: str, by_id: ByIdOption = False, gallery: GalleryOption = None, json: JsonOption = False
) -> None:
    """Give a person another name; the id and the photos stay."""
    from sameface.cli.options import gallery_location, meant
    from sameface.cli.output import note, print_json, print_line
    from sameface.recognizer import Gallery

    note(f"gallery: {gallery_location(gallery)}")
    with Gallery(gallery_location(gallery), create=False) as known:
        before = known.person(meant(name, by_id))
        person = known.rename(before, new)
    if json:
        print_json(person)
    else:
        print_line(f"{before.name} is now {person.name}")


@people_app.command()
def merge(
    into: NameArgument,
    other: NameArgument,
    by_id: ByIdOption = False,
    gallery: GalleryOption = None,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Two entries are one person: OTHER's photos go to INTO. Asks first at a terminal."""
    from sameface.cli.options import gallery_location, meant
    from sameface.cli.output import ask, note, plural, print_json, print_line
    from sameface.recognizer import Gallery

    note(f"gallery: {gallery_location(gallery)}")
    with Gallery(gallery_location(gallery), create=False) as known:
        first, second = known.person(meant(into, by_id)), known.person(meant(other, by_id))
        ask(
            f"Give {plural(second.photos, 'photo')} of {second.name} to {first.name}? {second.name} will be gone",
            yes=yes,
        )
        person = known.merge(first, second)
    if json:
        print_json(person)
    else:
        print_line(f"{person.name} has {plural(person.photos, 'photo')} now; {second.name} is gone")


@forget_app.command()
def forget(
    names: Annotated[list[str], typer.Argument(help="Whom to erase.", autocompletion=known_names)],
    by_id: ByIdOption = False,
    gallery: GalleryOption = None,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Erase people: vectors, index rows and caches. Says what was erased. Asks first at a terminal."""
    from sameface.cli.options import gallery_location, meant
    from sameface.cli.output import ask, note, plural, print_json, print_line
    from sameface.gallery import galleries_beside
    from sameface.recognizer import Gallery

    location = gallery_location(gallery)
    note(f"gallery: {location}")
    with Gallery(location, create=False) as known:
        # All or nobody: an unknown name is an error before anything is erased. From the look-up on they go by id: names may change hands.
        people = {name: known.person(meant(name, by_id)) for name in names}
        listed = ", ".join(f"{item.name} ({plural(item.photos, 'photo')})" for item in people.values())
        ask(f"Erase {listed}?", yes=yes)
        for person in people.values():
            if person.hold:
                known.forget(person)  # refused, before anybody else is erased
        erased = {name: known.forget(person) for name, person in people.items()}
    for other in galleries_beside(location):
        whom = " ".join(shlex.quote(name) for name in names) if not by_id else "NAME"
        note(
            f"another gallery lies beside it: {other}. Is anybody in it, too? sameface forget {whom} --gallery {shlex.quote(str(other))}"
        )
    if json:
        print_json(erased)
        return
    for name, what in erased.items():
        places = "".join(f", {count} in the {place}" for place, count in what.elsewhere.items() if count)
        print_line(f"{name}: erased {plural(what.templates, 'template')}{places}")
        for place in what.pending:
            print_line(
                f"{name}: old bytes stay in the {place} until another program has read it to its end; then they go by themselves"
            )


RIGHTS: Final = (consent, keep, hold, lift, access)
for each in RIGHTS:
    people_app.command()(each)

APPS: Final = {"people": people_app, "forget": forget_app}
