"""Make the pictures of the service's page that the documentation shows, from the shipped photos, in a real browser.

    python docs/_page_pictures.py

Needs Chromium and the packages of the group `browser`. Look at the pictures afterwards.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "examples"))
from demo import compose_group  # noqa: E402

PHOTOS, IMAGES = ROOT / "examples" / "photos", ROOT / "docs" / "img"
PEOPLE = {"Barack Obama": "obama.jpg", "Eileen Collins": "astronaut.png", "Grace Hopper": "grace_hopper.jpg"}
CHROMIUM = os.environ.get("SAMEFACE_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"


def go(page: Page, part: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=part).click()
    expect(page.locator(f"[data-part={part.lower()}] h1")).to_be_visible()


def give(page: Page, label: str, *names: str) -> None:
    page.get_by_label(f"{label}: choose a file").set_input_files([str(PHOTOS / name) for name in names])


def take(page: Page, name: str) -> None:
    page.evaluate("window.scrollTo(0, 0)")
    page.screenshot(path=IMAGES / f"page-{name}.png", full_page=True)


def pictures(page: Page, url: str, group: Path) -> None:
    page.set_default_timeout(60_000)
    page.goto(url)
    give(page, "First photo", "obama.jpg")
    give(page, "Second photo", "obama2.jpg")
    expect(page.get_by_role("heading", name="Same person", exact=True)).to_be_visible()
    take(page, "compare")
    for name, photo in PEOPLE.items():
        go(page, "Enroll")
        page.get_by_label("Name").fill(name)
        give(page, "Photos", photo, *(["biden.jpg", "obama3.jpg"] if name == "Barack Obama" else []))
        page.get_by_role("button", name="Enroll", exact=True).click()
        expect(page.get_by_role("heading", name=f"{name} is enrolled")).to_be_visible()
        if name == "Barack Obama":
            take(page, "enroll")
    go(page, "People")
    expect(page.locator("tr[data-name]")).to_have_count(len(PEOPLE))
    take(page, "people")
    page.get_by_role("link", name="Barack Obama").click()
    expect(page.locator(".history li").first).to_be_visible()
    take(page, "person")
    page.emulate_media(color_scheme="dark")
    go(page, "Identify")
    page.get_by_label("Photo: choose a file").set_input_files(str(group))
    expect(page.locator(".answers li[data-name]").first).to_be_visible()
    take(page, "identify")


def main() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        group = Path(folder) / "group.png"
        compose_group()[0].save(group)
        command = [sys.executable, "-m", "sameface", "serve", "--port", str(port), str(Path(folder) / "galleries")]
        service = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(200):
                try:
                    urllib.request.urlopen(f"{url}/v1/ready", timeout=2).close()
                    break
                except OSError:
                    time.sleep(0.2)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                size = {"width": 1280, "height": 800}
                context = browser.new_context(viewport=size, locale="en-GB", reduced_motion="reduce")
                pictures(context.new_page(), url, group)
                browser.close()
        finally:
            service.terminate()
            service.wait(30)


if __name__ == "__main__":
    main()
