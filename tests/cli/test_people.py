"""`sameface people` and `forget`, on a gallery without any network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sameface import Gallery
from sameface.gallery import open_store
from sameface.types import EmbeddingSpace, Person, Template, Who
from tests.cli.conftest import Run

SPACE = EmbeddingSpace("test-encoder", "test-detector", "test-alignment")


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    path = tmp_path / "people.db"
    with open_store(path, space=SPACE, dimension=4) as store:
        for number, name in enumerate(("Ada", "Grace", "Mary")):
            store.add(name, [Template(np.eye(4, dtype=np.float32)[number])])
    return path


def test_forget_goes_by_id_from_the_look_up_on(run: Run, gallery: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = Gallery.person

    def and_then_names_change_hands(self: Gallery, who: Who) -> Person:
        person = look_up(self, who)
        self.store.update("Ada", name="Countess")
        self.store.update("Grace", name="Ada")
        return person

    monkeypatch.setattr(Gallery, "person", and_then_names_change_hands)
    assert run("forget", "Ada").code == 0
    with open_store(gallery) as store:
        assert [person.name for person in store.people()] == ["Ada", "Mary"]  # that Ada was Grace before


def test_forget_is_all_or_nobody(run: Run, gallery: Path) -> None:
    assert run("forget", "Ada", "nobody").code == 7
    assert run("forget", "Ada", "Mary", "Ada", "--json").json["Mary"]["templates"] == 1
    assert [person["name"] for person in run("people", "--json").json["people"]] == ["Grace"]


def test_people_are_meant_by_id_where_that_is_asked_for(run: Run, gallery: Path) -> None:
    ids = {person["name"]: person["person_id"] for person in run("people", "--json").json["people"]}
    assert run("people", "rename", "--by-id", ids["Ada"], "Grace Hopper").code == 0
    assert run("people", "merge", "--by-id", ids["Ada"], ids["Mary"]).code == 0
    assert run("forget", "--by-id", ids["Grace"]).code == 0
    assert run("forget", "--by-id", "Grace Hopper").code == 7
    (person,) = run("people", "--json").json["people"]
    assert (person["name"], person["photos"]) == ("Grace Hopper", 2)


def test_an_import_that_fails_makes_no_gallery(run: Run, gallery: Path, tmp_path: Path) -> None:
    assert run("gallery", "export", tmp_path / "people.npz").code == 0
    with np.load(tmp_path / "people.npz") as arrays:
        about = arrays["about"].tobytes().replace(b'"Ada"', b'"A\\n"')
        np.savez(tmp_path / "odd.npz", embeddings=arrays["embeddings"], about=np.frombuffer(about, np.uint8))
    assert run("gallery", "import", tmp_path / "odd.npz", "-g", "new.db").code == 7
    assert [file.name for file in tmp_path.iterdir() if "new.db" in file.name] == []
    assert run("gallery", "import", tmp_path / "people.npz", "-g", "new.db").code == 0
    assert run("gallery", "import", tmp_path / "people.npz", "-g", "new.db").code == 7
    with open_store(tmp_path / "new.db") as store:
        assert len(store) == 3


def test_an_erased_gallery_leaves_nothing(run: Run, gallery: Path, tmp_path: Path) -> None:
    with open_store(gallery) as store:
        vector = store.templates_of("Ada")[0].template.embedding.tobytes()
    assert any(vector in file.read_bytes() for file in tmp_path.iterdir())
    done = run("gallery", "erase", "--json")
    assert (done.code, done.json["people"], done.json["templates"]) == (0, 3, 3)
    assert list(tmp_path.iterdir()) == []
    assert run("gallery", "erase").code == 6


def test_what_is_no_gallery_is_not_erased(run: Run, tmp_path: Path) -> None:
    mine = tmp_path / "people.db"
    mine.write_text("my notes")
    assert run("gallery", "erase").code == 6
    assert mine.read_text() == "my notes"


def test_what_is_kept_of_one_person_goes_into_a_file_or_onto_the_screen(
    run: Run, gallery: Path, tmp_path: Path
) -> None:
    with open_store(gallery) as store:
        ada = store.people()[0]
    shown = run("people", "access", ada.name, "-g", gallery).json
    assert (shown["person"]["person_id"], len(shown["photos"])) == (ada.person_id, ada.photos)
    assert all(photo["embedding"] is None for photo in shown["photos"])
    said = run(
        "people", "access", ada.name, "-g", gallery, "--out", tmp_path / "kept.json", "--embeddings", "--json"
    ).json
    assert (said["file"], said["person"]["person_id"]) == (str(tmp_path / "kept.json"), ada.person_id)
    kept = json.loads((tmp_path / "kept.json").read_text(encoding="utf-8"))
    assert {**kept, "photos": [], "made": "", "audit": []} == {**shown, "photos": [], "made": "", "audit": []}
    assert len(kept["photos"][0]["embedding"]) == kept["dimension"]
    assert len(kept["audit"]) == len(shown["audit"]) + 1  # that it was shown before is kept too
