"""What lies where an output goes is kept, unless it is said; what is read is never written. Said before any work."""

from __future__ import annotations

from pathlib import Path

import pytest

from sameface.cli.overwriting import new_file, new_folder
from sameface.errors import OutputError
from tests.cli.conftest import Run
from tests.privileges import permissions_hold

KEPT = b"kept"


@pytest.fixture
def there(tmp_path: Path) -> Path:
    path = tmp_path / "there.jpg"
    path.write_bytes(KEPT)
    return path


@pytest.mark.parametrize(
    "words",
    [
        ["identify", "{photo}", "--annotate", "{there}"],
        ["watch", "{photo}", "-o", "{there}"],
        ["evaluate", "{folder}", "--report", "{there}"],
        ["calibrate", "{folder}", "-o", "{there}"],
        ["cluster", "{folder}", "--html", "{there}"],
        ["cluster", "{folder}", "--csv", "{there}"],
        ["gallery", "export", "{there}"],
        ["train", "{folder}", "-o", "{there}"],
    ],
)
def test_every_command_that_writes(run: Run, photos: Path, there: Path, tmp_path: Path, words: list[str]) -> None:
    names = {"{photo}": photos / "obama.jpg", "{folder}": photos, "{there}": there}
    done = run(*(names.get(word, word) for word in words), "--json")
    assert done.json["error"]["type"] == "urn:sameface:output"
    assert done.code == 12
    assert there.read_bytes() == KEPT
    assert "Traceback" not in done.err


def test_a_photo_is_not_annotated_onto_itself(run: Run, photos: Path, tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes((photos / "obama.jpg").read_bytes())
    link = tmp_path / "link.jpg"
    link.symlink_to(photo)
    run("enroll", "Obama", photos / "obama2.jpg")
    for output in (photo, link, "a.jpg", "./a.jpg"):
        assert run("identify", photo, "--annotate", output, "--overwrite").code == 12
    assert photo.read_bytes() == (photos / "obama.jpg").read_bytes()


def test_overwrite_replaces(run: Run, photos: Path, there: Path) -> None:
    run("enroll", "Obama", photos / "obama2.jpg")
    assert run("identify", photos / "obama.jpg", "--annotate", there, "--overwrite").code == 0
    assert there.read_bytes()[:2] == b"\xff\xd8"  # and a .jpg is a JPEG


def test_the_kind_of_picture_is_known_before_the_work(run: Run, photos: Path, tmp_path: Path) -> None:
    done = run("identify", photos / "obama.jpg", "--annotate", tmp_path / "a.gif")
    assert done.code == 2
    assert ".jpg" in done.err


def test_places_that_cannot_be_written(tmp_path: Path, there: Path) -> None:
    for place in (tmp_path, there / "below", there / "far" / "below", Path("/dev/null")):
        with pytest.raises(OutputError):
            new_file(place, overwrite=True)
    assert new_file(tmp_path / "new" / "file", overwrite=False) == tmp_path / "new" / "file"
    with pytest.raises(OutputError, match="--overwrite"):
        new_folder(tmp_path, overwrite=False)
    assert new_folder(tmp_path, overwrite=True) == tmp_path
    with pytest.raises(OutputError):
        new_folder(there, overwrite=True)


def test_no_permission(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with permissions_hold(), pytest.raises(OutputError, match="permission"):
        new_file(tmp_path / "locked" / "a", overwrite=False)
