"""`sameface models`: what is known, what is here, under which licence; fetch, add, check, remove, quantize."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

import typer

from sameface.cli.models_add import add
from sameface.cli.options import JsonOption
from sameface.cli.quantize import quantize
from sameface.defaults import DEFAULT_ENCODER, DEFAULT_GALLERY

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)
app.command()(add)
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
    from sameface.cli.model_summary import summary
    from sameface.cli.output import note, print_json, print_line, print_table
    from sameface.models.collection import by_use, presence
    from sameface.models.registry import cards, models_folder, network_card

    wanted = kind.rstrip("s") if kind in ("encoders", "detectors") else kind
    listed = by_use(cards(wanted))
    if json:
        print_json([summary(card) for card in listed])
        return
    note(f"folder: {models_folder()}")
    for kind_of_model, group in itertools.groupby(listed, lambda card: card.kind):
        print_table(
            (kind_of_model, "commercial", "LFW %", "GFLOP", "MB", "here"),
            (
                [
                    card.id + (" *" if card.id == DEFAULT_ENCODER else ""),
                    card.commercial_use,
                    f"{100 * card.accuracy:.1f}" if card.accuracy else "",
                    f"{card.gflop:g}" if card.gflop else "",
                    f"{network_card(card).bytes / 1e6:.1f}" if network_card(card).bytes else "",
                    presence(card),
                ]
                for card in group
            ),
            unfolded=True,
        )
    print_line("* the default. Licence, thresholds and more: `sameface models show MODEL`")


@app.command()
def show(model: ModelArgument, json: JsonOption = False) -> None:
    """One model's card: origin, licence and its reasons, what it takes and gives, what was measured, its thresholds."""
    from sameface.cli.model_summary import summary, thresholds
    from sameface.cli.output import print_json, print_line
    from sameface.models.card_file import write_card
    from sameface.models.registry import load_card

    card = load_card(model)
    told = summary(card)
    if json:
        print_json(told)
        return
    print_line(write_card(card).rstrip())
    for key in ("alignment", "here", "from", "paths"):
        value = told[key]
        print_line(f"# {key}: {', '.join(value) if isinstance(value, list) else value}")
    if card.kind == "encoder":
        for line in thresholds(card):
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
