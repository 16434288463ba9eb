"""`sameface index`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from sameface.cli.options import DetectorOption, EncoderOption, GalleryOption, JsonOption

index_app = typer.Typer(rich_markup_mode=None, add_completion=False)


@index_app.command()
def index(
    folder: Annotated[Path | None, typer.Argument(help="A folder of photos, of any depth.", show_default=False)] = None,
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
    encoder: EncoderOption = None,
    detector: DetectorOption = None,
    json: JsonOption = False,
) -> None:
    """Encode every face of every photo of a folder into a gallery of unnamed faces, and find people in it by example.

    A run can be stopped at any time and goes on where it was; what is known is skipped.
    """
    from sameface.cli.options import gallery_location, make_recognizer
    from sameface.cli.output import note, print_json, print_line, print_table, progress
    from sameface.errors import SettingError
    from sameface.gallery import gallery_exists, open_store, read_space

    if folder is None and like is None:
        raise SettingError(expected="a folder to index, or --like and a photo", got="neither", advice="name one")
    if folder is not None and not folder.is_dir():
        raise SettingError(expected="a folder of photos", got=str(folder), advice="check the path")
    location = gallery_location(gallery)
    if gallery_exists(location) and (encoder is None or detector is None):
        space = read_space(location)
        encoder, detector = encoder or space.encoder, detector or space.detector
    recognizer = make_recognizer(encoder, detector)
    with open_store(
        location, space=recognizer.space, dimension=recognizer.card.dimension, create=folder is not None
    ) as store:
        note(f"gallery: {store.location}")
        if folder is not None:
            from sameface.files import photos_below
            from sameface.indexing.archive import index_photos

            with progress("photos", sum(1 for _ in photos_below(folder))) as advance:
                done = index_photos(
                    folder,
                    store,
                    detector=detector or recognizer.detector.id,
                    encoder=encoder or recognizer.card.id,
                    processes=processes,
                    scheduler=scheduler,
                    progress=advance,
                )
            for path, why in done.failed:
                note(f"{path}: {why}")
            if json and like is None:
                print_json(done)
            else:
                print_line(
                    f"{done.photos} photos, {done.faces} faces; {done.known} known before, "
                    f"{done.without_face} without a face, {len(done.failed)} failed"
                )
        if like is not None:
            face = recognizer.encode_photo(like)
            found = [
                {"photo": stored.template.source, "distance": round(candidate.distance, 4), "face": candidate.name}
                for candidate in store.search(face.embedding, top)[0]
                for stored in store.templates_of(candidate.person_id)[:1]
            ]
            if json:
                print_json(found)
            else:
                print_table(("photo", "distance"), [(str(item["photo"]), f"{item['distance']:.3f}") for item in found])


APPS: Final = {"index": index_app}
