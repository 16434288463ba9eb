"""The report: one HTML page that needs nothing else, and the plots as PNG files.

Research data sets appear as points and numbers only. Pictures of the hardest pairs are for the user's own machine and come only when asked for.
"""

from __future__ import annotations

import base64
import io
from importlib import resources
from pathlib import Path
from typing import Any

from sameface.errors import SamefaceError
from sameface.evaluation.plots import label, plots, render
from sameface.evaluation.results import Difference, Evaluation, GroupSpread, HardPair, Rate
from sameface.evaluation.shipped import shipped_words
from sameface.files import atomic_write, path_from_text
from sameface.metrics.extra import need
from sameface.metrics.percent import percent, percent_range

#: Side of a hardest pair's pictures in the report, in pixels.
SIDE = 132
#: Of an inch of a plot at most, so that letters are of one size in all of them.
_PIXELS = 122


def write_report(evaluation: Evaluation, path: Path, *, pictures: bool = False) -> None:
    """Write the page.

    Args:
        evaluation: the results.
        path: the HTML file, written whole or not at all.
        pictures: show the hardest pairs as pictures. Such a page holds faces: keep it to yourself.

    Raises:
        ExtraMissingError: jinja2 or matplotlib is not installed.
    """
    jinja2 = need("jinja2")
    environment = jinja2.Environment(
        loader=jinja2.BaseLoader(),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(percent=_percent, interval=_interval, signed=_plain_number)
    template = environment.from_string(
        resources.files("sameface.evaluation").joinpath("report.html.j2").read_text(encoding="utf-8")
    )
    drawn = {
        name: (_svg(render(draw, size)), size[0], words) for name, (draw, size, words) in plots(evaluation).items()
    }
    markup = need("markupsafe").Markup
    page = template.render(
        evaluation=evaluation,
        plot={
            name: markup(
                f'<figure role="img" aria-label="{words}" style="max-width: {round(_PIXELS * inches)}px">{svg}</figure>'
            )
            for name, (svg, inches, words) in drawn.items()
        },
        shipped=[shipped_words(run) for run in evaluation.runs],
        names=[label(run, evaluation.runs) for run in evaluation.runs],
        rates=sorted({item.target_fmr for run in evaluation.runs for item in run.verification.tar}, reverse=True),
        pictures=_pictures(evaluation) if pictures else {},
    )
    with atomic_write(path) as part:
        part.write_text(page, encoding="utf-8")


def write_plots(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write each plot as a PNG file into a folder, made where missing."""
    written = []
    for name, (draw, size, _) in plots(evaluation).items():
        path = folder / f"{name}.png"
        with atomic_write(path) as part:
            part.write_bytes(render(draw, size, "png"))
        written.append(path)
    return written


def _percent(value: float, digits: int = 2) -> str:
    return percent(value, digits=digits)


def _interval(rate: Rate | Difference | GroupSpread | None, digits: int = 2) -> str:
    if not rate:
        return ""
    negative = rate.interval is not None and rate.interval.low < 0  # a dash would read as one minus more
    return percent_range(rate.interval, digits=digits, between=" to " if negative else " – ")


def _plain_number(value: float) -> str:
    """A small rate as people write it: 0.001 rather than 1e-03."""
    return f"{value:.10f}".rstrip("0").rstrip(".")


def _svg(data: bytes) -> str:
    text = data.decode()
    return text[text.index("<svg") :]


def _pictures(evaluation: Evaluation) -> dict[str, str]:
    """A small JPEG of each photo of the hardest pairs, as data URLs by path."""
    found: dict[str, str] = {}
    for run in evaluation.runs:
        for pair in run.verification.hardest:
            for path in _paths(pair):
                if path not in found:
                    found[path] = _picture(path)
    return found


def _paths(pair: HardPair) -> tuple[str, str]:
    return pair.a, pair.b


def _picture(path: str) -> str:
    from sameface.imaging import load_image

    try:
        picture: Any = need("PIL.Image").fromarray(load_image(path_from_text(path)))
    except SamefaceError:
        return ""
    picture.thumbnail((2 * SIDE, 2 * SIDE))
    out = io.BytesIO()
    picture.save(out, format="JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()
