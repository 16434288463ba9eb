"""The house keeps its shape: small files, and import rules that name what must stay behind one door."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from sameface import defaults
from tests.longest_first import LONGEST

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "sameface"
#: A file over so many lines says why in its docstring: "Over 300 lines because …".
MOST_LINES = 300


@cache
def texts() -> list[tuple[Path, str]]:
    """Every file of ours."""
    return [(path, path.read_text(encoding="utf-8")) for path in sorted(SOURCE.rglob("*.py"))]


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    """Of one file: only of those whose text may hold what a test looks for, since to take all of them apart takes two seconds."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def sources(pattern: str) -> Iterator[tuple[Path, list[ast.AST]]]:
    """The files with such a text, and their nodes."""
    for path, text in texts():
        if re.search(pattern, text):
            yield path, nodes_of(path)


def test_a_file_over_300_lines_says_why() -> None:
    silent = []
    for path, text in texts():
        if text.count("\n") <= MOST_LINES:
            continue
        said = " ".join((ast.get_docstring(ast.parse(text)) or "").split())
        if f"Over {MOST_LINES} lines because " not in said:
            silent.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines")
    assert silent == [], "split it where an idea can be named, or say why in its docstring"


def forbidden() -> Iterator[str]:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    for rule in rules:
        if rule["type"] == "forbidden" and rule["source_modules"] == ["sameface"]:
            yield from rule["forbidden_modules"]


@pytest.mark.parametrize(
    "library",
    ["onnxruntime", "torch", "sqlite3", "psycopg", "psycopg_pool", "pgvector", "fastapi", "starlette", "uvicorn"],
)
def test_the_import_rules_name_what_has_one_door(library: str) -> None:
    assert library in set(forbidden())


@pytest.mark.parametrize(
    ("library", "doors"),
    [
        ("onnxruntime", ["models/devices.py", "models/runtime.py"]),
        ("sqlite3", ["evaluation/cache.py", "events/outbox.py", "gallery/sqlite/", "indexing/ledger_file.py"]),
        ("psycopg", ["gallery/postgres/"]),
        ("fastapi", ["service/"]),
        ("torch", ["training/"]),
    ],
)
def test_no_file_elsewhere_names_a_library_that_has_its_door(library: str, doors: list[str]) -> None:
    """As the import rules, for imports inside functions, under `if TYPE_CHECKING` and by name too."""
    for path, nodes in sources(rf"\b{library}\b"):
        place = path.relative_to(SOURCE).as_posix()
        if place.startswith(tuple(doors)):
            continue
        for node in nodes:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert library not in {name.split(".")[0] for name in names}, f"{place}:{getattr(node, 'lineno', 0)}"


def test_what_is_read_into_a_type_is_read_by_one_thread_the_first_time() -> None:
    """msgspec's own first look at a type is not safe from two threads: `sameface.plain.known`."""
    seen = 0
    for path, nodes in sources("msgspec"):
        for node in nodes:
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            kinds = [keyword.value for keyword in node.keywords if keyword.arg == "type"]
            called = ast.unparse(node.func)
            if called == "msgspec.convert" and not kinds:
                kinds = node.args[1:2]
            if called not in ("msgspec.convert", "msgspec.json.decode", "msgspec.msgpack.decode"):
                continue
            for kind in kinds:
                seen += 1
                assert ast.unparse(kind).startswith("known("), f"{path}:{node.lineno}"
    assert seen > 20


def test_a_default_that_rooms_share_is_typed_once() -> None:
    """As a default of an argument, or behind ``default=``, its name stands; so a change of it is a change in one place."""
    shared = {getattr(defaults, name) for name in vars(defaults) if name.startswith("DEFAULT_")}
    for path, nodes in sources(r"\b(fpir|encoder|detector|gallery|location|default)\b\s*(:[^=]*)?="):
        for node in nodes:
            given: list[ast.expr | None] = []
            if isinstance(node, ast.arguments):
                named = [*node.posonlyargs, *node.args][len(node.posonlyargs) + len(node.args) - len(node.defaults) :]
                pairs = [*zip(named, node.defaults, strict=True), *zip(node.kwonlyargs, node.kw_defaults, strict=True)]
                given += [
                    value for name, value in pairs if name.arg in ("fpir", "encoder", "detector", "gallery", "location")
                ]
            given += [node.value] if isinstance(node, ast.keyword) and node.arg == "default" else []
            typed = [value.value for value in given if isinstance(value, ast.Constant) and value.value in shared]
            assert typed == [], f"{path.relative_to(ROOT)} types {typed}"


def test_files_of_tests_that_begin_first_are_there() -> None:
    assert [name for name in LONGEST if not (ROOT / name).is_file()] == []
    assert len(set(LONGEST)) == len(LONGEST)
