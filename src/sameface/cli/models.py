"""`sameface models`: what is known, what is here, under which licence; fetch, add, check, remove, quantize."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from sameface.cli.options import JsonOption
from sameface.cli.quantize import quantize
from sameface.defaults import DEFAULT_ENCODER, DEFAULT_GALLERY

if TYPE_CHECKING:
    from sameface.models.card import ModelCard
    from sameface.types import OperatingPoint

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)
app.command()(quantize)

ModelArgument = Annotated[str, typer.Argument(help="A model's id, as `sameface models list` shows it.")]
ModelsArgument = Annotated[list[str] | None, typer.Argument(help="Ids; all models that are here when none is given.")]


@app.command("list")
def list_models(
    kind: Annotated[
        str | None,
        typer.Option("--kind", help="Only encoders, detectors, landmarks, liveness or quality.", show_default=False),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Every known model: what it is, whether it is here, and whether it may be used commercially.

    Encoders first. Within a kind: what may be used commercially, then what was right most often on LFW View 1, then what costs least.
    """
    from sameface.cli.output import note, print_json, print_table
    from sameface.models.collection import by_use, presence
    from sameface.models.registry import cards, models_folder, network_card

    wanted = kind.rstrip("s") if kind in ("encoders", "detectors") else kind
    listed = by_use(cards(wanted))
    if json:
        print_json([_summary(card) for card in listed])
        return
    note(f"folder: {models_folder()}")
    print_table(
        ("model", "kind", "d", "MB", "licence", "commercial use", "LFW %", "GFLOP", "here"),
        (
            [
                card.id + (" (default)" if card.id == DEFAULT_ENCODER else ""),
                card.kind,
                str(card.dimension) if card.dimension else "",
                f"{network_card(card).bytes / 1e6:.1f}" if network_card(card).bytes else "",
                card.licence,
                card.commercial_use,
                f"{100 * card.accuracy:.1f}" if card.accuracy else "",
                f"{card.gflop:g}" if card.gflop else "",
                presence(card),
            ]
            for card in listed
        ),
        unfolded=True,
    )


@app.command()
def show(model: ModelArgument, json: JsonOption = False) -> None:
    """One model's card: origin, licence and its reasons, what it takes and gives, what was measured, its thresholds."""
    from sameface.cli.output import print_json, print_line
    from sameface.models.card import write_card
    from sameface.models.registry import load_card

    card = load_card(model)
    summary = _summary(card)
    if json:
        print_json(summary)
        return
    print_line(write_card(card).rstrip())
    for key in ("alignment", "here", "from", "paths"):
        value = summary[key]
        print_line(f"# {key}: {', '.join(value) if isinstance(value, list) else value}")
    if card.kind == "encoder":
        for line in _thresholds(card):
            print_line(f"# {line}")


@app.command()
def pull(
    models: Annotated[list[str], typer.Argument(help="Ids of the models to fetch.")], json: JsonOption = False
) -> None:
    """Fetch models: resumed where cut, sha256 checked, in place whole or not at all.

    SAMEFACE_MODELS may be a folder (models are kept there) or the URL of a mirror (models are fetched from there).
    Proxies are taken from the environment. No other command uses the network.
    """
    from sameface.cli.output import note, print_json, print_line
    from sameface.models.collection import pull as fetch
    from sameface.models.collection import source_of
    from sameface.models.registry import load_card, network_card

    done: dict[str, list[str]] = {}
    for card in [load_card(name) for name in models]:
        note(f"{card.id}: from {source_of(card)}; licence {card.licence}, commercial use: {card.commercial_use}")
        unpinned = not all(file.sha256 for file in network_card(card).files)
        with _bytes_bar(card.id) as progress:
            done[card.id] = [str(path) for path in fetch(card, progress=progress)]
        if unpinned:
            digests = ", ".join(file.sha256 for file in network_card(load_card(card.id)).files)
            note(f"{card.id}: its publisher gives no digest; from now on it is this file: sha256 {digests}")
    if json:
        print_json(done)
        return
    for name, paths in done.items():
        print_line(f"{name}: {', '.join(paths) or 'built in'}")


@app.command()
def verify(models: ModelsArgument = None, json: JsonOption = False) -> None:
    """Hash weights files and compare with the cards. Exit code 1 when one is damaged, or missing though named."""
    from sameface.cli.output import print_json, print_table
    from sameface.models.collection import presence
    from sameface.models.collection import verify as check
    from sameface.models.registry import cards, load_card

    chosen = (
        [load_card(name) for name in models] if models else [card for card in cards() if presence(card) != "missing"]
    )
    findings = [finding for card in chosen if not card.network or models for finding in check(card)]
    if json:
        print_json(findings)
    else:
        rows = ([item.model, item.path, item.state] for item in findings)
        print_table(("model", "file", "state"), rows, unfolded=True)
    if any(item.state in ("damaged", "missing") for item in findings):
        raise typer.Exit(1)


@app.command()
def remove(
    model: ModelArgument,
    gallery: Annotated[
        list[str] | None,
        typer.Option(
            "--gallery",
            "-g",
            help="Galleries that may need it; $SAMEFACE_GALLERY and ./people.db are always looked at.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Remove it although a gallery needs it.")] = False,
    json: JsonOption = False,
) -> None:
    """Delete a fetched or added model, unless a gallery needs it."""
    from sameface.cli.output import print_json, print_line
    from sameface.models.collection import remove as delete
    from sameface.models.registry import load_card

    card = load_card(model)
    gone = delete(card, needed_by=[] if force else _galleries_with(card.id, gallery or []))
    if json:
        print_json([str(path) for path in gone])
        return
    print_line(f"{card.id}: removed {', '.join(str(path) for path in gone) or 'nothing; it was not here'}")


@app.command()
def add(
    network: Annotated[
        Path, typer.Argument(help="An ONNX file that turns face crops into vectors, or FaceNet's .h5 or .pt weights.")
    ],
    name: Annotated[
        str | None, typer.Option("--id", "--as", help="Its id.  [default: the file's name]", show_default=False)
    ] = None,
    title: Annotated[str, typer.Option(help="One line for people.", show_default=False)] = "",
    size: Annotated[
        int | None, typer.Option(help="Side of the crops, where the file does not say.", show_default=False)
    ] = None,
    dimension: Annotated[
        int | None, typer.Option(help="Length of the embedding, likewise.", show_default=False)
    ] = None,
    colour: Annotated[str | None, typer.Option(help="rgb or bgr.", show_default=False)] = None,
    normalisation: Annotated[
        str | None,
        typer.Option(help="none, x/255, (x-127.5)/127.5, (x-127.5)/128 or per-image.", show_default=False),
    ] = None,
    landmarks: Annotated[str | None, typer.Option(help="dlib5, arcface5 or none.", show_default=False)] = None,
    template: Annotated[
        str | None, typer.Option(help="dlib-chip-0.25, arcface-112 or none.", show_default=False)
    ] = None,
    raw_length: Annotated[
        bool, typer.Option("--raw-length", help="Keep the network's own lengths instead of scaling to 1.")
    ] = False,
    mirror: Annotated[bool, typer.Option("--mirror", help="Average with the mirrored crop.")] = False,
    licence: Annotated[str | None, typer.Option(help="Licence of the weights.", show_default=False)] = None,
    commercial_use: Annotated[str | None, typer.Option(help="yes, no or unclear.", show_default=False)] = None,
    licence_note: Annotated[str, typer.Option(help="Why not a plain yes.", show_default=False)] = "",
    source: Annotated[str, typer.Option(help="Who published the weights.", show_default=False)] = "",
    facenet: Annotated[
        str | None,
        typer.Option(
            help="Where FaceNet weights come from: course, keras-facenet or facenet-pytorch.  [default: by the file]",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Take any ONNX encoder in. What the file says about itself is not asked; the rest comes by options or by
    questions.

    `sameface models add facenet_keras.h5 --as facenet-128`
    """
    from sameface.cli.output import note, print_json, print_line
    from sameface.encoders.adding import add_encoder
    from sameface.encoders.trying import inspect_apart

    if network.suffix.lower() in {".h5", ".hdf5", ".pt", ".pth"}:
        stored = _add_facenet(network, name or network.stem.lower().replace("_", "-"), facenet)
        if json:
            print_json(_summary(stored))
            return
        print_line(f"{stored.id}: {stored.title}, read and added. It has no threshold yet: run `sameface calibrate`")
        return
    facts = inspect_apart(network)
    width, height = facts.input_size_wh or (size or int(_ask("--size", "side of the crops in pixels", "112")),) * 2
    note(
        f"found out: {facts.layout}, {width}×{height}, {facts.dimension or '?'} numbers, normalises: {facts.normalises}"
    )
    use = commercial_use or _ask("--commercial-use", "may it be used commercially (yes, no, unclear)", "unclear")
    points = landmarks or _ask("--landmarks", "points the crops are aligned by (arcface5, dlib5, none)", "arcface5")
    default_template = {"arcface5": "arcface-112", "dlib5": "dlib-chip-0.25"}.get(points, "none")
    card = _card(
        id=name or network.stem.lower().replace("_", "-"),
        kind="encoder",
        title=title or network.stem,
        licence=licence or _ask("--licence", "licence of the weights", ""),
        commercial_use=use,
        licence_note=licence_note
        or ("" if use == "yes" else _ask("--licence-note", "why not a plain yes", "not stated")),
        source=source or "added by the user",
        input_size_wh=(width, height),
        dimension=facts.dimension or dimension or int(_ask("--dimension", "length of the embedding", "128")),
        colour=colour or _ask("--colour", "channel order (rgb, bgr)", "rgb"),
        normalisation=normalisation
        or ("none" if facts.normalises else _ask("--normalisation", "normalisation", "(x-127.5)/128")),
        layout=facts.layout,
        landmarks=points,
        template=template
        or (default_template if landmarks is None else _ask("--template", "template", default_template)),
        unit_length=not raw_length,
        views=("plain", "mirror") if mirror else ("plain",),
    )
    stored = add_encoder(network, card)
    if json:
        print_json(_summary(stored))
        return
    print_line(f"{stored.id}: added, sha256 {stored.sha256}. It has no threshold yet: run `sameface calibrate`")


def _add_facenet(weights: Path, name: str, origin: str | None) -> ModelCard:
    """FaceNet's weights, read by the training room, which alone knows the network."""
    from tempfile import TemporaryDirectory

    from sameface.encoders.adding import add_encoder
    from sameface.models.registry import load_card
    from sameface.training.facenet import adopt_facenet

    with TemporaryDirectory() as folder:
        written = adopt_facenet(weights, Path(folder) / f"{name}.onnx", preprocessing=origin)
        return add_encoder(written, load_card(written))


def _card(**fields: Any) -> ModelCard:
    """A card from typed-in values, checked like a card file."""
    import msgspec

    from sameface.errors import ModelCardError
    from sameface.models.card import ModelCard

    try:
        return msgspec.convert(fields, ModelCard)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, ModelCardError):
            raise error.__cause__ from None
        raise ModelCardError(
            expected="values that a model card takes", got=str(error), advice="correct the option"
        ) from error


def _ask(option: str, what: str, default: str) -> str:
    """Ask a person; a program gets an error that names the option."""
    import sys

    from sameface.errors import SettingError

    if not sys.stdin.isatty():
        raise SettingError(
            expected=f"{option} ({what})", got="nothing", advice=f"give {option}, or run it in a terminal"
        )
    return str(typer.prompt(what, default=default or None, err=True))


def _galleries_with(model: str, named: list[str]) -> list[str]:
    import os

    from sameface.faces.detector_spec import card_of
    from sameface.gallery import gallery_exists, read_space
    from sameface.models.collection import with_networks

    places = dict.fromkeys([*named, os.environ.get("SAMEFACE_GALLERY", ""), DEFAULT_GALLERY])
    holding = []
    for place in filter(None, places):
        if gallery_exists(place):
            space = read_space(place)
            if model in with_networks([space.encoder, card_of(space.detector)]):
                holding.append(f"the gallery {place}")
    return holding


def _summary(card: ModelCard) -> dict[str, Any]:
    import dataclasses

    from sameface.models.collection import presence, source_of
    from sameface.models.operating_points import shipped_operating_points
    from sameface.models.registry import network_card, place_of

    owner = network_card(card)
    here = presence(card)
    paths = [str(place_of(owner, file)) for file in owner.files] if here != "missing" else []
    return {
        **dataclasses.asdict(card),
        "bytes": owner.bytes,
        "alignment": card.alignment_id if card.kind == "encoder" else "",
        "here": here,
        "from": source_of(card),
        "paths": paths,
        "operating_points": [
            {
                "detector": point.space.detector,
                "threshold": point.threshold,
                "target": point.target,
                "data": point.data,
                "fmr": point.fmr,
                "fnmr": point.fnmr,
            }
            for point in (shipped_operating_points(card.id) if card.kind == "encoder" else ())
        ],
    }


def _thresholds(card: ModelCard) -> Iterator[str]:
    """What verification decides by, for each detector measured, and beside it the most accurate τ, which is another number."""
    from sameface.models.operating_points import shipped_operating_points

    points = shipped_operating_points(card.id)
    for point in points:
        yield (
            f"τ on {point.space.detector}: {point.threshold:.4f} for {point.target}, from {point.non_mated_pairs:,} non-mated pairs of "
            f"{point.people:,} people ({point.data}){_confirmation(point)}"
        )
    if not points:
        published = card.published_threshold
        yield "τ: none measured; run `sameface calibrate`" + (f"; published: {published:g}" if published else "")
    for item in card.measured:
        if item.threshold is not None:
            yield f"most accurate τ on {item.detector}: {item.threshold:.4f} ({item.data}: {item.result}); verification does not use it"


def _confirmation(point: OperatingPoint) -> str:
    seen = point.confirmed
    if not seen:
        return ""
    return f"; FMR {100 * seen['fmr']:.3f} %, FNMR {100 * seen['fnmr']:.1f} % on others ({seen['data']})"


@contextmanager
def _bytes_bar(label: str) -> Iterator[Any]:
    """A progress bar for bytes on standard error; gives a function (so far, in all)."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(label, total=None)

        def tell(so_far: int, in_all: int) -> None:
            bar.update(task, completed=so_far, total=in_all or None)

        yield tell


APPS: Final = {"models": app}
