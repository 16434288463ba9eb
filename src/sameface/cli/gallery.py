"""`sameface gallery`: check, stats, copy, export, import, import-encodings, reindex, distribute, compact, audit, key, retention, expire."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from sameface.cli.gallery_index import distribute, reindex
from sameface.cli.gallery_moves import copy, export, import_, import_encodings, reencode
from sameface.cli.options import GalleryOption, JsonOption, YesOption
from sameface.cli.rights import expire, retention

gallery_app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="Check, copy, export, import and compact a gallery.",
)


@gallery_app.command()
def check(gallery: GalleryOption = None, json: JsonOption = False) -> None:
    """Read every byte again and name what is damaged. Exit code 1 when anything is."""
    from sameface.cli.options import gallery_location
    from sameface.cli.output import note, plural, print_json, print_line
    from sameface.gallery import open_store

    with open_store(gallery_location(gallery), create=False) as store:
        note(f"gallery: {store.location}")
        report = store.check()
    if json:
        print_json(report)
    else:
        for problem in report.problems:
            where = f"template {problem.template_id}" if problem.template_id is not None else "gallery"
            print_line(f"{where}{f' of {problem.person!r}' if problem.person else ''}: {problem.what}")
        verdict = "all is well" if report.ok else plural(len(report.problems), "problem")
        print_line(f"{plural(report.people, 'person', 'people')}, {plural(report.templates, 'template')}: {verdict}")
    if not report.ok:
        raise typer.Exit(1)


@gallery_app.command()
def stats(gallery: GalleryOption = None, json: JsonOption = False) -> None:
    """Sizes and settings."""
    from sameface.cli.options import gallery_location
    from sameface.cli.output import plural, print_json, print_table
    from sameface.gallery import open_store

    with open_store(gallery_location(gallery), create=False) as store:
        found = store.stats()
    if json:
        print_json(found)
        return
    rows = [("gallery", found.location), ("encoder", f"{found.space.encoder}, {found.dimension} numbers")]
    rows += [("detector", found.space.detector), ("alignment", found.space.alignment)]
    rows += [("people", str(found.people)), ("templates", str(found.templates))]
    rows += [(f"group {name}", plural(count, "person", "people")) for name, count in found.groups.items()]
    rows += [(name, f"{size / 1e6:.1f} MB") for name, size in found.bytes.items()]
    print_table(("what", "value"), [*rows, *found.settings.items()], shorten=("value",))


gallery_app.command()(copy)
gallery_app.command()(export)
gallery_app.command("import")(import_)
gallery_app.command("import-encodings")(import_encodings)
gallery_app.command()(reencode)
gallery_app.command()(retention)
gallery_app.command()(expire)


gallery_app.command()(reindex)
gallery_app.command()(distribute)


@gallery_app.command()
def compact(gallery: GalleryOption = None, json: JsonOption = False) -> None:
    """Rewrite the gallery without the space that forgotten people took."""
    from sameface.cli.options import gallery_location
    from sameface.cli.output import note, print_json, print_line
    from sameface.gallery import open_store

    with open_store(gallery_location(gallery), create=False) as store:
        note(f"gallery: {store.location}")
        saved = store.compact()
    if json:
        print_json({"bytes": saved})
    else:
        print_line(f"saved {saved / 1e6:.1f} MB")


@gallery_app.command()
def erase(gallery: GalleryOption = None, yes: YesOption = False, json: JsonOption = False) -> None:
    """Remove the gallery with everybody in it. File, log, search cache and locks; asks first at a terminal."""
    from sameface.cli.options import gallery_location
    from sameface.cli.output import ask, note, plural, print_json, print_line
    from sameface.gallery import erase_gallery, open_store

    location = gallery_location(gallery)
    with open_store(location, create=False) as store:
        shown, people, templates = store.location, len(store), store.count()
    note(f"gallery: {shown}")
    ask(f"Erase {plural(people, 'person', 'people')}, {plural(templates, 'photo')}, and the gallery?", yes=yes)
    erase_gallery(location)
    if json:
        print_json({"gallery": shown, "people": people, "templates": templates})
    else:
        print_line(
            f"erased {plural(people, 'person', 'people')}, {plural(templates, 'template')}; nothing of it is left"
        )


@gallery_app.command()
def audit(
    gallery: GalleryOption = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many entries, newest first.")] = 50,
    json: JsonOption = False,
) -> None:
    """What was done to whom and when; by id, without names."""
    from sameface.cli.options import gallery_location
    from sameface.cli.output import print_json, print_table
    from sameface.gallery import open_store

    with open_store(gallery_location(gallery), create=False) as store:
        entries = store.audit(limit)
    if json:
        print_json(entries)
        return
    print_table(
        ("at", "action", "templates", "person"),
        [(entry.at[:19], entry.action, str(entry.templates), entry.person_id) for entry in entries],
    )


@gallery_app.command("rotate-key")
def rotate(
    to: Annotated[
        str, typer.Option("--to", help="The new key: @FILE, or !COMMAND that prints it.", show_default=False)
    ] = "",
    seal_names: Annotated[
        bool | None,
        typer.Option("--seal-names/--open-names", help="Encrypt names, details and sources too.", show_default=False),
    ] = None,
    finish: Annotated[
        bool, typer.Option("--finish", help="All programs have the new key: the old one opens the gallery no more.")
    ] = False,
    gallery: GalleryOption = None,
    json: JsonOption = False,
) -> None:
    """Change the key of an encrypted gallery while it is used. Old and new open it until --finish, called with the new one.

    Stopped on its way, it is called again with the same --to, and goes on.
    """
    from sameface.cli.options import gallery_location
    from sameface.cli.output import note, plural, print_json, print_line, progress
    from sameface.errors import SettingError
    from sameface.gallery import open_store, retire_key, rotate_key

    location = gallery_location(gallery)
    if bool(to) == finish:
        raise SettingError(expected="--to or --finish", got="both or neither", advice="give one of them")
    note(f"gallery: {location}")
    if finish:
        gone = retire_key(location)
        if json:
            print_json({"keys gone": gone})
        else:
            print_line(f"{plural(gone, 'old key')} opens it no more" if gone else "no other key opened it")
        return
    with open_store(location, create=False) as store:
        rows = 2 * store.count() + len(store)
    with progress("encrypting anew", rows) as advance:
        report = rotate_key(location, to, seal_names=seal_names, progress=advance)
    if json:
        print_json(report)
        return
    verdict = "all of it" if report.ok else f"all but {plural(len(report.problems), 'damaged row')}"
    print_line(
        f"the new key opens {verdict}: {plural(report.people, 'person', 'people')}, {plural(report.templates, 'template')}"
    )
    print_line("the old key opens it still: give all programs the new one, then call this with --finish")


@gallery_app.command()
def key(json: JsonOption = False) -> None:
    """Make a key for a new encrypted gallery. Put it in $SAMEFACE_GALLERY_KEY, or in a file and @FILE there. Without it the gallery is lost."""
    from sameface.cli.output import print_json, print_line
    from sameface.gallery import new_key

    if json:
        print_json({"key": new_key()})
    else:
        print_line(new_key())


APPS: Final = {"gallery": gallery_app}
