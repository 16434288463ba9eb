"""The contact sheet of an album in a real browser: names by typing, faces by clicking, and the list that the command takes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from playwright.sync_api import expect

from sameface.indexing.album import Album, Face
from sameface.indexing.album_changes import apply_changes, load_changes
from sameface.indexing.contact_sheet import contact_sheet
from sameface.types import Box, EmbeddingSpace
from tests.service.test_page import PHONE, browser, no_serious_issue, playwright  # noqa: F401


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_names_are_typed_and_faces_clicked(browser, tmp_path, scheme):  # noqa: F811
    def face(number: int, photo: str, group: int) -> Face:
        return Face(number, photo, Box(5, 5, 25, 25), np.float32([number, 0]).tobytes(), group)

    faces = [face(1, "a.jpg", 1), face(2, "b.jpg", 1), face(3, "c.jpg", 1), face(4, "c.jpg", 2), face(5, "d.jpg", 3)]
    album = Album(EmbeddingSpace("e", "d", "a"), faces, names={3: 'Bea "B" <b>'}, next_face=6, next_group=4)
    pictures = lambda path: np.full((40, 40, 3), 120, np.uint8)  # noqa: E731
    sheet = tmp_path / "sheet.html"
    sheet.write_text(contact_sheet(album, tmp_path, pictures, command="sameface cluster photos"), encoding="utf-8")
    context = browser.new_context(viewport=PHONE, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(sheet.as_uri())
    save = page.get_by_role("button", name="Save the list")
    expect(save).to_be_disabled()
    expect(page.get_by_label("Name of group 3")).to_have_value('Bea "B" <b>')
    no_serious_issue(page)
    page.get_by_label("Name of group 1").fill("Ada")
    page.get_by_label("Name of group 2").fill("Ada")
    expect(page.get_by_role("alert").first).to_contain_text("twice in c.jpg")
    page.keyboard.press("Tab")
    page.locator("[data-face='3']").press("Enter")
    expect(page.locator("[data-face='3']")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("alert")).to_have_count(0)  # that face is not Ada, so she is there once
    expect(page.get_by_role("status")).to_have_text("2 named, 1 not in their group.")
    no_serious_issue(page)
    with page.expect_download() as saved:
        save.click()
    assert json.loads(saved.value.path().read_text())["apart"] == [[3]]
    done = apply_changes(album, load_changes(saved.value.path()))
    assert (done.named, done.apart) == (2, 1)
    named = {album.names.get(group): [face.face_id for face in faces] for group, faces in album.groups().items()}
    assert named == {"Ada": [1, 2, 4], 'Bea "B" <b>': [5], None: [3]}
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert complaints == []
    context.close()
