"""The few-shot part of `sameface evaluate`: what is asked, as typed, and what came out, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sameface.evaluation.results import Evaluation


def read_questions(text: str | None, within: str | None = None) -> tuple[tuple[int, int], ...]:
    """Ways and shots as they are typed.

    Raises:
        SettingError: something else, or a group without a question.

    >>> read_questions("5x1, 20x5")
    ((5, 1), (20, 5))
    """
    from sameface.errors import SettingError

    if text is None:
        if within is not None:
            raise SettingError(
                expected="--within with --few-shot", got=f"--within {within}", advice="add --few-shot 5x1"
            )
        return ()
    questions = []
    for part in text.split(","):
        ways, _, shots = part.strip().lower().partition("x")
        if not (
            ways.isascii()
            and ways.isdigit()
            and shots.isascii()
            and shots.isdigit()
            and int(ways) > 1
            and int(shots) > 0
        ):
            raise SettingError(
                expected="ways x shots: two ways or more, one shot or more",
                got=repr(part.strip()),
                advice="for instance --few-shot 5x1,20x1,5x5,20x5",
            )
        questions.append((int(ways), int(shots)))
    return tuple(questions)


def print_few_shot(found: Evaluation) -> None:
    """One row per question and encoder."""
    from sameface.cli.output import print_line, print_table
    from sameface.metrics.percent import percent

    for run in found.runs:
        if not run.few_shot:
            continue
        print_table(
            [run.space.encoder, "right %", "classes", "episodes"],
            [
                [
                    f"{item.ways}-way {item.shots}-shot",
                    percent(item.accuracy.value, item.accuracy.interval),
                    str(item.classes),
                    str(item.episodes),
                ]
                for item in run.few_shot
            ],
        )
        for item in run.few_shot:
            if item.groups_too_small:
                print_line(f"{item.ways} ways: {item.groups_too_small} groups have fewer classes and were left out")
