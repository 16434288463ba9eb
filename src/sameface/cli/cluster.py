"""`sameface cluster`: the faces of a folder, grouped by person."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sameface.cli.options import DetectorOption, DeviceOption, EncoderOption, ForceOption, JsonOption
from sameface.cli.overwriting import OverwriteOption

if TYPE_CHECKING:
    from sameface.files import Skipped
    from sameface.indexing.album import Album, Face

# Options may follow the folder, and the commands that follow it.
app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    invoke_without_command=True,
    context_settings={"allow_interspersed_args": True},
)

AlbumOption = Annotated[
    Path | None,
    typer.Option(
        "--album",
        help="Where groups and embeddings are kept  [default: .sameface-album.json in the folder]",
        show_default=False,
    ),
]


@app.callback()
def cluster(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Photos, in this folder and below.", show_default=False)],
    album: AlbumOption = None,
    html: Annotated[
        Path | None,
        typer.Option(help="Write a contact sheet to look through: one page, with the faces.", show_default=False),
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write a line for each face.", show_default=False)] = None,
    overwrite: OverwriteOption = False,
    smallest: Annotated[int, typer.Option(min=1, help="List only groups of at least this many faces.")] = 1,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold",
            "-t",
            help="Join groups under this mean distance instead of the calibrated one.",
            show_default=False,
        ),
    ] = None,
    force: ForceOption = False,
    encoder: EncoderOption = None,
    detector: DetectorOption = None,
    device: DeviceOption = "cpu",
    json: JsonOption = False,
) -> None:
    """Group every face of a folder of photos by person.

    Run it again after adding photos: only new ones are encoded, groups keep their numbers and names. So does a run after one that was
    stopped; one that was killed loses its last seconds. Then name, merge or split groups,
    by the sheet that --html writes or by commands:

    sameface cluster photos/ apply album-changes.json

    sameface cluster photos/ name 1 "Ada Lovelace"

    sameface cluster photos/ merge 1 2

    sameface cluster photos/ split 1 17 23
    """
    ctx.obj = (folder, _place(folder, album))
    # Options may stand before and behind the command's name.
    ctx.default_map = {command: {"json": json} for command in ("apply", "name", "merge", "split")}
    if ctx.invoked_subcommand is not None:
        return
    from sameface.cli.cluster_forms import as_json, write_csv
    from sameface.cli.options import make_recognizer
    from sameface.cli.output import note, plural, print_json, print_table, progress
    from sameface.cli.overwriting import new_file
    from sameface.errors import DataError
    from sameface.files import atomic_write, path_as_text
    from sameface.indexing.album import Album
    from sameface.indexing.album_file import NowAndThen, load_album, save_album
    from sameface.indexing.album_photos import photos_under, refresh
    from sameface.indexing.clustering import link_threshold, poor_threshold
    from sameface.metrics.extra import require

    require("scipy")
    for output in (html, csv):
        if output is not None:
            new_file(output, overwrite=overwrite)
    place = _place(folder, album)
    total = len(photos_under(folder))
    if not total and not place.exists():
        raise DataError(expected="photos", got=f"none in the folder {folder}", advice="check the path")
    recognizer = make_recognizer(encoder, detector, threshold, device=device)
    point = recognizer.operating_point
    limit = link_threshold(point) if threshold is None else point.threshold
    poor = poor_threshold(point, limit)
    known = load_album(place, recognizer.space) or Album(recognizer.space)
    note(f"album: {place}; groups join under a mean distance of {limit:.3f}")

    def passed_over(item: Skipped) -> None:
        if item.lost:
            note(f"passed over: {path_as_text(item.path)}: {item.reason}")

    try:
        with progress("photos", total) as advance:
            encoded, dropped = refresh(
                known,
                folder,
                lambda path: [
                    (face.box, face.embedding, recognizer.judge(face)) for face in recognizer.encode_faces(path)
                ],
                advance,
                passed_over,
                keep=NowAndThen(known, place),
            )
    except KeyboardInterrupt:  # what was encoded is kept, and the next run goes on
        known.regroup(limit, poor=poor, force=force)
        save_album(known, place)
        raise
    known.regroup(limit, poor=poor, force=force)
    save_album(known, place)
    note(f"{plural(encoded, 'photo')} encoded, {total - encoded} known already, {dropped} gone")
    typed = ["sameface", "cluster", str(folder), *(("--album", str(album)) if album else ())]
    command = shlex.join(
        ["sameface", "cluster", str(folder.resolve()), *(("--album", str(album.resolve())) if album else ())]
    )
    for photo, state in known.photos.items():
        if state.problem:
            note(f"{photo}: {state.problem}")
    outside = [face for face in known.faces if face.standing == "outside"]
    if outside:
        note(
            f"{plural(len(outside), 'face')} not comparable: "
            + ("grouped as they are, a guess" if force else "each is a group of its own")
        )
        for face in outside:
            note(f"{face.photo}, face {face.face_id}: {face.reason}")
    if html is not None:
        from sameface.imaging import load_image
        from sameface.indexing.contact_sheet import contact_sheet

        with atomic_write(html) as part:
            part.write_text(
                contact_sheet(known, folder, load_image, smallest_group=smallest, command=command), encoding="utf-8"
            )
        note(f"written: {html}")
    if csv is not None:
        with atomic_write(csv) as part:
            write_csv(known, part)
        note(f"written: {csv}")
    if json:
        print_json(as_json(known))
        return
    rows = [
        (str(number), known.names.get(number, ""), str(len(faces)), _photos(faces))
        for number, faces in known.groups().items()
        if len(faces) >= smallest
    ]
    print_table(("group", "name", "faces", "photos"), rows, shorten=("photos",))
    if rows and not known.names:
        note(f'name a group: {shlex.join(typed)} name {rows[0][0]} "Ada Lovelace"')
        if html is None:
            note(f"or see every face, and type the names beside them: {shlex.join(typed)} --html album.html")


@app.command()
def apply(
    ctx: typer.Context,
    changes: Annotated[Path, typer.Argument(help="The file that the contact sheet saved.", show_default=False)],
    json: JsonOption = False,
) -> None:
    """Do what was decided on the contact sheet: names, and faces that do not belong."""
    from sameface.cli.output import note, plural, print_json, print_line
    from sameface.indexing.album_changes import apply_changes, load_changes

    known, place = _open(ctx)
    done = apply_changes(known, load_changes(changes))
    _save(known, place)
    if done.gone:
        note(f"{plural(done.gone, 'face')} of the list {'is' if done.gone == 1 else 'are'} in the album no more")
    if json:
        print_json(done)
    else:
        print_line(f"{plural(done.named, 'group')} named, {plural(done.apart, 'face')} taken out of their group")


@app.command()
def name(ctx: typer.Context, group: str, name: str, json: JsonOption = False) -> None:
    """Name GROUP (its number, or its name so far). New photos of the person join it."""
    from sameface.cli.output import print_json, print_line

    known, place = _open(ctx)
    number = known.name(group, name)
    _save(known, place)
    if json:
        print_json({"group": number, "name": name, "faces": len(known.groups()[number])})
    else:
        print_line(f"group {number} is {name}")


@app.command()
def merge(ctx: typer.Context, into: str, others: list[str], json: JsonOption = False) -> None:
    """The groups are one person: the faces of OTHERS go to INTO."""
    from sameface.cli.output import plural, print_json, print_line

    known, place = _open(ctx)
    number = known.merge(into, others)
    _save(known, place)
    faces = len(known.groups()[number])
    if json:
        print_json({"group": number, "name": known.names.get(number), "faces": faces})
    else:
        print_line(f"group {number} has {plural(faces, 'face')} now")


@app.command()
def split(ctx: typer.Context, group: str, faces: list[int], json: JsonOption = False) -> None:
    """These FACES (numbers from the contact sheet) do not belong to GROUP: they become one of their own."""
    from sameface.cli.output import plural, print_json, print_line

    known, place = _open(ctx)
    new = known.split(group, faces)
    _save(known, place)
    if json:
        print_json({"group": new, "name": known.names.get(new), "faces": len(known.groups()[new])})
    else:
        print_line(f"{plural(len(faces), 'face')} went to the new group {new}")


def _photos(faces: list[Face]) -> str:
    """The first few photos of a group."""
    photos = list(dict.fromkeys(face.photo for face in faces))
    return ", ".join(photos[:4]) + (" …" if len(photos) > 4 else "")


def _place(folder: Path, album: Path | None) -> Path:
    from sameface.indexing.album_file import FILE_NAME

    return album if album is not None else folder / FILE_NAME


def _open(ctx: typer.Context) -> tuple[Album, Path]:
    from sameface.errors import DataError
    from sameface.indexing.album_file import load_album

    folder, place = ctx.obj
    known = load_album(place)
    if known is None:
        raise DataError(
            expected=f"an album at {place}", got="none", advice=f"make it first: `sameface cluster {folder}`"
        )
    return known, place


def _save(album: Album, place: Path) -> None:
    from sameface.indexing.album_file import save_album

    save_album(album, place)


APPS: Final = {"cluster": app}
