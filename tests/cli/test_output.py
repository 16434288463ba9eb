"""How answers and progress are written: tables, JSON, lines for logs, questions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import typer

from sameface import progress
from sameface.cli import output
from sameface.errors import SettingError


@dataclass
class Row:
    name: str
    rates: dict[str, float | None]


def test_json_of_dataclasses_and_of_names_that_are_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json([Row("Ada", {"fmr": 0.001, "fnmr": None})])
    assert json.loads(capsys.readouterr().out) == [{"name": "Ada", "rates": {"fmr": 0.001, "fnmr": None}}]
    output.print_json({"caf\udce9.jpg": [Row("caf\udce9", {})], "n": (1, None)})
    assert json.loads(capsys.readouterr().out) == {"caf\\xe9.jpg": [{"name": "caf\\xe9", "rates": {}}], "n": [1, None]}


def test_a_table_sets_numbers_to_the_right(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    rows = [["Ada", "7", "99.1 %"], ["Grace", "1234", "–"], ["[bold]caf\udce9", "-5", ""]]
    output.print_table(["name", "photos", "rate"], rows, title="people")
    title, head, _, ada, grace, third = [line for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert title.strip() == "people"
    right_edge = head.index("photos") + len("photos")
    assert [line[:right_edge].split()[-1] for line in (ada, grace, third)] == ["7", "1234", "-5"]
    assert all(line[right_edge - 1].isdigit() for line in (ada, grace, third))
    assert head.index("name") == ada.index("Ada") == grace.index("Grace") == third.index("[bold]")  # no markup is read
    assert "caf\\xe9" in third


def test_a_long_row_stays_one_line_where_lines_are_searched(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    row = ["a" * 60, "b" * 60]
    output.print_table(["one", "two"], [row], unfolded=True)
    assert any("a" * 60 in line and "b" * 60 in line for line in capsys.readouterr().out.splitlines())
    output.print_table(["one", "two"], [row])
    assert not any("a" * 60 in line for line in capsys.readouterr().out.splitlines())


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


def test_progress_in_a_log_is_soon_told_and_then_every_half_minute(
    clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SAMEFACE_PROGRESS", raising=False)
    with output.progress("photos", 1000) as advance:
        for second in range(1, 39):
            clock.now += 1
            advance(5)
            if second == 7:
                assert capsys.readouterr().err == ""
    # 5 photos a second: after 8 seconds the other 960 take 192 seconds, after 38 the other 810 take 162
    assert capsys.readouterr().err.splitlines() == [
        "photos: 40 of 1,000, 5.0/s, 3 minutes left",
        "photos: 190 of 1,000, 5.0/s, 3 minutes left",
    ]


def test_the_time_left_is_told_by_several_steps(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with output.progress("damaged copies", 80) as advance:
        for _ in range(4):  # by the first alone, with another under way, it would be twice as long
            clock.now += 10
            advance()
    assert capsys.readouterr().err.splitlines() == ["damaged copies: 3 of 80, 0.1/s, 13 minutes left"]


def test_progress_without_an_end_and_as_often_as_asked(
    clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMEFACE_PROGRESS", "2")
    with output.progress("frames", None) as advance:
        for _ in range(4):
            clock.now += 1
            advance()
    assert capsys.readouterr().err.splitlines() == ["frames: 2, 1.0/s", "frames: 4, 1.0/s"]
    monkeypatch.setenv("SAMEFACE_PROGRESS", "0")
    with output.progress("frames", None) as advance:
        clock.now += 1000
        advance()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("given", ["often", "-1", "nan", "inf"])
def test_progress_as_often_as_nobody_can(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEFACE_PROGRESS", given)
    with pytest.raises(SettingError, match="SAMEFACE_PROGRESS"), output.progress("photos", 3):
        pass


def test_progress_at_a_terminal_is_a_bar_that_goes_away(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")  # rich's own word for a terminal
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with output.progress("photos", 4) as advance:
        advance(3)
        output.print_line("an answer")
    said = capsys.readouterr()
    assert said.out == "an answer\n"
    assert "photos" in said.err
    assert "3/4" in said.err


def terminal(monkeypatch: pytest.MonkeyPatch, answer: str | None) -> None:
    """Somebody who answers so; None: a script."""
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: answer is not None))
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: answer == "y")


@pytest.mark.parametrize(("yes", "answer"), [(True, "n"), (False, "y"), (False, None)])
def test_what_goes_on(yes: bool, answer: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal(monkeypatch, answer)
    output.ask("Erase everybody?", yes=yes)


def test_who_says_no_is_heard(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    terminal(monkeypatch, "n")
    with pytest.raises(typer.Exit) as end:
        output.ask("Erase everybody?", yes=False)
    assert end.value.exit_code == 1
    assert capsys.readouterr().err == "nothing was changed\n"


def test_columns_move_together_before_a_cell_is_folded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "22")
    for rows, line in (
        ([["a" * 8, "b" * 8]], f" {'a' * 8}   {'b' * 8}"),
        ([["a" * 9, "b" * 9]], f" {'a' * 9}  {'b' * 9}"),
    ):
        output.print_table(("one", "two"), rows)
        assert line in [found.rstrip() for found in capsys.readouterr().out.splitlines()]
