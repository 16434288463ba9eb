"""The documentation as a site: it builds without network, every link leads somewhere, and opened from the disk its search answers."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.left_out import lacking

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_site_builds_without_network_and_every_link_leads_somewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) >= len(list(DOCS.rglob("*.md")))
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


def test_search_works_from_the_disk(site):
    sync_api = pytest.importorskip("playwright.sync_api")
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
