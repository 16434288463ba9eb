"""`sameface calibrate`: a threshold for a stated false match rate, measured on labelled photos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sameface.cli.evaluate import CapOption, DataArgument, NoCacheOption, PeopleOption
from sameface.cli.options import DetectorOption, DeviceOption, EncoderOption, JsonOption
from sameface.cli.overwriting import OverwriteOption
from sameface.defaults import DEFAULT_DETECTOR, DEFAULT_ENCODER

if TYPE_CHECKING:
    from sameface.evaluation.embed import EmbeddedPhotos
    from sameface.types import OperatingPoint

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def calibrate(
    data: DataArgument,
    fmr: Annotated[float, typer.Option("--fmr", help="False match rate to keep.")] = 1e-3,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="File to write."),
    ] = Path("operating-point.json"),
    overwrite: OverwriteOption = False,
    people: PeopleOption = None,
    confirm: Annotated[
        Path | None,
        typer.Option(
            "--confirm", help="Other people's photos: the threshold is scored there, once.", show_default=False
        ),
    ] = None,
    confirm_people: Annotated[
        Path | None,
        typer.Option("--confirm-people", help="LFW's list of people to confirm on.", show_default=False),
    ] = None,
    prior: Annotated[float, typer.Option(help="Share of pairs of one person that the probability assumes.")] = 0.5,
    photos: CapOption = 10,
    domain: Annotated[
        bool,
        typer.Option(help="Also learn which photos are too poor for it, from copies damaged on purpose: minutes."),
    ] = True,
    encoder: EncoderOption = None,
    detector: DetectorOption = None,
    no_cache: NoCacheOption = False,
    workers: Annotated[int, typer.Option(min=0, help="Photos worked on at once; 0 for one per core.")] = 0,
    device: DeviceOption = "cpu",
    json: JsonOption = False,
) -> None:
    """Choose the threshold for a false match rate on your own photos, and calibrate the probability.

    The file that it writes is taken by `verify`, `identify` and the gallery: `--operating-point FILE`.
    """
    from sameface.cli.evaluate import open_bench
    from sameface.cli.output import note, print_json, progress
    from sameface.cli.overwriting import new_file
    from sameface.evaluation import calibrate as calibrating
    from sameface.evaluation.cache import EmbeddingCache, default_cache
    from sameface.models.operating_points import save_operating_point

    calibrating.check_shares(fmr, prior)
    new_file(out, overwrite=overwrite)
    bench = open_bench(data, people=people, photos=photos)
    other = None
    if confirm is not None or confirm_people is not None:
        other = open_bench(confirm or data, people=confirm_people, photos=photos)
    why = calibrating.no_domain(bench) if domain else ""
    domain = domain and not why
    if domain:
        note(
            "copies of some photos will be damaged, to learn which photos are too poor: some minutes; --no-domain leaves it out"
        )
    (recognizer,) = calibrating.recognizers([encoder or DEFAULT_ENCODER], [detector or DEFAULT_DETECTOR], device=device)
    with EmbeddingCache(None if no_cache else default_cache()) as cache:
        point, reliability = calibrating.calibrate(
            recognizer,
            bench,
            fmr=fmr,
            prior=prior,
            confirm_on=other,
            cache=cache,
            workers=workers or None,
            domain=domain,
            left_out=lambda embedded: _say_left_out(embedded, note),
            progress=progress,
        )
    save_operating_point(point, out)
    note(f"written: {out}; to decide by it: --operating-point {out}")
    if json:
        print_json({"operating_point": point, "reliability": reliability, "file": str(out)})
    else:
        _print(point, why)


def _say_left_out(embedded: EmbeddedPhotos, note: Callable[[str], None]) -> None:
    """Photos that gave no face, of either data set: they are in no pair."""
    if embedded.failures:
        first = embedded.failures[0].message
        note(
            f"{len(embedded.failures)} of {len(embedded.found)} photos gave no face and are left out; the first: {first}"
        )


def _print(point: OperatingPoint, no_domain: str) -> None:
    from sameface.cli.output import print_line, print_table
    from sameface.defaults import DEFAULT_FPIR
    from sameface.evaluation.chosen import chosen_words
    from sameface.metrics.percent import percent

    print_line(f"{point.space}: same person iff distance < {point.threshold:.4f}")
    rows = [
        [
            f"chosen: {point.data}",
            str(point.people),
            f"{point.non_mated_pairs:,}",
            percent(point.fmr, point.fmr_interval, digits=3),
            percent(point.fnmr, point.fnmr_interval),
        ]
    ]
    seen = point.confirmed
    if seen:
        from sameface.types import Interval

        intervals = [Interval(**seen[name]) if seen[name] else None for name in ("fmr_interval", "fnmr_interval")]
        rows.append(
            [
                f"confirmed: {seen['data']}",
                str(seen["people"]),
                f"{seen['non_mated_pairs']:,}",
                percent(seen["fmr"], intervals[0], digits=3),
                percent(seen["fnmr"], intervals[1]),
            ]
        )
    print_table(["τ", "people", "non-mated", "FMR %", "FNMR %"], rows, shorten=("τ",))
    for sentence in chosen_words(point, DEFAULT_FPIR, no_domain):
        print_line(sentence)
    if point.probability is not None:
        print_line(
            f"probability: {point.probability.kind}, prior {point.probability.prior:g}, log loss {point.probability.log_loss:.4f}, "
            f"Brier {point.probability.brier:.4f}"
        )
    else:
        print_line("probability: none, too few people to fit one")


APPS: Final = {"calibrate": app}
