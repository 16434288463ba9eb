"""The words by which ONNX Runtime reports nothing, tried on 1.32; `tests/outside` watches that it does not."""

from __future__ import annotations

import pytest

from sameface.models.vendor_calls import VARIABLE, are_silenced, silence


@pytest.mark.parametrize(
    ("given", "silent"),
    [(None, True), ("", True), (" ", True), ("1", True), ("YES", True), ("0", False), ("false", False), ("2", False)],
)
def test_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch, given: str | None, silent: bool) -> None:
    monkeypatch.setenv(VARIABLE, given or "")
    if given is None:
        monkeypatch.delenv(VARIABLE)
    silence()
    assert are_silenced() == silent
