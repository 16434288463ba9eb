"""The plots of a report, each a figure of its own: one set of colours, few marks, no legend where a label fits."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from sameface.evaluation.results import Evaluation, Run
from sameface.files import cache_folder
from sameface.metrics.extra import need

#: Okabe and Ito's colours, told apart by people with any colour vision.
MATED: Final = "#0072b2"
NON_MATED: Final = "#d55e00"
ENCODERS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4d4d4d")
INK: Final = "#1d2733"
SOFT: Final = "#66727f"

#: Bins of the reliability plot with fewer pairs are drawn hollow.
FEW: Final = 20

STYLE: Final[Mapping[str, Any]] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": "#b8c0c8",
    "axes.labelcolor": SOFT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e9edf0",
    "grid.linewidth": 0.8,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.hashsalt": "sameface",
    "figure.constrained_layout.use": True,
}

Draw = Callable[[Any], None]


def plots(evaluation: Evaluation) -> dict[str, tuple[Draw, tuple[float, float], str]]:
    """Every plot that would not be empty: by file name the drawing, its size in inches, and a sentence for those who cannot see it."""
    runs = evaluation.runs
    found: dict[str, tuple[Draw, tuple[float, float], str]] = {}
    for index, run in enumerate(runs):
        found[f"distances-{index}"] = (
            partial(_distances, run=run),
            (8.4, 3.1) if len(runs) < 3 else (6.4, 2.9),
            f"Distances of mated and non-mated pairs for {run.space.encoder}, with thresholds",
        )
    if any(run.verification.eer.value > 0 for run in runs):
        found["roc"] = (lambda axes: _roc(axes, runs), (5.0, 3.7), "ROC: TAR against FMR")
    if any(_both_errors(run).any() for run in runs):
        found["det"] = (lambda axes: _det(axes, runs), (5.0, 3.7), "DET: FNMR against FMR, both logarithmic")
    known = [run for run in runs if run.identification is not None]
    if any(run.identification.cmc[:1] < (1,) for run in known if run.identification):
        words = "CMC: share of searches with the right person by rank"
        found["cmc"] = (lambda axes: _cmc(axes, known), (5.0, 3.4), words)
    sized = [run for run in known if len(_sizes(run)) > 1]  # one size is a row of the table, not a curve
    if sized:
        found["fpir"] = (lambda axes: _fpir(axes, sized), (5.0, 3.4), "FPIR against the size of the gallery")
    reliable = [run for run in runs if run.reliability is not None and run.reliability.bins]
    if reliable:
        found["reliability"] = (
            lambda axes: _reliability(axes, reliable),
            (5.0, 4.0),
            "Reliability: share of mated pairs against the predicted probability",
        )
    learned = [run for run in runs if run.classifiers is not None and run.classifiers.rows]
    if learned:
        found["learning"] = (
            lambda axes: _learning(axes, learned),
            (5.0, 3.4),
            "Accuracy of classifiers against photos per person",
        )
    grouped = next((run for run in runs if run.verification.groups), None)
    if grouped is not None:
        found["groups"] = (
            partial(_groups, run=grouped),
            (6.6, 0.9 + 0.34 * len(grouped.verification.groups)),
            "FMR and FNMR by group with intervals",
        )
    return found


def render(draw: Draw, size: tuple[float, float], kind: str = "svg", dpi: int = 160) -> bytes:
    """One plot as an SVG or PNG file, without touching matplotlib's global state."""
    os.environ.setdefault("MPLCONFIGDIR", str(cache_folder() / "matplotlib"))  # its list of fonts, beside our own files
    matplotlib, figure = need("matplotlib"), need("matplotlib.figure")
    with matplotlib.rc_context(dict(STYLE)):
        page = figure.Figure(figsize=size)
        draw(page.add_subplot())
        out = io.BytesIO()
        page.savefig(
            out, format=kind, dpi=dpi, metadata={"Date": None} if kind == "svg" else None, transparent=kind == "svg"
        )
    return out.getvalue()


def label(run: Run, runs: Sequence[Run]) -> str:
    """A run's name, with its detector where several are compared."""
    several = len({item.space.detector for item in runs}) > 1
    return f"{run.space.encoder} · {run.space.detector}" if several else run.space.encoder


def _distances(axes: Any, run: Run) -> None:
    shown = run.verification.histogram
    edges = np.array(shown.edges)
    for counts, colour, name in ((shown.non_mated, NON_MATED, "two people"), (shown.mated, MATED, "one person")):
        share = np.array(counts) / max(1, sum(counts))
        axes.stairs(share, edges, fill=True, alpha=0.28, color=colour)
        axes.stairs(share, edges, color=colour, linewidth=1.4, label=name)
        top = int(np.argmax(share))
        axes.annotate(
            name,
            ((edges[top] + edges[top + 1]) / 2, share[top]),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            color=colour,
            fontweight="bold",
        )
    threshold, name = _main_threshold(run)
    axes.axvline(threshold, color=INK, linewidth=1.2)
    axes.annotate(
        f"τ = {threshold:.3f}\n{name}",
        (threshold, 1),
        xycoords=("data", "axes fraction"),
        xytext=(5, -2),
        textcoords="offset points",
        va="top",
        fontsize=8.5,
    )
    axes.margins(y=0.32)
    axes.set(xlabel="L2 distance (left: more alike)", ylabel="share of pairs", yticks=[], xlim=(0, edges[-1]))
    axes.set_ylim(bottom=0)
    axes.grid(visible=False)


def _main_threshold(run: Run) -> tuple[float, str]:
    points = run.verification.at_thresholds
    if points:
        return points[0].threshold, points[0].name.split(",")[0]
    return run.verification.accuracy.threshold, "best accuracy"


def _roc(axes: Any, runs: Sequence[Run]) -> None:
    for run, colour in zip(runs, ENCODERS * 9, strict=False):
        curve = run.verification.curve
        smallest = 1 / run.verification.non_mated_pairs
        axes.step(
            np.maximum(curve.fmr, smallest / 2),
            100 * (1 - np.array(curve.fnmr)),
            where="post",
            color=colour,
            label=label(run, runs),
        )
    axes.set_xscale("log")
    axes.set(xlabel="FMR", ylabel="TAR, %", xlim=(1 / runs[0].verification.non_mated_pairs, 1))
    first = [100 * (1 - run.verification.tar[-1].tar.value) for run in runs if run.verification.tar]
    lowest = 100 - max(first, default=100.0)
    axes.set_ylim(max(0.0, lowest - 0.35 * (100 - lowest) - 0.5), 100 + 0.03 * (100 - lowest) + 0.1)
    axes.legend(loc="lower right", fontsize=8.5)


def _det(axes: Any, runs: Sequence[Run]) -> None:
    lowest = []
    for run, colour in zip(runs, ENCODERS * 9, strict=False):
        curve, seen = run.verification.curve, _both_errors(run)
        fmr, fnmr = np.array(curve.fmr)[seen], np.array(curve.fnmr)[seen]
        lowest += fnmr.tolist()
        marker = "o" if len(fmr) == 1 else ""  # one point has no line
        axes.step(fmr, fnmr, where="post", color=colour, label=label(run, runs), marker=marker, markersize=5)
    floor = min(lowest, default=1e-3)
    axes.plot([1e-9, 1], [1e-9, 1], color="#b8c0c8", linewidth=1, linestyle=(0, (4, 3)))
    axes.set(xscale="log", yscale="log", xlabel="FMR", ylabel="FNMR")
    axes.set(xlim=(1 / runs[0].verification.non_mated_pairs, 1), ylim=(floor / 1.5, 1))
    axes.annotate("equal", (floor * 1.2, floor * 1.2), fontsize=8, color=SOFT, rotation=0)
    axes.legend(loc="upper right", fontsize=8.5)


def _sizes(run: Run) -> set[int]:
    return {row.people for row in run.identification.open_set if row.fpir} if run.identification else set()


def _both_errors(run: Run) -> Any:
    """Which points of a run's curve have a place on two logarithmic axes."""
    curve = run.verification.curve
    return (np.array(curve.fmr) > 0) & (np.array(curve.fnmr) > 0)


def _cmc(axes: Any, runs: Sequence[Run]) -> None:
    lows = []
    for run, colour in zip(runs, ENCODERS * 9, strict=False):
        if run.identification is None:
            continue
        rates = 100 * np.array(run.identification.cmc)
        lows.append(rates[0])
        axes.step(np.arange(1, len(rates) + 1), rates, where="mid", color=colour, label=label(run, runs))
    axes.set(xscale="log", xlabel="rank", ylabel="searches with the right person, %")
    axes.set_xticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
    room = max(5.0, 1.15 * (100 - min(lows)))
    axes.set_ylim(100 - room, 100 + 0.04 * room)
    axes.legend(loc="lower right", fontsize=8.5)


def _fpir(axes: Any, runs: Sequence[Run]) -> None:
    styles = {"1:1 threshold": (NON_MATED, "o"), "guide": ("#009e73", "s"), "measured": (MATED, "D")}
    run = runs[0]
    if run.identification is None:
        return
    for rule, (colour, marker) in styles.items():
        rows = [row for row in run.identification.open_set if row.rule == rule and row.fpir is not None]
        rates = [max(row.fpir.value, 1e-5) for row in rows if row.fpir]
        if rows:
            axes.plot([row.people for row in rows], rates, marker=marker, markersize=5, color=colour, label=rule)
            for row in rows:
                if row.fpir and row.fpir.interval:
                    bounds = row.fpir.interval
                    axes.plot(
                        [row.people] * 2, [max(bounds.low, 1e-5), bounds.high], color=colour, linewidth=1, alpha=0.6
                    )
    axes.axhline(run.identification.target_fpir, color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
    axes.set(xscale="log", yscale="log", xlabel="people enrolled, K", ylabel="FPIR: unknown people named")
    axes.legend(title=run.space.encoder, title_fontsize=8.5, fontsize=8.5)


def _reliability(axes: Any, runs: Sequence[Run]) -> None:
    axes.plot([0, 1], [0, 1], color="#b8c0c8", linewidth=1, linestyle=(0, (4, 3)))
    for run, colour in zip(runs, ENCODERS * 9, strict=False):
        if run.reliability is None:
            continue
        bins = run.reliability.bins
        solid = [item for item in bins if item.pairs >= FEW]
        axes.plot([item.predicted for item in solid], [item.observed for item in solid], color=colour, alpha=0.5)
        for few in (True, False):  # bins of few pairs say little: hollow
            shown = [item for item in bins if (item.pairs < FEW) == few]
            axes.scatter(
                [item.predicted for item in shown],
                [item.observed for item in shown],
                s=[18 + 160 * item.weight for item in shown],
                facecolor="white" if few else colour,
                edgecolor=colour,
                label=None if few else label(run, runs),
                zorder=3,
            )
    axes.set(xlabel="predicted probability", ylabel="share of mated pairs", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    axes.legend(loc="upper left", fontsize=8.5, markerscale=0.7)


def _learning(axes: Any, runs: Sequence[Run]) -> None:
    styles = {"nearest neighbour": "-", "linear SVM": (0, (5, 2)), "logistic regression": (0, (1, 1.5))}
    for run, colour in zip(runs, ENCODERS * 9, strict=False):
        if run.classifiers is None:
            continue
        for name, style in styles.items():
            rows = [row for row in run.classifiers.rows if row.classifier == name]
            axes.errorbar(
                [row.photos_per_person for row in rows],
                [100 * row.accuracy for row in rows],
                [100 * row.deviation for row in rows],
                color=colour,
                linestyle=style,
                marker="o",
                markersize=4,
                capsize=2,
                label=f"{label(run, runs)}: {name}",
            )
    shots = sorted({row.photos_per_person for run in runs if run.classifiers for row in run.classifiers.rows})
    axes.set(xlabel="photos of each person to learn from", ylabel="accuracy, %", xticks=shots)
    axes.legend(fontsize=7.5)


def _groups(axes: Any, run: Run) -> None:
    rows = run.verification.groups[::-1]
    for at, row in enumerate(rows):
        for rate, colour, shift in ((row.fmr, NON_MATED, 0.16), (row.fnmr, MATED, -0.16)):
            if rate is None:
                continue
            if rate.interval is not None:
                axes.plot([rate.interval.low, rate.interval.high], [at + shift] * 2, color=colour, linewidth=1.4)
            axes.plot(rate.value, at + shift, "o", color=colour, markersize=5)
    axes.set_yticks(range(len(rows)), [f"{row.column}: {row.group}" for row in rows])
    axes.set(xlabel="rate at τ, with its interval")
    axes.plot([], [], "o-", color=NON_MATED, label="FMR")
    axes.plot([], [], "o-", color=MATED, label="FNMR")
    axes.set_xlim(left=0)
    axes.legend(fontsize=8.5)
