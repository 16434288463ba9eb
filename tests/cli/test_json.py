"""With --json, standard output holds one JSON document: the answer, or what went wrong."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import typer

from sameface import errors
from sameface.cli.app import app
from tests.cli.calls import leaves
from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["verify", "no.jpg", "no.jpg"], errors.ImageNotFoundError),
        (["verify", "no.jpg"], errors.SettingError),
        (["verify", "a", "b", "--threshold", "nan"], errors.SettingError),
        (["verify", "a", "b", "--no-such-option"], errors.SettingError),
        (["verify", "a", "b", "--threshold", "many"], errors.SettingError),
        (["verify", "a", "b", "--encoder", "no-such"], errors.UnknownModelError),
        (["people"], errors.GalleryMissingError),
        (["people", "nonsense"], errors.SettingError),
        (["forget"], errors.SettingError),
        (["no-such-command"], errors.SettingError),
        (["identify", "no.jpg"], errors.GalleryMissingError),
        (["enroll", "Ada", "no.jpg"], errors.ImageNotFoundError),
        (["enroll", "", "no.jpg"], errors.PersonNameError),
        (["gallery", "check"], errors.GalleryMissingError),
        (["train", "nowhere"], errors.DataError),
    ],
)
def test_errors_are_documents_too(run: Run, words: list[str], kind: type[errors.SamefaceError]) -> None:
    done = run(*words, "--json")
    found = done.json["error"]
    assert found["type"] == f"urn:sameface:{errors.kind_of(kind)}"
    assert done.code == errors.OUTCOMES[kind].exit_code
    assert found["expected"]
    assert found["got"]
    assert found["advice"]
    assert found["detail"] in done.err  # people read the same
    assert "Traceback" not in done.err


def test_a_name_like_the_option_is_a_name(run: Run) -> None:
    done = run("forget", "--", "--json")
    assert done.code == errors.OUTCOMES[errors.GalleryMissingError].exit_code
    assert done.out == ""


def test_every_command_knows_the_option() -> None:
    without = {
        " ".join(words)
        for words, command in leaves(typer.main.get_command(app))
        if "--json" not in [option for parameter in command.params for option in parameter.opts]
    }
    assert not without


def test_a_file_name_that_is_not_unicode(run: Run, photos: Path, tmp_path: Path) -> None:
    odd = tmp_path / "caf\udce9.jpg"
    odd.write_bytes((photos / "obama.jpg").read_bytes())
    assert run("verify", odd, photos / "obama2.jpg", "--json").json["same"] is True
    missing = run("verify", tmp_path / "no\udce9.jpg", odd, "--json")
    assert missing.code == 3
    assert "no\\" in missing.json["error"]["got"]
    assert run("enroll", "Obama", odd).code == 0
    assert run("identify", odd).code == 0
    assert run("identify", odd, "--json").json[0]["photo"].endswith("caf\\xe9.jpg")


def test_usage_errors_show_no_password(run: Run) -> None:
    for words in (
        ["keys", "rtsp://me:s3cret@camera", "list"],
        ["rtsp://me:s3cret@camera"],
        ["verify", "--rtsp://a:s3cret@b"],
    ):
        for more in ([], ["--json"]):
            done = run(*words, *more)
            assert done.code == 2
            assert "s3cret" not in done.out + done.err


def test_where_the_gallery_is_shows_no_password(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEFACE_GALLERY", "postgresql://me:s3cret@127.0.0.1:1/faces")
    for words in (["people"], ["identify", "a.jpg"], ["doctor", "--json"], ["gallery", "stats", "--json"]):
        done = run(*words)
        assert "s3cret" not in done.out + done.err
    assert "postgresql://me:…@127.0.0.1:1/faces" in run("people").err


def test_a_question_that_nobody_answers(run: Run, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(io.StringIO):
        def isatty(self) -> bool:
            return True

    run("enroll", "Ada", photos / "astronaut.png")
    for more in ([], ["--json"]):
        monkeypatch.setattr("sys.stdin", Silent(""))
        assert run("forget", "Ada", *more).code == 1
    assert run("people", "--json").json["total"] == 1
