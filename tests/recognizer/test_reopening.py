"""A gallery opens again from its file alone, whatever found its faces: in Python, at the shell, in the service."""

from __future__ import annotations

from pathlib import Path

import pytest

from sameface import Gallery, Recognizer
from sameface.faces.detector_spec import DetectorSpec
from tests.cli.conftest import Run, run  # noqa: F401  # the fixture

#: A name, a tuned detector of each kind, and no detector.
IDS = ("yunet", "yunet/t0.5/side320", "scrfd/t0.4", "mtcnn/min40/once", "none")


@pytest.fixture
def models(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEFACE_MODELS", str(data / "models"))


@pytest.fixture(params=IDS)
def gallery(request: pytest.FixtureRequest, models: None, photos: Path, tmp_path: Path) -> tuple[Path, str]:
    path = tmp_path / "galleries" / "people.db"
    path.parent.mkdir()
    made_by = Recognizer(detector=request.param, encoder="pixels", operating_point=0.3)
    with Gallery(path, recognizer=made_by) as people:
        people.enroll("Grace Hopper", photos / "grace_hopper.jpg", review="off")
    return path, DetectorSpec.parse(request.param).id


def test_in_python(gallery: tuple[Path, str], photos: Path) -> None:
    path, detector = gallery
    with Gallery(path) as people:
        assert people.recognizer.space.detector == detector
        face = people.recognizer.encode_photo(photos / "grace_hopper.jpg")
        assert people.store.search(face.embedding)[0][0].distance == pytest.approx(0, abs=1e-5)


def test_at_the_shell(gallery: tuple[Path, str], photos: Path, tmp_path: Path, run: Run) -> None:  # noqa: F811
    path, detector = gallery
    photo = photos / "grace_hopper.jpg"
    found = run("identify", photo, "-g", path, "-t", "0.3", "--json")
    assert found.code == 0, found.err
    assert "Grace Hopper" in found.out
    assert run("verify", "--as", "Grace Hopper", photo, "-g", path, "-t", "0.3").code == 0
    assert run("index", "--like", photo, "-g", path).code == 0
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "photo.png").write_bytes((photos / "astronaut.png").read_bytes())
    assert run("index", tmp_path / "album", "-g", path).code == 0
    with Gallery(path) as people:
        assert (len(people), people.store.space.detector) == (2, detector)


def test_reencoding_at_the_shell_keeps_the_detector(gallery: tuple[Path, str], run: Run) -> None:  # noqa: F811
    path, detector = gallery
    done = run("gallery", "reencode", "--encoder", "pixels", "-g", path)
    assert done.code == 0, done.err
    with Gallery(path) as people:
        assert people.store.space.detector == detector


def test_in_the_service(gallery: tuple[Path, str], photos: Path, tmp_path: Path) -> None:
    from starlette.testclient import TestClient

    from sameface.service.app import create_app
    from sameface.service.settings import Settings

    path, detector = gallery
    settings = Settings(galleries=str(path.parent), threshold=0.3, audit=tmp_path / "audit.jsonl")
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as api:
        assert api.get("/v1/policy").json()["detector"] == detector
        used = {model["id"] for model in api.get("/v1/models").json()["models"] if model["in_use"]}
        assert used == {"pixels", *({DetectorSpec.parse(detector).card} - {""})}
        answer = api.post(
            "/v1/galleries/people/identify", files={"photo": (photos / "grace_hopper.jpg").read_bytes()}
        ).json()
        assert answer["faces"][0]["name"] == "Grace Hopper"
