"""README and documentation for readers whose second language is English: no sentence is long."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
#: Words that a sentence may have.
MOST = 30


def prose(text: str) -> list[str]:
    """The paragraphs and list items of a page: no code, tables, headings, pictures or marks."""
    text = re.sub(r"^---\n.*?\n---\n", "", text, flags=re.S)
    text = re.sub(r"^```.*?^```", "\n\n", text, flags=re.S | re.M)
    text = re.sub(r"^::: .*(?:\n    .*)*", "\n\n", text, flags=re.M)
    text = re.sub(r"<!--.*?-->|<[^>\n]+>", "", text, flags=re.S)
    text = re.sub(r"^(?:    |\t).*$", lambda line: line[0] if _goes_on(text, line.start()) else "", text, flags=re.M)
    text = re.sub(r"^[ \t]*(?:\|.*|#+ .*|-{3,}|!\[.*)$", "\n", text, flags=re.M)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"`[^`]*`", "code", text)
    parts = re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", text)
    return [" ".join(part.split()) for part in parts if part.strip()]


def _goes_on(text: str, start: int) -> bool:
    """Whether an indented line belongs to a paragraph or list item above it, and is no block of code."""
    before = text[:start].rstrip("\n")
    return not text[:start].endswith("\n\n") and bool(before) and not before.rsplit("\n", 1)[-1].startswith("    ")


def sentences(paragraph: str) -> list[str]:
    """Cut at full stops, question marks and exclamation marks; semicolons and colons end none."""
    return [part for part in re.split(r"(?<=[.!?])[)*\"”]*\s+", paragraph) if part]


def long_ones(text: str) -> list[str]:
    """Sentences with too many words."""
    found = [sentence for paragraph in prose(text) for sentence in sentences(paragraph)]
    return [sentence for sentence in found if len(re.findall(r"[^\W_][\w'’.,-]*", sentence)) > MOST]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_sentence_is_long(page):
    assert long_ones(page.read_text(encoding="utf-8")) == []


def test_long_sentences_are_found_and_others_are_not():
    long = "word " * 31 + "."
    assert long_ones(f"# {long}\n\n| {long} |\n\n```text\n{long}\n```\n\nShort. Also short.\n") == []
    assert len(long_ones(f"Short one. {long}\nwrapped {long}")) == 2
    assert len(long_ones(f"- {long}\n- short\n  and wrapped\n")) == 1
    assert long_ones("one two three: " + "word " * 27 + ".") == []
    assert long_ones(f"[{'word ' * 10}](https://a.b/c-d) `{long}` and more.") == []
