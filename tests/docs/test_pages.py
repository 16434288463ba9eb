"""Every code block of the documentation runs, and shows what it gives; the site builds without network, every link leads somewhere."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda path: path.relative_to(DOCS).as_posix())
@pytest.mark.filterwarnings("default")
def test_blocks_run_and_show_what_they_give(page):
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

    text = (DOCS / "reference" / "python.md").read_text(encoding="utf-8")
    assert [name for name in sameface.__all__ if name != "__version__" and f"sameface.{name}\n" not in text] == []


def test_the_site_builds_without_network_and_every_link_leads_somewhere(tmp_path):
    pytest.importorskip("mkdocs", reason="the site is built with the dependency group docs")
    # Any attempt at a connection fails: a proxy that is not there.
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "http_proxy": "http://127.0.0.1:9",
            "https_proxy": "http://127.0.0.1:9",
            "HOME": str(tmp_path),
            "NO_MKDOCS_2_WARNING": "1",
        },
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) >= len(PAGES)
    anchors = {page: set(re.findall(r'id="([^"]+)"', page.read_text(encoding="utf-8"))) for page in pages}
    broken = []
    for page in pages:
        html = page.read_text(encoding="utf-8")
        assert not re.findall(
            r"<(?:script|img|link)[^>]+(?:src|href)=\"https?://(?!127)", html.replace('rel="canonical"', "")
        ), page
        for target in re.findall(r'<a[^>]+href="([^"]+)"', html):
            if re.match(r"[a-z]+:", target) or page.name == "404.html":
                continue
            file, _, anchor = target.partition("#")
            place = (page.parent / file).resolve() if file else page
            if not place.exists() or (
                anchor and place in anchors and anchor not in anchors[place] and anchor != "__top"
            ):
                broken.append(f"{page.name}: {target}")
    assert broken == []
