"""The rights of people at the shell: what `sameface people` and `sameface gallery` have for consent, retention, holds and access."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sameface.cli.options import ByIdOption, GalleryOption, JsonOption, YesOption, known_names
from sameface.cli.overwriting import OverwriteOption

if TYPE_CHECKING:
    from sameface.types import Person, Retention

NameArgument = Annotated[str, typer.Argument(autocompletion=known_names)]
UntilOption = Annotated[
    str,
    typer.Option(
        "--until",
        help="The last day, like 2027-12-31; or in how long: 90d, 12h. never: without an end.",
        metavar="TEXT",
    ),
]


def consent(
    name: NameArgument,
    purpose: Annotated[str, typer.Option("--for", help="What for, in words.")],
    given: Annotated[
        str, typer.Option("--given", help="When, like 2026-11-26.  [default: now]", show_default=False)
    ] = "",
    until: UntilOption = "never",
    evidence: Annotated[
        str, typer.Option("--evidence", help="Where the proof lies: the number of a signed form, say.")
    ] = "",
    by_id: ByIdOption = False,
    gallery: GalleryOption = None,
    json: JsonOption = False,
) -> None:
    """Note what a person agreed to, instead of what was noted before."""
    from sameface.cli.moments import end_of
    from sameface.cli.options import gallery_location, meant
    from sameface.cli.output import note
    from sameface.gallery import now
    from sameface.recognizer import Gallery
    from sameface.types import Consent

    agreed = Consent(purpose, given or now(), end_of(until), evidence)
    note(f"gallery: {gallery_location(gallery)}")
    with Gallery(gallery_location(gallery), create=False) as known:
        person = known.update(known.person(meant(name, by_id)), consent=agreed)
    _say(person, f"{person.name} agreed to: {purpose}; {_until(person)}", json)


def keep(
    name: NameArgument,
    until: Annotated[str, typer.Argument(help="The last day, like 2027-12-31; or in how long: 90d. never: no end.")],
    by_id: ByIdOption = False,
    gallery: GalleryOption = None,
    json: JsonOption = False,
) -> None:
    """Say until when a person is kept. The gallery's, their groups' and their consent's ends count too: of all the earliest."""
    from sameface.cli.moments import end_of
    from sameface.cli.options import gallery_location, meant
    from sameface.cli.output import note
    from sameface.recognizer import Gallery

    end = end_of(until)
    note(f"gallery: {gallery_location(gallery)}")
    with Gallery(gallery_location(gallery), create=False) as known:
        person = known.update(known.person(meant(name, by_id)), keep_until=end)
    _say(person, f"{person.name}: {_until(person)}", json)


def hold(
    name: NameArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why, in one line: the number of a case, say.")],
    by_id: ByIdOption = False,
    gallery: GalleryOption = None,
    json: JsonOption = False,
) -> None:
    """A legal hold: nothing of this person is erased, by nobody, until it is lifted. When their time is over nobody names them all the same."""
    from sameface.cli.options import gallery_location, meant
    from sameface.cli.output import note
    from sameface.recognizer import Gallery

    note(f"gallery: {gallery_location(gallery)}")
    with Gallery(gallery_location(gallery), create=False) as known:
        person = known.hold(known.person(meant(name, by_id)), reason)
    _say(person, f"{person.name} is held: {person.hold}", json)


def lift(
    name: NameArgument, by_id: ByIdOption = False, gallery: GalleryOption = None, json: JsonOption = False
) -> None:
    """Lift a legal hold. Whose time is over meanwhile is forgotten at once."""
    from sameface.cli.options import gallery_location, meant
    from sameface.cli.output import note
    from sameface.recognizer import Gallery

    note(f"gallery: {gallery_location(gallery)}")
    with Gallery(gallery_location(gallery), create=False) as known:
        person = known.lift_hold(known.person(meant(name, by_id)))
        there = person in known
    _say(person, f"{person.name} is held no more{'' if there else '; their time was over: they are forgotten'}", json)


def access(
    name: NameArgument,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write it to this file instead of standard output.", show_default=False)
    ] = None,
    embeddings: Annotated[bool, typer.Option("--embeddings", help="The embeddings too: biometric data.")] = False,
    by_id: ByIdOption = False,
    gallery: GalleryOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Everything that is kept of one person, as JSON to be handed to them. The gallery's audit log notes it."""
    from sameface.cli.options import gallery_location, meant
    from sameface.cli.output import note, print_json, print_line
    from sameface.cli.overwriting import new_file
    from sameface.files import atomic_write
    from sameface.recognizer import Gallery

    if out is not None:
        new_file(out, overwrite=overwrite, sources=[gallery_location(gallery)])
    note(f"gallery: {gallery_location(gallery)}")
    with Gallery(gallery_location(gallery), create=False) as known:
        kept = known.access(known.person(meant(name, by_id)), embeddings=embeddings)
    if out is None:
        print_json(kept)
        return
    import msgspec

    with atomic_write(out) as part:
        part.write_bytes(msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n")
    if json:
        print_json({"file": str(out), "person": kept.person})
        return
    print_line(f"{out}: what is kept of {kept.person.name}. It is personal data: hand it to them alone.")


def retention(
    days: Annotated[
        int | None, typer.Option("--days", help="From the enrolment on.", min=1, show_default=False)
    ] = None,
    until: Annotated[str, typer.Option("--until", help="A last day, like 2027-12-31.", show_default=False)] = "",
    group: Annotated[
        str | None, typer.Option("--group", help="Of people with this tag, not of everybody.", show_default=False)
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Take the rule away.")] = False,
    gallery: GalleryOption = None,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """How long people are kept: show the rules, or set one. Of all ends that hold for a person the earliest counts."""
    from sameface.cli.options import gallery_location
    from sameface.cli.output import ask, note, plural, print_json, print_table
    from sameface.errors import SettingError
    from sameface.gallery import open_store
    from sameface.types import Retention

    if none and (days is not None or until):
        raise SettingError(expected="a rule, or --none", got="both", advice="leave one of them out")
    with open_store(gallery_location(gallery), create=False) as store:
        note(f"gallery: {store.location}")
        if none:
            store.set_retention(None, group=group)
        elif days is not None or until:
            whom = "everybody in it" if group is None else f"the group {group}"
            ask(f"Keep {whom} no longer? {plural(len(store), 'person', 'people')} are enrolled", yes=yes)
            store.set_retention(Retention(days or 0, until), group=group)
        rules, over = store.retention(), len(store.ending())
    if json:
        print_json(rules)
        return
    print_table(("whom", "kept for"), [(name or "everybody", _rule(rule)) for name, rule in rules.items()])
    if over:
        note(f"the time of {plural(over, 'person', 'people')} is over: `sameface gallery expire` forgets them")


def expire(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say who it would be.")] = False,
    within: Annotated[
        int, typer.Option("--within", help="With --dry-run: whose time is over within so many days.", min=0)
    ] = 0,
    gallery: GalleryOption = None,
    json: JsonOption = False,
) -> None:
    """Forget everybody whose time is over. They are named by nobody before, and a service does this by itself."""
    from sameface.cli.options import gallery_location
    from sameface.cli.output import note, plural, print_json, print_line, print_table
    from sameface.errors import SettingError
    from sameface.gallery import open_store
    from sameface.recognizer.wire import People

    if within and not dry_run:
        raise SettingError(expected="--within with --dry-run", got="it alone", advice="add --dry-run")
    with open_store(gallery_location(gallery), create=False) as store:
        note(f"gallery: {store.location}")
        if dry_run:
            ending = store.ending(within)
            if json:
                print_json(People(people=tuple(ending), total=len(ending)))
            else:
                print_table(("name", "photos", "ends"), [(p.name, str(p.photos), p.expires[:19]) for p in ending])
            return
        done = store.expire()
    if json:
        print_json(done)
        return
    print_line(f"forgot {plural(len(done.people), 'person', 'people')}, {plural(done.templates, 'template')}")
    if done.held:
        print_line(
            f"{plural(done.held, 'person', 'people')} more are held: nobody names them, and nothing of them goes"
        )
    for place in done.pending:
        print_line(f"old bytes stay in the {place} until another program has read it to its end")


def _until(person: Person) -> str:
    return f"kept until {person.expires[:19]} (UTC)" if person.expires else "kept without an end"


def _rule(rule: Retention) -> str:
    parts = [f"{rule.days} days"] if rule.days else []
    return " and not after ".join([*parts, *([rule.until[:19]] if rule.until else [])])


def _say(person: Person, words: str, json: bool) -> None:
    from sameface.cli.output import print_json, print_line

    if json:
        print_json(person)
    else:
        print_line(words)
