"""Every error class has its exit code and HTTP status, a builtin base, and a message in three parts."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from sameface import errors
from sameface.errors import OUTCOMES, SamefaceError


def all_classes(root: type[SamefaceError] = SamefaceError) -> list[type[SamefaceError]]:
    return [root, *(found for child in root.__subclasses__() for found in all_classes(child))]


def defined_here() -> list[type[SamefaceError]]:
    return [kind for kind in all_classes() if kind.__module__ == errors.__name__]


def test_no_class_is_missing_from_the_table() -> None:
    assert set(OUTCOMES) == set(defined_here())


def test_every_class_of_the_package_is_in_the_one_file() -> None:
    elsewhere = {kind for kind in all_classes() if kind.__module__.startswith("sameface.")} - set(defined_here())
    assert elsewhere == set()


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    def drawn(kind: type[SamefaceError], depth: int) -> list[str]:
        fits = [base.__name__ for base in kind.__bases__ if base.__module__ == "builtins" and base is not Exception]
        line = "    " * (depth + 1) + kind.__name__ + (f" ({', '.join(fits)})" if fits else "")
        below = [child for child in kind.__subclasses__() if child.__module__ == errors.__name__]
        return [line, *(line for child in below for line in drawn(child, depth + 1))]

    text = (errors.__doc__ or "").partition("::\n\n")[2]
    assert text.rstrip().splitlines() == drawn(SamefaceError, 0)


@pytest.mark.parametrize("kind", defined_here())
def test_three_parts(kind: type[SamefaceError]) -> None:
    error = kind(expected="a thing", got="another", advice="do this.")
    assert str(error) == "expected a thing; got another. Do this."
    assert (error.expected, error.got, error.advice) == ("a thing", "another", "do this.")


@pytest.mark.parametrize("kind", defined_here())
def test_errors_cross_processes_whole(kind: type[SamefaceError]) -> None:
    error = kind(expected="a thing", got="another", advice="do this.")
    error.retry_after = 3  # type: ignore[attr-defined]
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.retry_after) == (kind, str(error), 3)


@pytest.mark.parametrize("kind", defined_here())
def test_codes_are_in_range(kind: type[SamefaceError]) -> None:
    outcome = OUTCOMES[kind]
    assert outcome.exit_code >= 2  # 0 and 1 are answers
    assert 400 <= outcome.http_status < 600


def test_builtins_fit() -> None:
    assert issubclass(errors.ImageNotFoundError, FileNotFoundError)
    assert issubclass(errors.NoFaceError, ValueError)
    assert issubclass(errors.PersonNotFoundError, LookupError)
    assert issubclass(errors.ExtraMissingError, ImportError)
    assert issubclass(errors.GalleryUnavailableError, ConnectionError)


def test_no_message_shows_a_password() -> None:
    error = SamefaceError(
        expected="a file", got="'rtsp://me:s3cret@camera/1', where there is none", advice="see postgresql://a:b@c/d"
    )
    assert "s3cret" not in str(error) + error.got
    assert "rtsp://me:…@camera/1" in error.got
    assert "://a:…@c/d" in error.advice
    assert "s3cret" not in str(SamefaceError(expected=str(Path("rtsp://me:s3cret@camera")), got="", advice=""))
    assert SamefaceError(expected="http://a/b:c@d", got="a:b@c", advice="").got == "a:b@c"  # no password
