"""Every address of the service that a message, a page or a manifest names is in the OpenAPI document, with its method."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.service.documented import DOCUMENT

ROOT = Path(__file__).parents[2]
WHERE = [
    *sorted(ROOT.glob("src/sameface/**/*.py")),
    *sorted(ROOT.glob("src/sameface/service/page/**/*.html")),
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("deploy/**/*.y*ml")),
    ROOT / "README.md",
]
#: A method where one is named, and the address up to what ends it in prose, code or a shell.
NAMED = re.compile(
    r"(?:\b(GET|POST|PUT|PATCH|DELETE) )?(?:https?://[\w.]+(?::\d+)?|localhost:\d+)?(/v1/[\w/{}$.-]*\w\}?)"
)
SHORTENED = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) …(/[\w/{}-]*[\w}])")
#: Of the document itself, and of other programs.
OTHERS = {"/v1/openapi.json", "/v1/traces"}
PATHS = {path: {method.upper() for method in methods} for path, methods in DOCUMENT["paths"].items()}


def fits(address: str, path: str) -> bool:
    """Whether an address is one of a path: names stand for names, whatever they are called."""
    parts = [r"[\w{}$-]+" if part.startswith("{") else re.escape(part) for part in path.split("/")]
    return re.fullmatch("/".join(parts), address) is not None


def asked(line: str, match: re.Match[str]) -> str | None:
    """The method: as it is named, or as curl takes it from its options; None where the line says nothing of it."""
    command = line[: match.start()].rpartition("curl ")
    if match[1] or not command[1]:
        return match[1]
    options = command[2] + re.split(r"[|;)]", line[match.start() :])[0]
    said = re.search(r"-X (\w+)", options)
    return said[1] if said else "POST" if re.search(r" (-F|-d|--data\S*) ", options) else "GET"


def named() -> list[tuple[str, str | None, str]]:
    found = []
    for file in WHERE:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            place = f"{file.relative_to(ROOT)}:{number}"
            found += [(place, asked(line, match), match[2]) for match in NAMED.finditer(line)]
            found += [(place, match[1], "…" + match[2]) for match in SHORTENED.finditer(line)]
    return [item for item in found if item[2] not in OTHERS]


def is_there(method: str | None, address: str) -> bool:
    for path, methods in PATHS.items():
        if address.startswith("…"):
            start = len(path.split("/")) - len(address.split("/")) + 1
            there = start > 0 and fits(address[1:], "/" + "/".join(path.split("/")[start:]))
        else:
            there = fits(address, path)
        if there and (method is None or method in methods):
            return True
    return False


def test_every_address_that_is_named_is_there() -> None:
    found = named()
    assert len(found) > 40
    assert [item for item in found if not is_there(*item[1:])] == []


@pytest.mark.parametrize(
    ("method", "address", "there"),
    [
        ("POST", "/v1/galleries", True),
        ("PUT", "/v1/galleries/NAME", False),
        ("GET", "/v1/galleries/people/people/$id", True),
        ("POST", "…/jobs/ID/missing", True),
        ("GET", "…/jobs/ID/missing", False),
        (None, "/v1/nowhere", False),
    ],
)
def test_an_address_that_is_not_there_is_found(method: str | None, address: str, there: bool) -> None:
    assert is_there(method, address) is there


def test_who_asks_for_a_missing_gallery_is_told_what_makes_one(serve) -> None:
    client = serve()
    told = client.get("/v1/galleries/team").json()
    method, address, field = re.search(
        r"makes one by `(\w+) (\S+)` with the form field `(\w+)`", told["detail"]
    ).groups()
    assert client.request(method, address, files={field: (None, "team")}).status_code == 201
    assert client.get("/v1/galleries/team").status_code == 200
