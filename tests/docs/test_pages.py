"""Every code block of the documentation runs, and shows what it gives; what it names is there."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from tests import warm
from tests.conftest import needed

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md"))

_spec = importlib.util.spec_from_file_location("run_blocks", DOCS / "_run_blocks.py")
assert _spec is not None
assert _spec.loader is not None
run_blocks = importlib.util.module_from_spec(_spec)
sys.modules["run_blocks"] = run_blocks
_spec.loader.exec_module(run_blocks)

WITH_CODE = [
    path
    for path in PAGES
    if any(block.language not in run_blocks.SHOWN for block in run_blocks.blocks_of(path.read_text(encoding="utf-8")))
    and path.name != "benchmarks.md"  # its commands take hours and the research data
    and "decisions" not in path.parts
]

#: Blocks that are shown and neither run nor the output of one that is: page and first line, and why.
NOT_RUN = {
    (
        "how-to/install.md",
        "pip install sameface                                  # verify, enroll, identify, calibrate: the whole program",
    ): "installs",
    ("how-to/service.md", "scrape_configs:"): "a file of Prometheus",
    (
        "how-to/service.md",
        "docker compose run --rm sameface keys add admin --keys /data/keys.json   # shows the key, once",
    ): "needs Docker",
    (
        "decisions/gallery.md",
        "SELECT create_reference_table('sameface_gallery');",
    ): "needs a Citus cluster; the page says so",
    (
        "reference/data-sets.md",
        "from sameface.datasets import read_ijb",
    ): "IJB comes from NIST only; tests/datasets runs it on made lists",
}


#: Contents of files, which are read here.
FILES = {"toml": tomllib.loads, "json": json.loads}


def test_files_that_are_shown_can_be_read():
    for page in PAGES:
        for block in run_blocks.blocks_of(page.read_text(encoding="utf-8")):
            if block.language in FILES:
                assert FILES[block.language](block.body), page


def shown_only(page: Path) -> list[str]:
    """The blocks of a page that are neither run nor the output of one that is."""
    text = page.read_text(encoding="utf-8")
    blocks = run_blocks.blocks_of(text)
    outputs = {
        id(after)
        for block, after in pairwise(blocks)
        if block.language == "python"
        and after.language == "text"
        and not text[block.end + 3 : after.start].split("```")[0].strip()
    }
    run = ("python", "console", *FILES)
    return [block.body for block in blocks if block.language not in run and id(block) not in outputs]


def test_no_block_is_left_out_unseen():
    found = {(page.relative_to(DOCS).as_posix(), body.splitlines()[0]) for page in PAGES for body in shown_only(page)}
    assert found == set(NOT_RUN)
    assert len(NOT_RUN) <= 6


def commands_shown() -> list[tuple[str, list[str]]]:
    """Whole commands: the lines of blocks that are only shown."""
    found = []
    for page in [*PAGES, ROOT / "README.md"]:
        for body in shown_only(page):
            for line in body.splitlines():
                words = shlex.split(line.removeprefix("$ "), comments=True) if "sameface " in line else []
                if words and words[0] == "sameface" and "…" not in line:
                    found.append((f"{page.name}: {line}", words[1:]))
    return found


def commands_in_sentences() -> list[tuple[str, list[str]]]:
    """Commands in the middle of a sentence or a table, which may leave something out or stand for any value."""
    found = []
    for page in [*PAGES, ROOT / "README.md"]:
        text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        for line in re.findall(r"`(sameface [a-z][^`]*)`", text):
            if not re.search(r"[…\[$]|&&|\w, \w", line):
                found.append((f"{page.name}: {line}", shlex.split(line)[1:]))
    return found


def follow(words: list[str]) -> None:
    """Go down a command line as the program does, without running anything."""
    import typer

    from sameface.cli.app import app

    command = typer.main.get_command(app)
    context = command.make_context("sameface", list(words))
    while rest := [*context._protected_args, *context.args] if hasattr(command, "resolve_command") else []:
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("words", [pytest.param(words, id=name) for name, words in commands_shown()])
def test_commands_that_are_only_shown_exist_with_their_options(words):
    follow(words)


def test_commands_in_sentences_exist_with_their_options():
    wrong = []
    for name, words in commands_in_sentences():
        try:
            follow(words)
        except SystemExit:  # a group that shows its help
            continue
        except Exception as error:  # noqa: BLE001  whatever the parser of this version raises
            said = f"{type(error).__name__}: {error}"
            if re.search("NoSuchOption|No such (option|command)|unexpected extra", said):
                wrong.append(f"{name}: {said}")
    assert wrong == []


def test_extras_that_are_named_exist():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for page in [*PAGES, ROOT / "README.md"]:
        for named in re.findall(r"sameface\[([a-z,]+)\]", page.read_text(encoding="utf-8")):
            assert set(named.split(",")) <= set(project["optional-dependencies"]), page


def test_notebooks_are_what_their_pages_say():
    done = subprocess.run([sys.executable, "docs/_notebooks.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0, "run `python docs/_notebooks.py`"


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda path: path.relative_to(DOCS).as_posix())
@pytest.mark.filterwarnings("default")
def test_blocks_run_and_show_what_they_give(page, tmp_path, monkeypatch):
    monkeypatch.setattr(
        run_blocks,
        "run_ours",
        lambda words, around, folder: warm.run(words[1:], output=tmp_path / "said", environment=around, folder=folder),
    )
    monkeypatch.setattr(
        run_blocks,
        "start_ours",
        lambda words, around, folder, said: (
            warm.Warm(words[1:], output=said or tmp_path / "started", environment=around, folder=folder).stop
        ),
    )
    for place in run_blocks.data_of(page.read_text(encoding="utf-8")):
        needed(place, "research data of this page")
    for module in run_blocks.needs_of(page.read_text(encoding="utf-8")):
        pytest.importorskip(module)
    assert run_blocks.differences(page) == []


def test_outputs_are_compared_as_they_should_be():
    assert run_blocks.alike("distance 0.123\n", "distance 0.124\n")
    assert not run_blocks.alike("distance 0.123\n", "distance 0.223\n")
    assert not run_blocks.alike("same person\n", "another person\n")
    assert run_blocks.alike("id 0123456789abcdef0123456789abcdef", "id ffffffffffffffffffffffffffffffff")


def test_pages_show_only_shipped_photos():
    """No picture in the documentation but those made from examples/photos, and no name of a research photo."""
    for page in PAGES:
        for target in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).resolve().is_relative_to(DOCS / "img"), f"{page}: {target}"


def test_what_the_readme_points_to_is_there():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", text) if "://" not in target]
    assert len(targets) > 20
    assert [target for target in targets if target and not (ROOT / target).exists()] == []


def test_every_command_has_its_help_in_the_reference():
    from sameface.cli.app import COMMANDS

    text = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    missing = [
        name
        for name in COMMANDS
        if f"$ sameface {name} --help" not in text and importlib.util.find_spec(COMMANDS[name][0])
    ]
    assert missing == []


def test_every_public_name_is_in_the_reference():
    import sameface

    text = "".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference" / "python").glob("*.md"))
    assert [name for name in sameface.__all__ if name != "__version__" and f"sameface.{name}\n" not in text] == []
