"""Tables of `sameface evaluate`: error rates by group, published numbers, and encoders beside each other on the same pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sameface.evaluation.results import Comparison, Difference, Evaluation, GroupSpread, Rate


def print_groups(found: Evaluation) -> None:
    """A table per encoder, and a line per spread."""
    from sameface.cli.output import print_line, print_table
    from sameface.metrics.percent import percent_spread

    for run in found.runs:
        rows = run.verification.groups
        if not rows:
            continue
        folds = any(row.accuracy is not None for row in rows)
        print_table(
            ["group", "FMR %", "of", "FNMR %", "of", *(["accuracy %"] if folds else [])],
            [
                [
                    f"{row.column}: {row.group}",
                    *_counted(row.fmr, 3),
                    *_counted(row.fnmr, 2),
                    *(
                        [percent_spread(row.accuracy.mean, row.accuracy.standard_error)]
                        if row.accuracy
                        else ["–"] * folds
                    ),
                ]
                for row in rows
            ],
            title=f"{run.space.encoder} by group, all at τ = {rows[0].threshold:.4f}",
            shorten=("group",),
        )
        for item in run.verification.group_spreads:
            print_line(spread_in_words(item))


def spread_in_words(item: GroupSpread) -> str:
    """How far groups lie apart, in a line.

    >>> from sameface.evaluation.results import GroupSpread
    >>> from sameface.types import Interval
    >>> spread_in_words(GroupSpread("light", "FNMR", "dim", "bright", 0.021, Interval(0.0, 0.06)))
    'light: FNMR apart by 2.10 [0.00, 6.00] points, dim over bright; these data do not tell the groups apart'
    """
    from sameface.metrics.percent import percent

    digits = 3 if item.rate == "FMR" else 2
    apart = "" if item.interval.low > 0 else "; these data do not tell the groups apart"
    return (
        f"{item.column}: {item.rate} apart by {percent(item.difference, item.interval, digits=digits)} points, "
        f"{item.highest} over {item.lowest}{apart}"
    )


def print_published(found: Evaluation) -> None:
    """A protocol's own numbers, as papers print them, beside ours."""
    from sameface.cli.output import print_table
    from sameface.metrics.percent import percent

    rows = [(run, item) for run in found.runs for item in run.published]
    if rows:
        print_table(
            ["as published", "form", "", "±", "ours"],
            [
                [
                    run.space.encoder,
                    item.form,
                    f"{item.measure} {_spread(item.value, item.spread)} %",
                    item.spread_is,
                    percent(item.ours.value, item.ours.interval) if item.ours else "–",
                ]
                for run, item in rows
            ],
        )


def _spread(value: float, spread: float | None) -> str:
    from sameface.metrics.percent import percent, percent_spread

    return percent(value) if spread is None else percent_spread(value, spread)


def print_comparisons(found: Evaluation) -> None:
    """A table for each encoder beside the first."""
    from sameface.cli.output import print_line, print_table

    for item in found.comparisons:
        names = _names(item)
        print_table(
            ["", "first", "second", "difference, points", "p"],
            [_difference(row) for row in item.differences],
            title=f"on the same pairs: {names[0]} first, {names[1]} second",
        )
        if item.decisions is not None:
            print_line(decisions_in_words(item))


def decisions_in_words(item: Comparison) -> str:
    """McNemar's test in a line."""
    told = item.decisions
    assert told is not None
    return (
        f"decided rightly by the first alone: {told.only_first} pairs, by the second alone: {told.only_second}; "
        f"p = {_p_value(told.p_value)} (McNemar, as if pairs shared nobody)"
    )


def _names(item: Comparison) -> tuple[str, str]:
    """What tells the two apart: the encoders, else the detectors."""
    if item.first.encoder == item.second.encoder:
        return item.first.detector, item.second.detector
    return item.first.encoder, item.second.encoder


def _difference(row: Difference) -> list[str]:
    from sameface.metrics.percent import percent

    digits = 3 if row.measure.startswith("FMR") else 2
    return [
        f"{row.measure}, %",
        percent(row.first, digits=digits),
        percent(row.second, digits=digits),
        percent(row.difference, row.interval, digits=digits),
        _p_value(row.p_value),
    ]


def _p_value(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"


def _counted(rate: Rate | None, digits: int) -> tuple[str, str]:
    from sameface.metrics.percent import percent

    return ("–", "0") if rate is None else (percent(rate.value, rate.interval, digits=digits), str(rate.trials))
