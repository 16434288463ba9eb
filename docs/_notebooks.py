"""Notebooks of the documentation: pages of `docs/notebooks` as .ipynb files, with the outputs that the pages show.

    python docs/_notebooks.py            # write them
    python docs/_notebooks.py --check    # exit 1 when one is not what its page says

A page is the one source. Its `python` blocks are cells, the `text` block that follows one is that cell's output, and all else is Markdown.
The tests run the pages.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
PAGES = sorted((DOCS / "notebooks").glob("*.md"))
_PART = re.compile(r"^```(python|text)\n(.*?)^```\n", re.M | re.S)


def notebook_of(text: str) -> dict[str, object]:
    """A page as a notebook of format 4.5."""
    cells: list[dict[str, object]] = []

    def add(kind: str, source: str, **more: object) -> None:
        cells.append(
            {"cell_type": kind, "id": f"cell-{len(cells)}", "metadata": {}, **more, "source": source.splitlines(True)}
        )

    end = 0
    for part in _PART.finditer(text):
        between = re.sub(r"<!--.*?-->\n*", "", text[end : part.start()]).strip()
        if between:
            add("markdown", between)
        if part[1] == "python":
            add("code", part[2].rstrip("\n"), execution_count=None, outputs=[])
        elif cells and cells[-1]["cell_type"] == "code":
            cells[-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": part[2].splitlines(True)}]
        end = part.end()
    if text[end:].strip():
        add("markdown", text[end:].strip())
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def written(page: Path) -> str:
    """The text of a page's notebook file."""
    return json.dumps(notebook_of(page.read_text(encoding="utf-8")), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    for page in PAGES:
        file = page.with_suffix(".ipynb")
        if "--check" not in sys.argv:
            file.write_text(written(page), encoding="utf-8")
        elif not file.is_file() or file.read_text(encoding="utf-8") != written(page):
            sys.exit(f"{file} is not what {page.name} says: run python docs/_notebooks.py")


if __name__ == "__main__":
    main()
