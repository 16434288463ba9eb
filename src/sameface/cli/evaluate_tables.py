"""What `sameface evaluate` prints: one table a question, one column or row an encoder."""

from __future__ import annotations

from typing import Final

from sameface.cli.evaluate_groups import print_comparisons, print_groups, print_published
from sameface.cli.few_shot import print_few_shot
from sameface.cli.output import print_line, print_table
from sameface.evaluation.results import Evaluation, Rate, Run
from sameface.evaluation.shipped import shipped_words
from sameface.metrics.percent import percent, percent_spread

#: More would not fit beside each other on 80 columns.
_ENCODERS_BESIDE: Final = 2


def print_evaluation(found: Evaluation) -> None:
    """Print all that was measured, one table a question."""
    data = found.data
    print_line(f"{data.name}: {data.protocol}")
    first = found.runs[0].verification
    print_line(
        f"{data.photos} photos of {data.people} people; {first.mated_pairs} mated and {first.non_mated_pairs} non-mated pairs; "
        "intervals at 95 %"
    )
    measures = _measures(found)
    for at in range(0, len(found.runs), _ENCODERS_BESIDE):
        shown = slice(at, at + _ENCODERS_BESIDE)
        names = [_name(run, found) for run in found.runs[shown]]
        print_table(["", *names], [[row[0], *row[1:][shown]] for row in measures])
    if any(not item.supported for run in found.runs for item in run.verification.tar):
        print_line("* stands on fewer than 30 expected false matches: read the interval, not the number")
    _print_at_thresholds(found)
    print_published(found)
    print_groups(found)
    print_comparisons(found)
    _print_identification(found)
    _print_classifiers(found)
    print_few_shot(found)
    _print_disturbed(found)
    for text in found.notes:
        print_line(f"note: {text}")


def _name(run: Run, found: Evaluation) -> str:
    several = len({item.space.detector for item in found.runs}) > 1
    return f"{run.space.encoder} on {run.space.detector}" if several else run.space.encoder


def _print_at_thresholds(found: Evaluation) -> None:
    for run in found.runs:
        rows = [
            [item.name, f"{item.threshold:.4f}", _shown(item.accuracy), _shown(item.fmr, 3), _shown(item.fnmr)]
            for item in run.verification.at_thresholds
        ]
        if rows:
            print_table(
                ["chosen for", "τ", "accuracy %", "FMR %", "FNMR %"],
                rows,
                title=f"{_name(run, found)} at its thresholds",
                shorten=("chosen for",),
            )
        for text in shipped_words(run):
            print_line(text)


def _measures(found: Evaluation) -> list[list[str]]:
    """One row per measure, one column per encoder."""
    results = [run.verification for run in found.runs]
    rows = [
        [
            "accuracy %",
            *(percent_spread(item.accuracy.mean, item.accuracy.standard_error) for item in results),
        ],
        ["EER %", *(_shown(item.eer) for item in results)],
        ["AUC %", *(_shown(item.auc) for item in results)],
    ]
    for at, tar in enumerate(results[0].tar):
        cells = [item.tar[at] if at < len(item.tar) else None for item in results]
        rows.append(
            [
                f"TAR % at FMR {tar.target_fmr:g}",
                *(_shown(cell.tar) + ("" if cell.supported else " *") if cell else "–" for cell in cells),
            ]
        )
    rows.append(["not found", *(f"{run.acquisition.failed} of {run.acquisition.photos}" for run in found.runs)])
    speeds = [run.speed.photos_per_second for run in found.runs]
    rows.append(["photos/s", *("cached" if speed is None else f"{speed:.1f}" for speed in speeds)])
    return rows


def _print_identification(found: Evaluation) -> None:
    for run in found.runs:
        result = run.identification
        if result is None:
            continue
        print_line(
            f"{run.space.encoder}: rank 1 of {result.closed_people} people {_shown(result.rank_1)} %; open set, wanted FPIR {result.target_fpir:g}:"
            + ("" if result.open_set else " too few people for FPIR and FNIR")
        )
        if not result.open_set:
            continue
        print_table(
            ["K people", "threshold", "τ(K)", "FPIR %", "FNIR %"],
            [
                [
                    str(row.people),
                    row.rule,
                    f"{row.threshold:.4f}" if row.threshold is not None else "–",
                    _shown(row.fpir),
                    _shown(row.fnir),
                ]
                for row in result.open_set
            ],
        )
        for row in result.open_set:
            if row.why:
                print_line(f"K = {row.people}, {row.rule}: {row.why}")


def _print_disturbed(found: Evaluation) -> None:
    for run in found.runs:
        if run.disturbed:
            print_table(
                [run.space.encoder, "", "found %", "answered %", "FMR % before", "FMR %", "FNMR %"],
                [
                    [
                        row.kind or "undisturbed",
                        f"{row.strength:g}" if row.kind else "",
                        percent(row.found, digits=0),
                        percent(row.answered, digits=1),
                        percent(row.fmr_before),
                        percent(row.fmr),
                        percent(row.fnmr),
                    ]
                    for row in run.disturbed
                ],
            )


def _print_classifiers(found: Evaluation) -> None:
    for run in found.runs:
        result = run.classifiers
        if result is None:
            continue
        if result.rows:
            shots = sorted({row.photos_per_person for row in result.rows})
            by = {(row.classifier, row.photos_per_person): row for row in result.rows}
            print_table(
                [run.space.encoder, *(f"{n} photo{'s' * (n > 1)} each, %" for n in shots)],
                [
                    [name, *(percent_spread(by[name, n].accuracy, by[name, n].deviation) for n in shots)]
                    for name in dict.fromkeys(row.classifier for row in result.rows)
                ],
            )
        for item in (result.pair_accuracy, result.distance_accuracy):
            if item is not None:
                print_line(f"{run.space.encoder}: {percent_spread(item.mean, item.standard_error)} % by {item.how}")


def _shown(rate: Rate | None, digits: int = 2) -> str:
    return "–" if rate is None else percent(rate.value, rate.interval, digits=digits)
