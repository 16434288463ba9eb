"""Arguments that users of other libraries bring: what is said about each, and that thresholds are taken."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sameface
from sameface import shortcuts
from sameface.errors import SettingError, UnknownArgumentError


@pytest.mark.parametrize(
    ("call", "argument", "advice"),
    [
        (sameface.verify, "model_name", r"sameface\.Recognizer\(encoder=NAME\)"),
        (sameface.verify, "tolerance", "Write threshold=.*0.6 of face_recognition"),
        (sameface.verify, "img1_path", "Write probe="),
        (sameface.verify, "distance_metric", "Euclidean"),
        (sameface.verify, "enforce_detection", "NoFaceError"),
        (sameface.verify, "align", "always aligned"),
        (sameface.verify, "thresold", "Did you mean threshold"),
        (sameface.verify, "nothing_like_it", "Leave it out"),
        (sameface.identify, "db_path", "Write gallery="),
        (sameface.identify, "top_k", "Write candidates="),
        (sameface.embed, "model_name", "Write encoder="),
        (sameface.embed, "detector_backend", r"sameface\.Recognizer\(detector=NAME\)"),
        (sameface.cluster, "tolerance", "Write threshold="),
        (sameface.evaluate, "model_name", "Write encoders="),
        (sameface.train, "epochs", "Write steps="),
        (sameface.Gallery, "tolerance", "Write threshold="),
        (sameface.Gallery, "model_name", r"Recognizer\(encoder=NAME\)"),
        (sameface.Recognizer, "model_name", "Write encoder="),
    ],
)
def test_an_argument_of_another_library_is_answered_with_what_is_meant(
    call: Callable[..., object], argument: str, advice: str
) -> None:
    with pytest.raises(UnknownArgumentError, match=f"got {argument}") as caught:
        call("a.jpg", **{argument: 1}) if call is not sameface.Recognizer else call(**{argument: 1})
    assert isinstance(caught.value, TypeError)  # as Python itself answers
    caught.match(advice)


def test_what_is_advised_is_taken() -> None:
    """An advice `write x=` for a function that takes no x would send people in a circle."""
    from sameface.arguments import _ADVICE, _OTHER_NAMES, _advice

    for name in shortcuts.__dict__:
        function = getattr(shortcuts, name)
        if not callable(function) or name not in sameface.__all__ or inspect.isclass(function):
            continue
        takes = list(inspect.signature(function).parameters)
        for other in {each for names in _OTHER_NAMES.values() for each in names} | set(_ADVICE):
            advice = _advice(other, takes)
            if advice.startswith("write "):
                assert advice.removeprefix("write ").partition("=")[0] in takes


def test_methods_of_a_gallery_answer_too(tmp_path: Path) -> None:
    with sameface.Gallery(tmp_path / "people.db") as people:
        with pytest.raises(UnknownArgumentError, match=r"Gallery\(…, threshold=0\.9\)"):
            people.identify("a.jpg", threshold=0.5)  # type: ignore[call-arg]
        with pytest.raises(UnknownArgumentError, match="Write photos="):
            people.enroll("Ada", img_path="a.jpg")  # type: ignore[call-arg]


def test_signatures_and_documentation_stay() -> None:
    assert "threshold" in inspect.signature(sameface.verify).parameters
    assert (sameface.verify.__doc__ or "").startswith("Do two photos show the same person?")
    assert next(iter(inspect.signature(sameface.Gallery).parameters)) == "location"


def test_a_threshold_decides_wherever_it_is_given(photos: Path, tmp_path: Path) -> None:
    first, second = photos / "obama.jpg", photos / "obama2.jpg"
    plain = sameface.verify(first, second)
    strict = sameface.verify(first, second, threshold=plain.distance)
    assert plain.same
    assert not strict.same  # same iff distance < τ
    assert strict.distance == plain.distance
    assert sameface.Recognizer(threshold=0.25).operating_point.threshold == 0.25
    known: dict[str, Any] = {"Obama": first}
    place = tmp_path / "people.db"
    with sameface.Gallery(place) as people:
        people.enroll_many(known)
        assert [face.name for face in people.identify(second)] == ["Obama"]
    with sameface.Gallery(place, threshold=0.5) as people:
        assert [face.name for face in people.identify(second)] == [None]
        with pytest.raises(SettingError, match="open"):
            sameface.identify(second, people, threshold=0.5)
    assert [face.name for face in sameface.identify(second, place, threshold=0.5)] == [None]
    with pytest.raises(SettingError, match="both"):
        sameface.verify(first, second, threshold=0.5, operating_point="mine.json")
