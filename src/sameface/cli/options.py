"""Options that several commands share, each worded once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from sameface.defaults import DEFAULT_DETECTOR, DEFAULT_ENCODER, DEFAULT_GALLERY
from sameface.progress import Advance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sameface.recognizer import Gallery, Recognizer
    from sameface.types import OperatingPoint, Who


def known_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """For the shell's completion: names in the gallery that begin so."""
    from sameface.errors import SamefaceError
    from sameface.recognizer import Gallery

    try:
        with Gallery(gallery_location(ctx.params.get("gallery")), create=False) as known:
            names = [person.name for person in known]
    except (SamefaceError, OSError):
        return []
    return [name for name in names if name.casefold().startswith(incomplete.casefold())][:50]


def known_encoders(incomplete: str) -> list[str]:
    """For the shell's completion: encoders that begin so."""
    from sameface.models.registry import cards

    return [card.id for card in cards("encoder") if card.id.startswith(incomplete)]


def known_detectors(incomplete: str) -> list[str]:
    """For the shell's completion: detectors that begin so."""
    from sameface.models.registry import cards

    return [name for name in (*(card.id for card in cards("detector")), "none") if name.startswith(incomplete)]


def known_choices(incomplete: str) -> list[str]:
    """For the shell's completion: ways to choose a face that begin so."""
    from typing import get_args

    from sameface.faces.choose import Choice

    return [word for word in get_args(Choice) if word.startswith(incomplete)]


def known_groups(ctx: typer.Context, incomplete: str) -> list[str]:
    """For the shell's completion: tags in the gallery that begin so."""
    from sameface.errors import SamefaceError
    from sameface.recognizer import Gallery

    try:
        with Gallery(gallery_location(ctx.params.get("gallery")), create=False) as known:
            groups = list(known.store.stats().groups)
    except (SamefaceError, OSError):
        return []
    return [group for group in groups if group.casefold().startswith(incomplete.casefold())]


GalleryOption = Annotated[
    str | None,
    typer.Option(
        "--gallery",
        "-g",
        help="Gallery: a file, or postgresql://…  [default: $SAMEFACE_GALLERY, else ./people.db]",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
EncoderOption = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        "-e",
        help="Encoder by name, or an ONNX file with a model card.",
        show_default=False,
        autocompletion=known_encoders,
    ),
]
DetectorOption = Annotated[
    str | None,
    typer.Option(
        "--detector",
        "-d",
        help="Detector by name or id; `none` takes pictures as face crops.",
        show_default=False,
        autocompletion=known_detectors,
    ),
]
ThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--threshold", "-t", help="Decide by this L2 distance instead of the measured one.", show_default=False
    ),
]
PointOption = Annotated[
    str | None,
    typer.Option("--operating-point", help="Decide by this file, made by `sameface calibrate`.", show_default=False),
]
DeviceOption = Annotated[
    str,
    typer.Option(
        "--device", help="Where networks run: cpu, cuda, coreml, directml, openvino. A missing one is an error."
    ),
]
ChooseOption = Annotated[
    str,
    typer.Option(
        "--choose",
        help="Of several faces: `only` refuses, `centre` or `largest` takes one.",
        autocompletion=known_choices,
    ),
]

ForceOption = Annotated[
    bool, typer.Option("--force", help="Answer about faces that are not comparable, too; the answer says so.")
]
ByIdOption = Annotated[
    bool, typer.Option("--by-id", help="People are given by their ids, as `sameface people` lists them, not by names.")
]


def meant(text: str, by_id: bool) -> Who:
    """Whom a text means: an id where that was said, else a name."""
    from sameface.types import PersonId

    return PersonId(text) if by_id else text


def photos_of(places: Sequence[str]) -> list[str]:
    """Photos by path, each once: those named, and all below folders that are named, also what is lost there, as a link that leads nowhere.

    Raises:
        DataError: a folder without photos.
    """
    from pathlib import Path

    from sameface.errors import DataError
    from sameface.files import Skipped, photos_below

    found: dict[str, None] = {}
    for place in places:
        if not (place and Path(place).is_dir()):
            found[place] = None
            continue
        before = len(found)

        def lost(item: Skipped) -> None:  # listed all the same: whoever reads it says what is wrong
            if item.lost:
                found[str(item.path)] = None

        inside = 0
        for path in photos_below(Path(place), lost):
            found[str(path)] = None
            inside += 1
        if not inside and len(found) == before:
            raise DataError(expected="photos", got=f"none in the folder {place}", advice="check the path")
    return list(found)


def gallery_location(option: str | None) -> str:
    """Where the gallery is: the option, else ``$SAMEFACE_GALLERY``, else ``people.db`` here."""
    return option or os.environ.get("SAMEFACE_GALLERY") or DEFAULT_GALLERY


def make_recognizer(
    encoder: str | None,
    detector: str | None,
    threshold: float | None = None,
    operating_point: str | None = None,
    device: str = "cpu",
) -> Recognizer:
    """A recognizer from options.

    Raises:
        SettingError: a threshold and an operating point together.
    """
    from sameface.recognizer import Recognizer

    return Recognizer(
        encoder=encoder or DEFAULT_ENCODER,
        detector=detector or DEFAULT_DETECTOR,
        operating_point=decide_by(threshold, operating_point),
        device=device,
    )


def decide_by(threshold: float | None, operating_point: str | None) -> OperatingPoint | float | None:
    """The operating point that the options ask for: a bare τ, a file, or None for the measured one."""
    from sameface.errors import SettingError
    from sameface.models.operating_points import load_operating_point

    if threshold is not None and operating_point is not None:
        raise SettingError(
            expected="one of --threshold and --operating-point", got="both", advice="leave one of them out"
        )
    return load_operating_point(operating_point) if operating_point is not None else threshold


@contextmanager
def ready_to_search(people: Gallery) -> Iterator[Gallery]:
    """A gallery until the block ends, with everybody read first: behind a bar where that takes long, as the first time of a large one."""
    from sameface.cli.output import progress
    from sameface.gallery import gallery_exists

    with people:
        if not gallery_exists(people.location):  # it is made with its first photo, not for one that is refused
            yield people
            return
        with ExitStack() as stack:
            bars: list[Advance] = []
            told = 0

            def tell(done: int, total: int) -> None:
                nonlocal told
                if not bars:
                    bars.append(stack.enter_context(progress("reading the gallery", total)))
                bars[0](done - told)
                told = done

            people.store.warm(tell)
        yield people


def open_gallery(
    option: str | None,
    *,
    create: bool,
    encoder: str | None = None,
    detector: str | None = None,
    threshold: float | None = None,
    operating_point: str | None = None,
    device: str = "cpu",
) -> Gallery:
    """A gallery from options; without an encoder or detector it takes those that it was made with."""
    from sameface.gallery import gallery_exists, read_space
    from sameface.recognizer import Gallery

    location = gallery_location(option)
    if gallery_exists(location):
        space = read_space(location)
        encoder, detector = encoder or space.encoder, detector or space.detector
    needs_networks = encoder is not None or detector is not None or create
    recognizer = make_recognizer(encoder, detector, threshold, operating_point, device) if needs_networks else None
    return Gallery(location, recognizer=recognizer, create=create)
