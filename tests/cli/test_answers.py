"""Every command's --json beside what the library says of the same question."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from sameface import Gallery, Recognizer
from sameface.gallery import open_store
from sameface.indexing.album_file import load_album
from sameface.models.operating_points import load_operating_point
from sameface.models.registry import cards, load_card
from tests.cli.conftest import Run


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer()


@pytest.fixture(scope="module")
def three(recognizer: Recognizer, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a gallery of three."""
    folder = tmp_path_factory.mktemp("three")
    with Gallery(folder / "people.db", recognizer=recognizer) as people:
        for name, photo in {"Obama": "obama.jpg", "Collins": "astronaut.png", "Hopper": "grace_hopper.jpg"}.items():
            people.enroll(name, photos / photo, groups=["all"])
    return folder


@pytest.fixture
def enrolled(three: Path, tmp_path: Path) -> Path:
    """A copy of it, in the folder where the shell is."""
    shutil.copytree(three, tmp_path, dirs_exist_ok=True)
    return tmp_path / "people.db"


def plain(value: object) -> object:
    """As JSON gives it back."""
    return json.loads(json.dumps(value))


def close(a: object, b: object) -> bool:
    """Equal, numbers to a millionth: networks may run in another batch."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(close(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(close(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, float) and isinstance(b, float):
        return a == pytest.approx(b, abs=1e-6)
    return a == b


def test_verify(run: Run, recognizer: Recognizer, photos: Path) -> None:
    a, b = str(photos / "obama.jpg"), str(photos / "biden.jpg")
    assert close(run("verify", a, b, "--json").json, recognizer.verify(a, b).to_dict())


def test_a_claim(run: Run, enrolled: Path, photos: Path) -> None:
    done = run("verify", "--as", "Obama", photos / "obama2.jpg", "--json")
    with Gallery(enrolled) as people:
        assert close(done.json, people.verify("Obama", photos / "obama2.jpg").to_dict())


def test_identify(run: Run, enrolled: Path, photos: Path) -> None:
    probes = [str(photos / name) for name in ("obama3.jpg", "biden.jpg")]
    done = run("identify", *probes, "--candidates", "2", "--fpir", "0.05", "--json")
    with Gallery(enrolled) as people:
        asked = [[face.to_dict() for face in people.identify(p, candidates=2, fpir=0.05)] for p in probes]
    assert [item["photo"] for item in done.json] == probes
    assert close([item["faces"] for item in done.json], asked)


def test_enroll(run: Run, photos: Path, tmp_path: Path) -> None:
    files = [str(photos / name) for name in ("obama.jpg", "obama2.jpg")]
    [shell] = run("enroll", "Obama", *files, "--detail", "role=president", "--json").json
    with Gallery(tmp_path / "other.db") as people:
        library = people.enroll("Obama", files, details={"role": "president"}).to_dict()
    for answer in (shell, library):  # ids and times are of each gallery
        answer["person"].pop("person_id")  # type: ignore[attr-defined]
        answer["person"].pop("created")  # type: ignore[attr-defined]
    assert close(shell, library)


def test_people_and_what_changes_them(run: Run, enrolled: Path) -> None:
    with Gallery(enrolled) as people:
        listed = [{**plain(vars_of(person))} for person in people.people()]  # type: ignore[dict-item]
    assert run("people", "--json").json == {"people": listed, "total": 3, "next": None}
    assert run("people", "--group", "all", "--json").json["total"] == 3
    renamed = run("people", "rename", "Hopper", "Grace Hopper", "--json").json
    assert renamed == {**listed[2], "name": "Grace Hopper"}
    again = run("people", "--gallery", enrolled, "--json", "rename", "Grace Hopper", "Grace Hopper")
    assert again.json == renamed  # options count before the command's name too
    elsewhere = run("people", "--gallery", "elsewhere.db", "--json", "rename", "Grace Hopper", "Hopper")
    assert elsewhere.json["error"]["type"] == "urn:sameface:gallery-missing"
    merged = run("people", "merge", "Obama", "Collins", "--json").json
    assert (merged["person_id"], merged["photos"]) == (listed[0]["person_id"], 2)
    erased = run("forget", "Obama", "--json").json["Obama"]
    assert (erased["person_id"], erased["templates"]) == (listed[0]["person_id"], 2)
    with Gallery(enrolled) as people:
        assert [person.name for person in people.people()] == ["Grace Hopper"]


def vars_of(value: object) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__slots__}  # type: ignore[attr-defined]


def test_gallery(run: Run, enrolled: Path, tmp_path: Path) -> None:
    with open_store(enrolled, create=False) as store:
        space, stats = store.space, store.stats()
    shown = run("gallery", "stats", "--json").json
    assert (shown["people"], shown["templates"], shown["groups"]) == (stats.people, stats.templates, {"all": 3})
    assert shown["space"] == vars_of(space)
    assert run("gallery", "check", "--json").json["problems"] == []
    copied = run("gallery", "copy", enrolled, tmp_path / "copy.db", "--json").json
    assert (copied["people"], copied["templates"]) == (3, 3)
    exported = run("gallery", "export", tmp_path / "all.npz", "--json").json
    assert exported == {"file": str(tmp_path / "all.npz"), "templates": 3}
    imported = run("gallery", "import", tmp_path / "all.npz", "--gallery", tmp_path / "again.db", "--json").json
    assert imported == {"people": 3, "templates": 3}
    for name in ("copy.db", "again.db"):
        with open_store(tmp_path / name, create=False) as other, open_store(enrolled, create=False) as first:
            assert other.people() == first.people()
    assert run("gallery", "reindex", "--json").json == {"people": 3, "templates": 3}
    assert run("gallery", "compact", "--json").json["bytes"] >= 0
    assert [entry["action"] for entry in run("gallery", "audit", "-n", "2", "--json").json] == ["add", "add"]
    assert len(bytes.fromhex(run("gallery", "key", "--json").json["key"])) == 32


def test_a_gallery_is_encoded_again(run: Run, photos: Path, tmp_path: Path) -> None:
    """The embeddings of another encoder take the place of the first's: those that it gives by itself."""
    assert run("enroll", "Obama", photos / "obama.jpg", "--encoder", "dlib-resnet").code == 0
    done = run("gallery", "reencode", "--encoder", "dlib-resnet-mirror-unit", "--json").json
    assert (done["templates"], done["dropped"], done["space"]["encoder"]) == (1, 0, "dlib-resnet-mirror-unit")
    alone = Recognizer(encoder="dlib-resnet-mirror-unit").encode_photo(photos / "obama.jpg").embedding
    with open_store(tmp_path / "people.db", create=False) as store:
        [stored] = store.templates_of(store.person("Obama"))
        assert stored.template.embedding == pytest.approx(alone, abs=1e-5)


def test_models(run: Run) -> None:
    listed = run("models", "list", "--json").json
    assert {item["id"] for item in listed} == {card.id for card in cards()}
    shown = run("models", "show", "pixels", "--json").json
    assert shown["licence"] == load_card("pixels").licence


def test_cluster(run: Run, recognizer: Recognizer, photos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "album"
    folder.mkdir()
    for name in ("obama.jpg", "obama2.jpg", "biden.jpg"):
        (folder / name).symlink_to(photos / name)
    found = run("cluster", folder, "--json").json
    assert (found["photos"], found["faces"]) == (3, 3)
    together = [sorted(face["photo"] for face in group["faces"]) for group in found["groups"]]
    assert sorted(together) == [["biden.jpg"], ["obama.jpg", "obama2.jpg"]]
    boxes = {face["photo"]: face["box"] for group in found["groups"] for face in group["faces"]}
    box = recognizer.encode_photo(photos / "biden.jpg").box
    assert list(boxes["biden.jpg"].values()) == pytest.approx(box.xyxy, abs=0.01)
    [pair] = [group["group"] for group in found["groups"] if len(group["faces"]) == 2]
    [single] = [group["group"] for group in found["groups"] if len(group["faces"]) == 1]
    assert run("cluster", folder, "name", pair, "Barack", "--json").json == {
        "group": pair,
        "name": "Barack",
        "faces": 2,
    }
    assert run("cluster", folder, "merge", pair, single, "--json").json["faces"] == 3
    one = next(face["face"] for group in found["groups"] for face in group["faces"] if face["photo"] == "biden.jpg")
    decided = {"format": "sameface album changes 1", "apart": [[one]], "named": [{"name": "Joe", "faces": [one, 99]}]}
    (tmp_path / "album-changes.json").write_text(json.dumps(decided))
    assert run("cluster", folder, "apply", tmp_path / "album-changes.json", "--json").json == {
        "named": 1,
        "apart": 1,
        "gone": 1,
    }
    assert run("cluster", folder, "merge", "Barack", "Joe", "--json").json == {
        "group": pair,
        "name": "Barack",
        "faces": 3,
    }
    apart = run("cluster", folder, "split", pair, one, "--json").json
    assert (apart["name"], apart["faces"]) == (None, 1)
    album = load_album(folder / ".sameface-album.json")
    assert album is not None
    assert {number: len(faces) for number, faces in album.groups().items()} == {pair: 2, apart["group"]: 1}


def test_evaluate_and_calibrate(run: Run, photos: Path, tmp_path: Path) -> None:
    """On a handful of photos: what is counted can be counted by hand, and too few pairs support no threshold."""
    for name in ("obama.jpg", "biden.jpg", "grace_hopper.jpg", "astronaut.png"):
        person = tmp_path / "data" / Path(name).stem
        person.mkdir(parents=True)
        with Image.open(photos / name) as picture:
            small = picture.convert("RGB")
            small.thumbnail((400, 400))
            small.save(person / "a.png")
            ImageOps.mirror(small).save(person / "b.png")
    found = run("evaluate", tmp_path / "data", "--no-cache", "--json").json
    assert (found["data"]["photos"], found["data"]["people"]) == (8, 4)
    [one] = found["runs"]
    assert (one["verification"]["mated_pairs"], one["verification"]["non_mated_pairs"]) == (4, 24)
    refused = run("calibrate", tmp_path / "data", "--no-cache", "--json")
    assert refused.code == 8
    assert refused.json["error"]["type"] == "urn:sameface:not-enough-data"
    assert not list(tmp_path.glob("*.json"))


def test_an_operating_point_of_a_file_decides(run: Run, recognizer: Recognizer, photos: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    from sameface.models.operating_points import save_operating_point

    mine = replace(recognizer.operating_point, threshold=0.1, target="mine")
    save_operating_point(mine, tmp_path / "mine.json")
    done = run(
        "verify", photos / "obama.jpg", photos / "obama2.jpg", "--operating-point", tmp_path / "mine.json", "--json"
    )
    assert (done.code, done.json["threshold"], done.json["operating_point"]["target"]) == (1, 0.1, "mine")
    assert load_operating_point(tmp_path / "mine.json") == mine
    both = run("verify", "a", "b", "-t", "0.3", "--operating-point", tmp_path / "mine.json", "--json")
    assert both.code == 2


def test_doctor_says_what_the_parts_say(run: Run, recognizer: Recognizer) -> None:
    checks = {item["subject"]: item for item in run("doctor", "--json").json["checks"]}
    assert checks["numpy"]["seen"].startswith(np.__version__)
    assert checks["encoder"]["seen"] == recognizer.card.id
    assert f"τ = {recognizer.operating_point.threshold:.4f}" in checks["threshold"]["seen"]
