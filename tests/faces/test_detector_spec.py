"""Detector ids and settings, both ways: ids by hand, and any settings at all."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sameface.errors import ModelDamagedError, ModelMissingError, SettingError, UnknownModelError
from sameface.faces import DETECTORS, load_detector
from sameface.faces.detector_spec import (
    DetectorSpec,
    MtcnnSettings,
    ScrfdSettings,
    WholePictureSettings,
    YunetSettings,
)
from sameface.files import sha256_of

#: Ids as they lie in galleries, operating points and golden files, each with what it was made by.
WRITTEN = {
    "mtcnn": MtcnnSettings(),
    "mtcnn/min20": MtcnnSettings(20),
    "mtcnn/min20/t0.6-0.7-0.8/side0": MtcnnSettings(20, (0.6, 0.7, 0.8), 0),
    "mtcnn/once": MtcnnSettings(second_look=None),
    "mtcnn/min80/side0/again0.9": MtcnnSettings(80, search_side=0, second_look=0.9),
    "mtcnn/t1e-05-0.7-0.7": MtcnnSettings(thresholds=(1e-5, 0.7, 0.7)),
    "yunet-2023mar/t0.6/side640": YunetSettings(model="yunet-2023mar"),
    "yunet-2023mar/t0.3/side1280": YunetSettings(0.3, longest_side=1280, model="yunet-2023mar"),
    "yunet-2023mar/t0.6/side640/8f2383e4": YunetSettings(weights="8f2383e4", model="yunet-2023mar"),
    "yunet-2023mar-int8bq/t0.6/side640": YunetSettings(),
    "scrfd-500m/t0.5/side640": ScrfdSettings(),
    "scrfd-500m/t0.2/side320/12345678": ScrfdSettings(0.2, longest_side=320, weights="12345678"),
    "none": WholePictureSettings(),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_what_was_written_is_read(written: str) -> None:
    assert DetectorSpec.parse(written) == WRITTEN[written]
    assert WRITTEN[written].id == written


shares = st.floats(1e-9, 1, exclude_max=True)
whole = st.integers(1, 100_000)
specs = st.one_of(
    st.just(WholePictureSettings()),
    st.builds(MtcnnSettings, whole, st.tuples(shares, shares, shares), st.integers(0, 9999), st.none() | shares),
    st.builds(
        YunetSettings, shares, shares, whole, st.integers(0, 999), st.from_regex(r"([0-9a-f]{8})?", fullmatch=True)
    ),
    st.builds(
        ScrfdSettings, shares, shares, whole, st.integers(0, 999), st.from_regex(r"([0-9a-f]{8})?", fullmatch=True)
    ),
)


@given(specs)
def test_any_settings_come_back(spec: DetectorSpec) -> None:
    assert DetectorSpec.parse(spec.id) == spec


@given(specs, specs)
def test_an_id_tells_settings_apart(one: DetectorSpec, other: DetectorSpec) -> None:
    assert (one.id == other.id) == (one == other)


def test_names_and_parts_of_ids_are_taken_too() -> None:
    assert [DetectorSpec.parse(name).name for name in DETECTORS] == list(DETECTORS)
    assert DetectorSpec.parse("yunet") == YunetSettings()
    assert DetectorSpec.parse("yunet/side960") == DetectorSpec.parse("yunet-2023mar-int8bq/side960/t0.6")


@pytest.mark.parametrize(
    "wrong", ["", "retina", "yunet/", "yunet/t", "yunet/once", "mtcnn/t0.6", "none/t0.6", "mtcnn/min-4", "scrfd/t0.5x"]
)
def test_what_says_nothing_is_refused(wrong: str) -> None:
    with pytest.raises(UnknownModelError):
        DetectorSpec.parse(wrong)


@pytest.mark.parametrize(
    "wrong", ["yunet/t0", "yunet/t1", "yunet/side0", "mtcnn/min0", "mtcnn/again1e999", "yunet/t0.5/t0.6", "scrfd/o7"]
)
def test_values_that_cannot_be_are_refused(wrong: str) -> None:
    with pytest.raises(SettingError):
        DetectorSpec.parse(wrong)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MtcnnSettings(thresholds=(0.6, 0.7)),  # type: ignore[arg-type]
        lambda: MtcnnSettings(second_look=float("nan")),
        lambda: YunetSettings(longest_side=64.5),  # type: ignore[arg-type]
        lambda: YunetSettings(weights="mine"),
    ],
)
def test_settings_are_checked_in_python_too(make: object) -> None:
    with pytest.raises(SettingError):
        make()  # type: ignore[operator]


def test_a_foreign_model_name_is_refused() -> None:
    with pytest.raises(UnknownModelError):
        YunetSettings(model="scrfd-500m")


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("written", ["mtcnn/min20/once", "yunet-2023mar/t0.5/side320/o0.4", "scrfd-500m/t0.4/side640"])
def test_a_loaded_detector_has_the_id_that_it_was_asked_by(written: str) -> None:
    assert load_detector(written).id == written
    assert load_detector(DetectorSpec.parse(written)).id == written


def test_weights_of_ones_own_are_found_by_content(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = data / "models" / "scrfd_500m_kps.onnx"
    mine = tmp_path / "mine.onnx"
    mine.write_bytes(published.read_bytes() + b"\x82\x01\x04\x0a\x02hi")  # one more field, which readers pass over
    written = load_detector("scrfd", model=mine).id
    assert re.fullmatch(r"scrfd-500m/t0\.5/side640/" + sha256_of(mine)[:8], written)
    monkeypatch.setenv("SAMEFACE_MODELS", str(tmp_path / "models"))
    with pytest.raises(ModelMissingError, match=sha256_of(mine)[:8]):
        load_detector(written)
    with pytest.raises(ModelDamagedError, match="gallery was made with"):
        load_detector(written, model=published)
    (tmp_path / "models").mkdir()
    shutil.copy(mine, tmp_path / "models" / "under_another_name.onnx")
    assert load_detector(written).id == written
    assert load_detector(written, model=mine).id == written


def test_the_published_file_given_by_path_is_found_too(data: Path) -> None:
    written = load_detector("scrfd", model=data / "models" / "scrfd_500m_kps.onnx").id
    assert load_detector(written).id == written


def test_a_file_for_a_detector_that_takes_none(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="yunet or scrfd"):
        load_detector("mtcnn", model=tmp_path / "x.onnx")
    with pytest.raises(ModelMissingError):
        load_detector("yunet", model=tmp_path / "x.onnx")
    with pytest.raises(SettingError, match="settings of a detector"):
        load_detector(640)  # type: ignore[arg-type]
