"""`sameface models quantize`: an 8-bit copy of an encoder, and what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sameface.cli.options import JsonOption

if TYPE_CHECKING:
    from sameface.evaluation.quantised import BeforeAndAfter
    from sameface.evaluation.scores import Scores


def quantize(
    model: Annotated[str, typer.Argument(help="Id of a float32 encoder.")],
    photos: Annotated[Path, typer.Argument(help="Photos of many people, a folder per person, to measure ranges on.")],
    people: Annotated[
        Path | None, typer.Option("--people", help="LFW's list of people: only these.", show_default=False)
    ] = None,
    crops: Annotated[int, typer.Option(help="How many faces, one of each person.", min=80)] = 500,
    pairs: Annotated[
        Path | None,
        typer.Option("--pairs", help="LFW's list of pairs over PHOTOS: accuracy before and after.", show_default=False),
    ] = None,
    detector: Annotated[str | None, typer.Option("--detector", "-d", help="Detector.", show_default=False)] = None,
    json: JsonOption = False,
) -> None:
    """Make an 8-bit copy of an encoder, under an id of its own, and measure what it costs.

    Most of the faces set the ranges; every tenth is kept out to measure how far embeddings move. Judge accuracy on other people.
    """
    from sameface.cli.options import make_recognizer
    from sameface.cli.output import note, print_json, print_table, progress
    from sameface.datasets.folder import read_folder
    from sameface.datasets.lfw import read_lfw_people
    from sameface.encoders import load_encoder
    from sameface.encoders.quantising import quantise_encoder
    from sameface.evaluation.quantised import collect_crops, drift
    from sameface.metrics.percent import percent_spread

    images = photos / "images" if (photos / "images").is_dir() else photos
    recognizer = make_recognizer(model, detector)
    bench = read_folder(images, only=read_lfw_people(people) if people else None)
    with progress("faces", crops) as advance:
        faces = collect_crops(recognizer.finder, bench.at_most(1).photos, crops, advance=advance)
    held_out = slice(None, None, 10)
    ranges_from = [index for index in range(len(faces)) if index % 10]
    card = quantise_encoder(model, faces[ranges_from])
    moved = drift(recognizer.encoder, load_encoder(card.id), faces[held_out])
    report: dict[str, Any] = {"encoder": card.id, "bytes": card.bytes, "drift": moved}
    rows = [
        ("id", card.id),
        ("MB", f"{card.bytes / 1e6:.1f}"),
        ("faces for the ranges", str(len(ranges_from))),
        ("faces kept out", str(moved.crops)),
        ("L2 moved: mean, 95 %, largest", f"{moved.mean:.4f}, {moved.p95:.4f}, {moved.largest:.4f}"),
    ]
    if pairs is not None:
        compared = _compare(model, card.id, images, pairs, detector)
        report["accuracy"] = compared
        paired = compared.paired
        rows += [
            ("accuracy before", f"{percent_spread(compared.before, compared.before_error)} %"),
            ("accuracy after", f"{percent_spread(compared.after, compared.after_error)} %"),
            (
                "pairs right only before, only after",
                f"{paired.only_first}, {paired.only_second} (p = {paired.p_value:.2f})",
            ),
        ]
    if json:
        print_json(report)
        return
    note(f"kept as {card.id}; use it with --encoder {card.id}")
    print_table(("", ""), rows)


def _compare(before: str, after: str, images: Path, pairs: Path, detector: str | None) -> BeforeAndAfter:
    """Both encoders on the same labelled pairs."""
    from sameface.cli.options import make_recognizer
    from sameface.cli.output import progress
    from sameface.datasets.lfw import read_lfw_pairs
    from sameface.evaluation.cache import EmbeddingCache
    from sameface.evaluation.embed import embed_photos
    from sameface.evaluation.quantised import before_and_after
    from sameface.evaluation.scores import score_pairs

    bench = read_lfw_pairs(images, pairs)

    def scores(name: str) -> Scores:
        with progress(name, len(bench.photos)) as advance:
            recognizer = make_recognizer(name, detector)
            return score_pairs(bench, embed_photos(recognizer, bench.photos, cache=cache, advance=advance))

    with EmbeddingCache() as cache:  # the second encoder finds the faces of the first
        return before_and_after(scores(before), scores(after))
