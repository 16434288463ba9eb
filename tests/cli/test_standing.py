"""Where a face stands, said at the shell in the same words everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageFilter

from tests.cli.conftest import Run


@pytest.fixture
def blurred(photos: Path, tmp_path: Path) -> Path:
    path = tmp_path / "album" / "blurred.png"
    path.parent.mkdir()
    with Image.open(photos / "biden.jpg") as picture:
        picture.reduce(2).filter(ImageFilter.GaussianBlur(12)).save(path)
    return path


def test_a_face_that_is_not_comparable(run: Run, photos: Path, blurred: Path) -> None:
    refused = run("verify", photos / "biden.jpg", blurred)
    assert refused.code == 4
    assert "not comparable" in refused.err
    forced = run("verify", photos / "biden.jpg", blurred, "--force")
    assert "standing     a face that is not comparable: any answer is a guess" in forced.out
    assert run("enroll", "Joe", photos / "biden.jpg").code == 0
    named = run("identify", blurred)
    assert named.code == 1
    assert "a face that is not comparable" in named.err
    (photo,) = run("identify", blurred, "--json").json
    (face,) = photo["faces"]
    assert (face["name"], face["standing"]) == (None, "outside")
    assert face["standing_reason"]


def test_an_album_leaves_it_alone(run: Run, photos: Path, blurred: Path) -> None:
    for name in ("biden.jpg", "obama.jpg"):
        (blurred.parent / name).write_bytes((photos / name).read_bytes())
    album = run("cluster", blurred.parent, "--json")
    standings = {face["photo"]: face["standing"] for group in album.json["groups"] for face in group["faces"]}
    assert standings == {"biden.jpg": "usual", "obama.jpg": "usual", "blurred.png": "outside"}
    assert len(album.json["groups"]) == 3
    assert "1 face not comparable: each is a group of its own" in album.err


def test_a_pair_without_a_domain_says_so(run: Run, photos: Path) -> None:
    done = run("verify", photos / "obama.jpg", photos / "obama2.jpg", "-e", "dlib-resnet-mirror-unit", "-d", "mtcnn")
    assert done.code == 0
    assert "not known whether the threshold holds for this face" in done.out
