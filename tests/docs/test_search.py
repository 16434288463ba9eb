"""The documentation as one opens it from the disk: its search answers, and nothing is asked of other machines."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.left_out import lacking

sync_api = pytest.importorskip("playwright.sync_api")


def test_search_works_from_the_disk(site):
    chromium = os.environ.get("SAMEFACE_CHROMIUM") or shutil.which("chromium")
    if not chromium or not Path(chromium).exists():
        lacking("Chromium", "apt-get install chromium")
    asked = []
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto((site / "index.html").as_uri())
        page.wait_for_function("typeof __index !== 'undefined'", timeout=60_000)  # fetched from the disk as a script
        page.locator(".md-search__input").click()
        page.locator(".md-search__input").press_sequentially("forget", delay=50)
        page.locator(".md-search-result__item").first.wait_for(timeout=60_000)
        found = page.locator(".md-search-result__item").all_inner_texts()
        browser.close()
    assert any("Delete a person" in text for text in found)
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:", "about:"))] == []
