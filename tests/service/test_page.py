"""The page in a real browser: every flow by hand and by keyboard, on a desk and on a phone, checked for accessibility."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, Route, expect, sync_playwright

from sameface.service.key_file import KeyFile
from tests.left_out import lacking

#: Browsers differ in what moves the focus: `SAMEFACE_CHROMIUM` names another one to try.
CHROMIUM = os.environ.get("SAMEFACE_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
SMALL = {"width": 320, "height": 568}


def launch(playwright, *flags: str):
    if not Path(CHROMIUM).exists():
        lacking("Chromium", "apt-get install chromium")
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])


@pytest.fixture(scope="module")
def playwright():
    expect.set_options(timeout=60_000)  # a machine at work is slow, not wrong
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright):
    chromium = launch(playwright)
    yield chromium
    chromium.close()


@pytest.fixture(scope="module")
def tab(browser):
    """One for all tests of the file: a second of a processor goes into each new one."""
    context = browser.new_context(reduced_motion="reduce", locale="en-GB")
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def open_page(tab, kept_program):
    """Opens the page of an empty service, where nothing is remembered; fails on anything the browser complains about."""
    service = kept_program
    service.empty()
    complaints: list[str] = []
    hears = {
        "pageerror": lambda error: complaints.append(str(error)),
        "console": lambda line: (
            complaints.append(line.text) if line.type == "error" and "status of 4" not in line.text else None
        ),
        "request": lambda request: (
            complaints.append(request.url) if not request.url.startswith((service.url, "blob:", "data:")) else None
        ),
    }

    def start(size=DESK, scheme="light", part="") -> Page:
        tab.set_viewport_size(size)
        tab.emulate_media(color_scheme=scheme)
        tab.goto(f"{service.url}/{part}")
        return tab

    for event, hear in hears.items():
        tab.on(event, hear)
    yield start
    tab.unroute_all()
    tab.evaluate("localStorage.clear(); sessionStorage.clear()")
    assert tab.context.cookies() == []
    for event, hear in hears.items():
        tab.remove_listener(event, hear)
    tab.goto("about:blank")
    assert complaints == []


def go(page: Page, part: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=part).click()
    expect(page.locator(f"[data-part={part.lower()}] h1")).to_be_visible()


def give(page: Page, label: str, *files: Path) -> None:
    page.get_by_label(f"{label}: choose a file").set_input_files([str(file) for file in files])


def enroll(page: Page, name: str, *files: Path) -> None:
    go(page, "Enroll")
    page.get_by_label("Name").fill(name)
    give(page, "Photos", *files)
    page.get_by_role("button", name="Enroll", exact=True).click()


def no_serious_issue(page: Page) -> None:
    expect(page.locator("main h1:visible, dialog:visible").first).to_be_visible()
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = Axe().run(page, options={"runOnly": rules, "resultTypes": ["violations"]})  # what is well is not listed
    serious = [
        f"{item['id']} ({item['impact']}): {[node['html'][:120] for node in item['nodes']]}"
        for item in found.response["violations"]
        if item["impact"] in ("serious", "critical", "moderate")
    ]
    assert serious == []


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_every_flow(open_page, photos, size, scheme):
    page = open_page(size, scheme)
    no_serious_issue(page)

    give(page, "First photo", photos / "obama.jpg")
    give(page, "Second photo", photos / "obama2.jpg")
    expect(page.get_by_role("heading", name="Same person", exact=True)).to_be_visible()
    expect(page.get_by_role("img", name="the threshold τ is 1.100")).to_be_visible()
    expect(page.locator(".face")).to_have_count(2)
    expect(page.locator("#said")).to_have_text("Same person")
    no_serious_issue(page)
    give(page, "Second photo", photos / "biden.jpg")
    expect(page.get_by_role("heading", name="Different people")).to_be_visible()

    enroll(page, "Barack", photos / "obama.jpg", photos / "biden.jpg", photos / "obama2.jpg")
    expect(page.get_by_role("heading", name="Barack is enrolled")).to_be_visible()
    expect(page.locator(".reports li")).to_have_count(3)
    no_serious_issue(page)
    enroll(page, "Grace", photos / "grace_hopper.jpg")
    expect(page.get_by_role("heading", name="Grace is enrolled")).to_be_visible()
    enroll(page, "Impostor", photos / "obama3.jpg")
    expect(page.get_by_role("alert")).to_contain_text("Barack")

    go(page, "Identify")
    give(page, "Photo", photos / "obama3.jpg")
    expect(page.locator(".answers strong")).to_have_text("Barack")
    expect(page.locator(".face.named b")).to_have_text("Barack")
    no_serious_issue(page)
    give(page, "Photo", photos / "astronaut.png")
    expect(page.locator(".answers strong")).to_have_text("Nobody")

    go(page, "Compare")
    give(page, "First photo", photos / "obama3.jpg")
    page.get_by_label("Or: is the first photo this enrolled person?").fill("Barack")
    page.keyboard.press("Tab")
    expect(page.get_by_role("heading", name="Yes, Barack")).to_be_visible()

    go(page, "People")
    expect(page.locator("tr[data-name]")).to_have_count(2)
    no_serious_issue(page)
    page.get_by_label("Search").fill("gra")
    expect(page.locator("tr[data-name]")).to_have_count(1)
    page.get_by_role("link", name="Grace").click()
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("New name").fill("Grace Hopper")
    no_serious_issue(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Grace Hopper", level=1)).to_be_visible()
    page.get_by_role("link", name="← People").click()
    page.get_by_role("link", name="Barack").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save what is kept").click()
    assert json.loads(saved.value.path().read_text())["person"]["name"] == "Barack"
    page.get_by_role("button", name="Forget").click()
    expect(page.get_by_role("dialog")).to_contain_text("cannot be undone")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Forget").click()
    page.get_by_role("dialog").get_by_role("button", name="Forget Barack").click()
    expect(page.locator("[data-part=people] tr[data-name]")).to_have_count(1)

    go(page, "Identify")
    give(page, "Photo", photos / "obama3.jpg")
    expect(page.locator(".answers strong")).to_have_text("Nobody")

    go(page, "About")
    expect(page.get_by_text("sface-2021dec-unit").first).to_be_visible()
    no_serious_issue(page)
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not wide  # nothing to scroll sideways, on a phone too


def test_a_face_of_a_photo_is_enrolled_from_its_answer(open_page, photos, tmp_path):
    group = tmp_path / "two.png"
    with Image.open(photos / "obama.jpg") as one, Image.open(photos / "biden.jpg") as other:
        both = [photo.convert("RGB").resize((600, 750)) for photo in (one, other)]
    picture = Image.new("RGB", (1200, 750))
    picture.paste(both[0], (0, 0))
    picture.paste(both[1], (600, 0))
    picture.save(group)
    page = open_page()
    enroll(page, "Barack", photos / "obama2.jpg")
    expect(page.get_by_role("heading", name="Barack is enrolled")).to_be_visible()
    go(page, "Identify")
    give(page, "Photo", group)
    stranger = page.locator(".answers li[data-name='']")
    expect(stranger).to_contain_text("Nobody who is enrolled is near enough")
    expect(page.locator(".answers li[data-name=Barack]")).to_contain_text("Near enough")
    names = [name.replace("Nobody", "nobody") for name in page.locator(".answers strong").all_inner_texts()]
    assert page.locator(".face b").all_inner_texts() == [f"{place} {name}" for place, name in enumerate(names, 1)]
    no_serious_issue(page)
    stranger.get_by_role("button", name="Enroll this face").click()
    expect(page.locator(".thumbs li")).to_have_count(1)
    page.get_by_label("Name").fill("Joe")
    page.get_by_role("button", name="Enroll", exact=True).click()
    expect(page.get_by_role("heading", name="Joe is enrolled")).to_be_visible()
    page.go_back()  # what was answered is still there
    expect(page.locator(".answers li")).to_have_count(2)
    give(page, "Photo", group)
    expect(page.locator(".answers li[data-name=Joe]")).to_be_visible()


def test_a_persons_own_view(open_page, photos):
    page = open_page(PHONE, "dark")
    enroll(page, "Barack", photos / "obama.jpg")
    page.get_by_role("link", name="What is kept of Barack").click()
    kept = page.locator("[data-photo]")
    expect(kept).to_have_count(1)
    expect(kept.first).to_contain_text("Photo 1")
    expect(kept.first).to_contain_text("quality 100 of 100")
    expect(page.get_by_role("button", name="Remove photo 1")).to_have_count(0)  # the last one goes with the person only
    no_serious_issue(page)

    page.get_by_role("button", name="Add photos").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose at least one photo.")
    give(page, "More photos", photos / "obama2.jpg", photos / "biden.jpg")
    page.get_by_role("button", name="Add photos").click()
    expect(page.get_by_role("heading", name="1 of 2 photos added")).to_be_visible()
    expect(kept).to_have_count(2)
    page.get_by_role("button", name="Remove photo 2").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove it").click()
    expect(kept).to_have_count(1)

    enroll(page, "Grace", photos / "grace_hopper.jpg")
    page.get_by_role("link", name="What is kept of Grace").click()
    page.get_by_label("The other name").fill("Nobody here")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("alert")).to_contain_text("Nobody else in this gallery is called “Nobody here”")
    page.get_by_label("The other name").fill("Barack")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("1 photo of Barack will belong to Grace")
    page.get_by_role("dialog").get_by_role("button", name="Join them").click()
    expect(kept).to_have_count(2)
    expect(page.locator(".history li").first).to_contain_text("Joined with another entry (1 photo)")
    no_serious_issue(page)
    page.get_by_role("button", name="Change groups").click()
    page.get_by_role("textbox", name="Groups").fill("staff, night shift")
    page.keyboard.press("Enter")
    expect(page.locator(".facts")).to_contain_text("night shift, staff")
    expect(page.get_by_role("button", name="Change groups")).to_be_focused()
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not wide


def test_the_api_can_be_browsed(open_page):
    page = open_page(part="#about")
    page.get_by_role("link", name="browse the API").click()
    document = json.loads(page.evaluate("fetch('v1/openapi.json').then((answer) => answer.text())"))
    operations = page.locator("details.operation")
    expect(operations).to_have_count(sum(len(methods) for methods in document["paths"].values()))
    page.get_by_label("Search").fill("who is this 1:K")
    shown = operations.locator("visible=true")
    expect(shown.first).to_contain_text("/identify")
    shown.first.locator("summary").click()
    expect(page.locator("pre:visible")).to_contain_text("-F photo=@photo.jpg")
    expect(page.locator("table.fields:visible").first).to_contain_text("gallery")
    no_serious_issue(page)


def test_of_several_faces_one_can_be_taken(open_page, photos, tmp_path):
    with Image.open(photos / "obama.jpg") as one, Image.open(photos / "biden.jpg") as other:
        picture = Image.new("RGB", (1400, 1000))
        picture.paste(one.convert("RGB").resize((800, 1000)), (0, 0))
        picture.paste(other.convert("RGB").resize((400, 500)), (900, 100))
    picture.save(tmp_path / "two.png")
    page = open_page()
    give(page, "First photo", tmp_path / "two.png")
    give(page, "Second photo", photos / "obama2.jpg")
    choice = page.get_by_role("group", name="Which face of the first photo do you mean?")
    expect(choice.get_by_role("button")).to_have_count(2)
    no_serious_issue(page)
    choice.get_by_role("button", name="Face 2").click()
    expect(page.get_by_role("heading", name="Different people")).to_be_visible()
    give(page, "First photo", tmp_path / "two.png")
    choice.get_by_role("button", name="Face 1").press("Enter")
    expect(page.get_by_role("heading", name="Same person", exact=True)).to_be_visible()
    expect(page.get_by_text("under the limit of")).to_be_visible()
    verdict = page.get_by_role("heading", name="Same person", exact=True).bounding_box()
    assert verdict is not None
    assert verdict["y"] + verdict["height"] <= DESK["height"]  # seen without scrolling
    go(page, "People")
    page.go_back()
    expect(page.get_by_role("heading", name="Same person", exact=True)).to_be_visible()


def test_a_face_that_is_not_comparable_is_answered_when_asked_for_all_the_same(open_page, photos):
    problem = {
        "type": "urn:sameface:not-comparable",
        "title": "Not comparable",
        "status": 422,
        "expected": "a face like those that the threshold was measured on",
        "got": "one that is not comparable (it looks blurred)",
        "advice": "take a sharper photo",
    }

    page = open_page()
    give(page, "First photo", photos / "obama.jpg")
    with page.expect_response("**/v1/verify") as answered:
        give(page, "Second photo", photos / "obama2.jpg")
    outside = {"standing": "outside", "standing_reason": "it looks blurred", "probability": None}
    forced = {**answered.value.json(), **outside}

    def judged(route: Route) -> None:
        """As the service answers about a face outside: refused unless it is forced."""
        if b'name="force"' in (route.request.post_data_buffer or b""):
            route.fulfill(content_type="application/json", body=json.dumps(forced))
        else:
            route.fulfill(status=422, content_type="application/problem+json", body=json.dumps(problem))

    page.route("**/v1/verify", judged)
    give(page, "Second photo", photos / "obama2.jpg")
    expect(page.get_by_role("alert")).to_contain_text("not comparable (it looks blurred)")
    page.get_by_role("button", name="Answer all the same, as a guess").click()
    expect(page.locator("[data-standing=outside]")).to_contain_text("so any answer is a guess: it looks blurred")
    no_serious_issue(page)


def test_a_gallery_gets_a_usable_name(open_page):
    page = open_page(part="#people")
    page.get_by_role("button", name="New gallery").click()
    page.get_by_role("textbox", name="Name").fill("My Friends é 2")
    page.keyboard.press("Enter")
    expect(page.locator("#gallery")).to_have_value("my-friends-e-2")


def test_errors_say_what_to_do(open_page, photos, tmp_path):
    page = open_page()
    text = tmp_path / "notes.jpg"
    text.write_text("not a photo")
    give(page, "First photo", text)
    give(page, "Second photo", photos / "obama.jpg")
    expect(page.get_by_role("alert")).to_contain_text("Save the picture as JPEG")
    go(page, "Enroll")
    page.get_by_role("button", name="Enroll", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Give a name first.")
    expect(page.get_by_label("Name")).to_be_focused()


def test_names_are_text_never_markup(open_page, photos):
    page = open_page()
    name = "<img src=x onerror=alert(1)>"
    enroll(page, name, photos / "obama.jpg")
    expect(page.get_by_role("heading", name=f"{name} is enrolled")).to_be_visible()
    go(page, "Identify")
    give(page, "Photo", photos / "obama2.jpg")
    expect(page.locator(".answers strong")).to_have_text(name)


def test_a_late_server_never_takes_away_what_is_typed(open_page):
    page = open_page()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    held: list[Route] = []
    page.route("**/v1/galleries", lambda route: held.append(route))
    with page.expect_request("**/v1/galleries"):
        page.reload()
    page.get_by_role("navigation").get_by_role("link", name="Enroll").click()
    expect(page.locator("[data-part=enroll]")).to_be_attached()
    for route in held:
        route.continue_()
    expect(page.locator("[data-part=enroll] h1")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("Ada")
    page.evaluate("fetch('v1/policy').then((answer) => answer.text())")  # a round trip: time for anything late
    expect(page.get_by_label("Name")).to_have_value("Ada")


def test_by_keyboard_alone(open_page, photos):
    page = open_page()
    # Keys overtake Playwright's order to catch the chooser while the page computes; so it is given long before Enter is pressed.
    page.on("filechooser", lambda _: None)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    for _ in range(5):  # the name, and four parts
        page.keyboard.press("Tab")
    expect(page.get_by_role("navigation").get_by_role("link", name="Enroll")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[data-part=enroll] h1")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("Ada")
    expect(page.get_by_label("Name")).to_have_value("Ada")
    page.keyboard.press("Tab")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(str(photos / "astronaut.png"))
    expect(page.locator(".thumbs li")).to_have_count(1)
    page.get_by_label("Name").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ada is enrolled")).to_be_visible()
    go(page, "People")
    page.get_by_role("link", name="Ada").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Forget").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Forget")).to_be_focused()


def test_on_a_phone_what_to_do_is_in_sight_and_the_choice_comes_before_the_button(open_page):
    page = open_page(PHONE, part="#presence")
    part = page.locator("[data-part=presence]")
    for shown in (part.locator(".drawing"), part.locator(".words"), part.get_by_role("button", name="Begin")):
        expect(shown).to_be_in_viewport(ratio=1)
    order = part.locator("input, button").evaluate_all("(all) => all.map((one) => one.type)")
    assert order == ["checkbox", "button"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_edge_of_a_field_is_seen(open_page, scheme):
    """3:1 beside what is around it (WCAG 2.2, 1.4.11), by WCAG's own formula."""
    page = open_page(scheme=scheme, part="#enroll")
    edge, inside = page.get_by_label("Name").evaluate(
        "(field) => [getComputedStyle(field).borderTopColor, getComputedStyle(field).backgroundColor]"
    )
    light, dark = sorted((luminance(edge), luminance(inside)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3


def luminance(colour: str) -> float:
    """Relative luminance of ``rgb(r, g, b)``."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("size", [PHONE, SMALL], ids=["390", "320"])
def test_every_part_is_in_sight_on_a_phone(open_page, size):
    page = open_page(size, part="#about")
    links = page.get_by_role("navigation").get_by_role("link")
    assert links.count() == 7
    for link in links.all():
        expect(link).to_be_in_viewport(ratio=1)
        assert link.evaluate("(link) => link.scrollWidth <= link.clientWidth"), "its word is cut"
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()


def test_opening_a_report_leaves_the_keyboard_where_it_is(open_page, tmp_path):
    page = open_page(SMALL, part="#about")
    report = tmp_path / "lfw.json"
    report.write_text(json.dumps({"accuracy": 0.9915}))
    chosen = page.get_by_label("Open a file")
    chosen.focus()
    chosen.set_input_files(str(report))
    heading = page.get_by_role("heading", name="lfw.json")
    expect(heading).to_be_in_viewport()
    page.keyboard.press("Shift+Tab")
    before = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Tab")
    expect(chosen).to_be_focused()
    assert "lfw.json" not in before


def test_dark_and_light_are_remembered(open_page):
    page = open_page()
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("button", name="Dark or light").click()
    dark = page.evaluate(paper)
    assert dark != light
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate(paper) == dark


def test_a_key_is_asked_for_and_kept_in_the_tab_only(browser, program, tmp_path):
    key, _ = KeyFile(tmp_path / "keys.json").add("identify")
    service = program("--keys", str(tmp_path / "keys.json"))
    context = browser.new_context()
    page = context.new_page()
    page.goto(service.url)
    expect(page.get_by_role("dialog", name="API key")).to_be_visible()
    no_serious_issue(page)
    page.get_by_label("Key", exact=True).fill("sf_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="API key")).to_be_visible()
    page.get_by_label("Key", exact=True).fill(key)
    page.get_by_role("button", name="Use this key").click()
    expect(page.get_by_role("heading", name="Same person?")).to_be_visible()
    assert page.evaluate("JSON.stringify({...localStorage})").find(key) == -1
    assert context.cookies() == []
    go(page, "People")
    expect(page.get_by_text("Nobody is enrolled yet.")).to_be_visible()
    expect(page.get_by_role("button", name="New gallery")).to_have_count(0)
    context.close()


def test_a_report_is_shown(open_page, tmp_path):
    page = open_page()
    go(page, "About")
    report = tmp_path / "lfw.json"
    report.write_text(json.dumps({"accuracy": 0.9915, "folds": [{"fold": 1, "accuracy": 0.99}], "name": "<b>LFW</b>"}))
    page.get_by_label("Open a file").set_input_files(str(report))
    expect(page.get_by_role("heading", name="lfw.json")).to_be_visible()
    expect(page.get_by_text("0.9915")).to_be_visible()
    expect(page.get_by_text("<b>LFW</b>")).to_be_visible()
    no_serious_issue(page)


@pytest.fixture(scope="module")
def film(tmp_path_factory, photos) -> Path:
    """A camera for Chromium: one shipped portrait, held still."""
    import cv2

    picture = cv2.imread(str(photos / "obama.jpg"))
    frame = cv2.resize(picture[:700, 150:850], (640, 480))
    path = tmp_path_factory.mktemp("film") / "film.y4m"
    planes = cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).tobytes()
    path.write_bytes(b"YUV4MPEG2 W640 H480 F5:1 Ip A1:1 C420jpeg\n" + (b"FRAME\n" + planes) * 5)
    return path


def press_by_keyboard(page: Page, name: str) -> None:
    """Tab from where the focus is to a button, and press it."""
    button = page.get_by_role("button", name=name)
    expect(button).to_be_visible()
    for _ in range(20):
        page.keyboard.press("Tab")
        if button.evaluate("(element) => element === document.activeElement"):
            page.keyboard.press("Enter")
            return
    pytest.fail(f"no way to {name!r} by Tab")


def test_the_camera(playwright, kept_program, photos, film):
    service = kept_program
    service.empty()
    flags = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )
    browser = launch(playwright, *flags)
    page = browser.new_context(viewport=DESK, permissions=["camera"]).new_page()
    page.set_default_timeout(60_000)
    page.goto(service.url)
    enroll(page, "Barack", photos / "obama2.jpg")
    expect(page.get_by_role("heading", name="Barack is enrolled")).to_be_visible()
    go(page, "Live")
    press_by_keyboard(page, "Start the camera")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_focused()
    expect(page.locator(".face.named b").first).to_have_text("Barack", timeout=60_000)
    expect(page.locator("li[data-name=Barack]")).to_be_visible()
    no_serious_issue(page)
    page.keyboard.press("Enter")
    expect(page.locator(".face")).to_have_count(0)
    expect(page.get_by_role("button", name="Start the camera")).to_be_focused()
    go(page, "Presence")
    press_by_keyboard(page, "Begin")
    expect(page.locator(".words .chip")).to_have_text("Not shown", timeout=60_000)  # a portrait held still is nobody
    no_serious_issue(page)
    go(page, "Identify")
    page.get_by_role("button", name="Use camera").click()
    page.get_by_role("button", name="Take photo").click()
    expect(page.locator(".answers strong")).to_have_text("Barack", timeout=60_000)
    browser.close()


@pytest.fixture(scope="module")
def video(tmp_path_factory, photos) -> Path:
    """Ten seconds of one shipped portrait, in a format that browsers play."""
    import cv2

    frame = cv2.resize(cv2.imread(str(photos / "obama.jpg"))[:700, 150:850], (640, 480))
    path = tmp_path_factory.mktemp("video") / "door.webm"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"VP80"), 10, (640, 480))
    for _ in range(100):
        writer.write(frame)
    writer.release()
    return path


def test_a_video_file(open_page, photos, video, tmp_path):
    page = open_page()
    enroll(page, "Barack", photos / "obama2.jpg")
    expect(page.get_by_role("heading", name="Barack is enrolled")).to_be_visible()
    go(page, "Live")
    page.get_by_label("Video file").set_input_files(str(video))
    expect(page.locator("li[data-name=Barack]")).to_be_visible()
    expect(page.get_by_role("button", name="Start the camera")).to_be_visible()  # the video has ended
    expect(page.locator(".face")).to_have_count(0)
    broken = tmp_path / "broken.webm"
    broken.write_bytes(b"no video")
    page.get_by_label("Video file").set_input_files(str(broken))
    expect(page.get_by_text("this browser cannot play that video")).to_be_visible()
    no_serious_issue(page)


def test_scale_arithmetic():
    """The page's own interpolation of quantiles, run by Node, against the definition by hand."""
    node = shutil.which("node")
    if node is None:
        lacking("Node", "apt-get install nodejs")
    module = Path(__file__).parents[2] / "src/sameface/service/page/js/scale.js"
    code = (
        f"const {{ shareUnder }} = await import({json.dumps(module.as_uri())});"
        "console.log(JSON.stringify([-1, 0, 0.5, 1, 2, 3, 4].map((x) => shareUnder(x, [0, 0.5, 1], [0, 1, 3]))))"
    )
    done = subprocess.run([node, "--input-type=module", "-e", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [0, 0, 0.25, 0.5, 0.75, 1, 1]
