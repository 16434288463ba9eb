"""`sameface gallery` copy, export, import, import-encodings, reencode: everybody to another place, file or encoder, all or none."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sameface.cli.new_gallery import nothing_left_of
from sameface.cli.options import DetectorOption, EncoderOption, GalleryOption, JsonOption
from sameface.cli.overwriting import OverwriteOption
from sameface.defaults import DEFAULT_DETECTOR, DEFAULT_ENCODER


def copy(
    source: Annotated[str, typer.Argument(help="A file, or postgresql://…")],
    target: Annotated[str, typer.Argument(help="A file, or postgresql://…; made when it is not there.")],
    seal_names: Annotated[
        bool, typer.Option("--seal-names", help="A new encrypted file encrypts names, details and sources too.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Copy everybody to another gallery, bit by bit. From a file to a server and back."""
    from sameface.cli.output import note, plural, print_json, print_line, progress
    from sameface.gallery import open_store
    from sameface.gallery.transfer import copy_gallery

    with (
        open_store(source, create=False) as first,
        nothing_left_of(target),
        open_store(target, space=first.space, dimension=first.dimension, seal_names=seal_names) as second,
    ):
        note(f"from {first.location} to {second.location}")
        with progress("copying people", len(first)) as advance:
            count = copy_gallery(first, second, lambda _: advance())
        if json:
            print_json(
                {
                    "source": str(first.location),
                    "target": str(second.location),
                    "people": len(first),
                    "templates": count,
                }
            )
        else:
            print_line(f"copied {plural(len(first), 'person', 'people')}, {plural(count, 'template')}")


def export(
    file: Annotated[Path, typer.Argument(help="The .npz file to write; it holds biometric data in the clear.")],
    gallery: GalleryOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Write everybody to one file. NumPy opens it without pickle; the encoder's model card is in it."""
    from sameface.cli.options import gallery_location
    from sameface.cli.output import note, plural, print_json, print_line, progress
    from sameface.cli.overwriting import new_file
    from sameface.gallery import open_store
    from sameface.gallery.transfer import export_file

    new_file(file, overwrite=overwrite, sources=[gallery_location(gallery)])
    with open_store(gallery_location(gallery), create=False) as store:
        note(f"gallery: {store.location}")
        with progress("writing people", len(store)) as advance:
            count = export_file(store, file, card=_card(store.space.encoder), progress=lambda _: advance())
    if json:
        print_json({"file": str(file), "templates": count})
    else:
        print_line(f"{file}: {plural(count, 'template')}. It is not encrypted: keep it like a key.")


def import_(
    file: Annotated[Path, typer.Argument(help="A file that `sameface gallery export` wrote.")],
    gallery: GalleryOption = None,
    json: JsonOption = False,
) -> None:
    """Add everybody of an exported file, all or none. The gallery is made when it is not there."""
    from sameface.cli.options import gallery_location
    from sameface.cli.output import note, plural, print_json, print_line, progress
    from sameface.gallery import open_store
    from sameface.gallery.transfer import Exported, import_file

    exported, location = Exported(file), gallery_location(gallery)
    with (
        nothing_left_of(location),
        open_store(location, space=exported.space, dimension=exported.dimension) as store,
    ):
        note(f"gallery: {store.location}")
        with progress("adding people", len(exported)) as advance:
            count = import_file(exported, store, lambda _: advance())
    if json:
        print_json({"people": len(exported), "templates": count})
    else:
        print_line(f"added {plural(len(exported), 'person', 'people')}, {plural(count, 'template')}")


def import_encodings(
    file: Annotated[Path, typer.Argument(help="Encodings by name: .json, .npz, .npy or .csv.")],
    gallery: GalleryOption = None,
    names: Annotated[
        Path | None,
        typer.Option("--names", help="For .npy: a text file with the name of each row.", show_default=False),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Add people by encodings of face_recognition. Photos are not needed, and what is known already is not doubled."""
    import shlex

    from sameface.cli.options import gallery_location
    from sameface.cli.output import note, plural, print_json, print_line
    from sameface.compat.stored_encodings import ENCODER, TOLERANCE, read_encodings, read_names
    from sameface.compat.stored_encodings import import_encodings as add
    from sameface.recognizer import Gallery, Recognizer

    location = gallery_location(gallery)
    encodings = read_encodings(file, read_names(names) if names else None)
    with nothing_left_of(location), Gallery(location, recognizer=Recognizer(encoder=ENCODER)) as people:
        note(f"gallery: {people.store.location}")
        done = add(people, encodings, source=file.name)
    command = shlex.join(["sameface", "identify", "PHOTO", "--gallery", location, "--threshold", f"{TOLERANCE:g}"])
    note(f"search it under the threshold of face_recognition: {command}")
    added = sum(report.accepted for item in done for report in item.reports)
    known = sum(not report.accepted for item in done for report in item.reports)
    if json:
        print_json({"people": len(done), "templates": added, "known": known})
    else:
        again = f"; {known} known already" if known else ""
        print_line(f"added {plural(added, 'encoding')} of {plural(len(done), 'person', 'people')}{again}")


def reencode(
    gallery: GalleryOption = None,
    encoder: EncoderOption = None,
    detector: DetectorOption = None,
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", help="Erase templates whose photo is gone or changed.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Encode everybody's photos again, all or none. With another encoder or detector.

    Without --encoder and --detector the defaults are taken. The photos must still lie where they were enrolled from, unchanged.
    """
    from sameface.cli.options import gallery_location
    from sameface.cli.output import note, plural, print_json, print_line, progress
    from sameface.gallery import open_store
    from sameface.indexing.reencode import reencode as encode_again
    from sameface.recognizer import Recognizer

    with open_store(gallery_location(gallery), create=False) as store:
        note(f"gallery: {store.location}")
        if encoder is None and detector is None:
            encoder, detector = DEFAULT_ENCODER, DEFAULT_DETECTOR
        recognizer = Recognizer(encoder=encoder or store.space.encoder, detector=detector or store.space.detector)
        with progress("encoding photos", store.count()) as advance:
            done = encode_again(store, recognizer, drop_missing=drop_missing, progress=lambda _: advance())
        if json:
            print_json({"space": store.space, "templates": done.replaced, "dropped": len(done.missing)})
        else:
            print_line(f"{plural(done.replaced, 'template')} of {store.space} now, {len(done.missing)} dropped")


def _card(encoder: str) -> str:
    """The encoder's model card as JSON, "" when this machine does not know it."""
    import msgspec

    from sameface.errors import SamefaceError
    from sameface.models.registry import load_card

    try:
        return msgspec.json.encode(load_card(encoder)).decode()
    except (SamefaceError, TypeError):
        return ""
