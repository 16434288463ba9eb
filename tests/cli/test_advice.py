"""What messages and help tell people to type is there to be typed."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest
import typer

from sameface.cli.app import app

SOURCE = Path(__file__).parents[2] / "src" / "sameface"
#: `sameface …` in backticks, in the texts of the program.
TYPED = re.compile(r"`(sameface [^`\n]*)`")


def told() -> list[tuple[str, str]]:
    """Every command line in a text of the source, with the file that says it; what is filled in later is an X."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if "`sameface" not in source:  # to take a file apart takes time, in every worker of a run
            continue
        for node in ast.walk(ast.parse(source)):
            text = ""
            if isinstance(node, ast.JoinedStr):
                text = "".join(part.value if isinstance(part, ast.Constant) else "X" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
            found |= {(line, path.name) for line in TYPED.findall(text) if "sameface …" not in line}
    return sorted(found)


def test_enough_is_found() -> None:
    assert len(told()) > 40


@pytest.mark.parametrize(("line", "where"), told())
def test_a_command_that_is_told_of_is_there(line: str, where: str) -> None:
    words = shlex.split(line.replace("…", ""))[1:]
    command = typer.main.get_command(app)
    while words and hasattr(command, "list_commands"):
        context = command.make_context("sameface", [], resilient_parsing=True)  # type: ignore[attr-defined]
        inside = command.get_command(context, words[0])  # type: ignore[attr-defined]
        if inside is None:
            later = [word for word in words if word in command.list_commands(context)]  # type: ignore[attr-defined]
            assert words[0].startswith("-") or words[0].isupper() or command.params, f"{where}: no command {words[0]!r}"  # type: ignore[attr-defined]
            inside = command.get_command(context, later[0]) if later else None  # type: ignore[attr-defined]
            if inside is None:
                break
            words = words[words.index(later[0]) :]
        command, words = inside, words[1:]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help", "--version"}
    assert [word for word in words if word.startswith("--") and word.partition("=")[0] not in known] == [], where
