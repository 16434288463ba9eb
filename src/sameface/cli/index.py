"""`sameface index`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from sameface.cli.new_gallery import nothing_left_of
from sameface.cli.options import DetectorOption, EncoderOption, GalleryOption, JsonOption
from sameface.cli.overwriting import OverwriteOption

if TYPE_CHECKING:
    from sameface.gallery import TemplateStore
    from sameface.recognizer import Recognizer

index_app = typer.Typer(rich_markup_mode=None, add_completion=False)


@index_app.command()
def index(
    folder: Annotated[
        str | None,
        typer.Argument(help="A folder of photos, of any depth, or an address: s3://bucket/photos.", show_default=False),
    ] = None,
    gallery: GalleryOption = None,
    like: Annotated[
        Path | None, typer.Option("--like", help="Find the photos that show the face of this one.", show_default=False)
    ] = None,
    top: Annotated[int, typer.Option("--top", "-k", min=1, help="How many photos --like lists.")] = 20,
    processes: Annotated[int, typer.Option("--processes", "-p", min=1, help="Processes of this machine.")] = 1,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", help="A dask scheduler, tcp://…, or `local`: many machines.", show_default=False),
    ] = None,
    ledger: Annotated[
        Path | None,
        typer.Option(
            "--ledger", help="File with what became of each photo.  [default: beside the gallery]", show_default=False
        ),
    ] = None,
    parquet: Annotated[
        Path | None,
        typer.Option("--parquet", help="Write photos.parquet and faces.parquet into this folder.", show_default=False),
    ] = None,
    overwrite: OverwriteOption = False,
    encoder: EncoderOption = None,
    detector: DetectorOption = None,
    json: JsonOption = False,
) -> None:
    """Encode every face of every photo of a folder into a gallery of unnamed faces, and find people in it by example.

    A run that is stopped goes on where it was; one that is killed loses the last second. What is known is skipped; faces of photos
    that are gone are dropped.

    Exit code 1: some photos could not be encoded; they are named.
    """
    from sameface.cli.options import gallery_location, make_recognizer
    from sameface.cli.output import note, plural, print_json, print_line, progress
    from sameface.cli.overwriting import new_folder
    from sameface.errors import SettingError
    from sameface.files import path_as_text, photos_below
    from sameface.gallery import gallery_exists, open_store, read_space
    from sameface.indexing.archive import index_photos
    from sameface.indexing.ledger import Ledger, default_ledger
    from sameface.indexing.parquet import write_parquet
    from sameface.indexing.sources import is_address
    from sameface.models.given import remember_given

    if folder is None and like is None and parquet is None:
        raise SettingError(
            expected="a folder to index, --like and a photo, or --parquet and a folder", got="none", advice="name one"
        )
    if folder is not None and not is_address(folder) and not Path(folder).is_dir():
        raise SettingError(expected="a folder of photos", got=path_as_text(folder), advice="check the path")
    if parquet is not None:
        new_folder(parquet, overwrite=overwrite)
    location = gallery_location(gallery)
    if gallery_exists(location) and (encoder is None or detector is None):
        space = read_space(location)
        encoder, detector = encoder or space.encoder, detector or space.detector
    recognizer = make_recognizer(encoder, detector)
    with (
        nothing_left_of(location),
        open_store(
            location, space=recognizer.space, dimension=recognizer.card.dimension, create=folder is not None
        ) as store,
    ):
        remember_given(recognizer.space.encoder, recognizer.encoder_given)
        note(f"gallery: {store.location}")
        book = ledger or default_ledger(store.location)
        failed = 0
        answers: dict[str, Any] = {}
        if folder is not None:
            total = None if is_address(folder) else sum(1 for _ in photos_below(Path(folder), lambda item: None))
            with progress("photos", total) as advance:
                done = index_photos(
                    folder,
                    store,
                    detector=detector or recognizer.detector.id,
                    encoder=encoder or recognizer.card.id,
                    processes=processes,
                    scheduler=scheduler,
                    ledger=book,
                    progress=advance,
                )
            for path, why in done.failed:
                note(f"{path}: {why}")
            failed = len(done.failed)
            answers["indexed"] = done
            if not json:
                print_line(
                    f"{plural(done.photos, 'photo')}, {plural(done.faces, 'face')}; {done.known} known before, "
                    f"{done.without_face} without a face, {done.gone} gone, {failed} failed"
                )
        if parquet is not None:
            with Ledger(book, store.gallery_id) as opened:
                note(f"written: {', '.join(str(path) for path in write_parquet(store, opened, parquet))}")
        if like is not None:
            answers["like"] = _find(recognizer, store, like, top, book)
            if not json:
                _print(answers["like"])
    if json:
        print_json(answers if len(answers) > 1 else next(iter(answers.values()), {}))
    raise typer.Exit(1 if failed else 0)


def _find(
    recognizer: Recognizer, store: TemplateStore, like: Path, top: int, book: Path
) -> list[dict[str, str | float]]:
    """The photos with the faces most like that of one photo, nearest first, where they lie now."""
    from sameface.types import PersonId

    face = recognizer.encode_photo(like)
    nearest = [
        (candidate, stored.template)
        for candidate in store.search(face.embedding, top)[0]
        for stored in store.templates_of(PersonId(candidate.person_id))[:1]
    ]
    places = _places(book, store, [template.source_sha256 for _, template in nearest])
    return [
        {
            "photo": template.source
            if template.source in (paths := places.get(template.source_sha256, [template.source]))
            else paths[0],
            "distance": round(candidate.distance, 4),
            "face": candidate.name,
        }
        for candidate, template in nearest
    ]


def _print(found: list[dict[str, str | float]]) -> None:
    from sameface.cli.output import print_table

    print_table(
        ("photo", "distance"), [(str(item["photo"]), f"{item['distance']:.3f}") for item in found], unfolded=True
    )


def _places(book: Path, store: TemplateStore, digests: list[str]) -> dict[str, list[str]]:
    """Where photos lie now, by content, as far as the ledger is there and nobody works with it."""
    from sameface.errors import SamefaceError
    from sameface.indexing.ledger import Ledger

    if not book.exists():
        return {}
    try:
        with Ledger(book, store.gallery_id) as opened:
            return opened.paths_of(digests)
    except SamefaceError:  # a run works with it, or it may not be written here
        return {}


APPS: Final = {"index": index_app}
