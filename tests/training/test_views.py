"""Views inside the exported network: as many runs of the network as written out by hand, one picture in, one embedding out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch")

import sameface  # noqa: E402
from sameface.errors import SettingError  # noqa: E402
from sameface.training.augment.affine import warp  # noqa: E402
from sameface.training.export import Deployed, export_encoder  # noqa: E402
from sameface.training.networks import NetworkSpec, build_network  # noqa: E402
from sameface.training.views import MOVED, Views  # noqa: E402

SPEC = NetworkSpec("convnet", 16, 1, 8, intake="ink", shrink=2, options={"widths": (4, 8)})


def test_a_mirrored_view_is_the_mean_of_both(tmp_path: Path) -> None:
    network = build_network(SPEC).eval()
    pixels = torch.randint(0, 256, (3, 1, 32, 32), dtype=torch.uint8)
    with torch.no_grad():
        one = Deployed(network, SPEC)
        expected = torch.nn.functional.normalize(one(pixels) + one(pixels.flip(-1)), dim=1)
        both = Deployed(network, replace(SPEC, views="mirror"))(pixels)
    np.testing.assert_allclose(both.numpy(), expected.numpy(), atol=1e-6)
    assert not np.allclose(both.numpy(), one(pixels).detach().numpy(), atol=1e-3)


def test_moved_views_are_the_mean_of_moved_pictures() -> None:
    network = build_network(SPEC).eval()
    pixels = torch.randint(0, 256, (2, 1, 32, 32), dtype=torch.uint8)
    views = Views("moved", 32)
    ink = 1 - pixels.float() / 255
    with torch.no_grad():
        total = torch.zeros(2, 8)
        for grid in views.grids:  # one by one, by the library's own lookup
            moved = torch.nn.functional.grid_sample(ink, grid.expand(2, -1, -1, -1), align_corners=False)
            total += network.embed(torch.nn.functional.avg_pool2d(moved, 2))
        answer = Deployed(network, replace(SPEC, views="moved"))(pixels)
    expected = torch.nn.functional.normalize(total, dim=1)
    np.testing.assert_allclose(answer.numpy(), expected.numpy(), atol=1e-5)


def test_the_first_view_is_the_picture_itself() -> None:
    pictures = torch.rand(2, 1, 32, 32)
    moved = Views("moved", 32)(pictures).view(2, MOVED, 1, 32, 32)
    np.testing.assert_allclose(moved[:, 0].numpy(), pictures.numpy(), atol=1e-5)
    assert (moved[:, 1:] - pictures[:, None]).abs().mean() > 0.05
    same = torch.eye(2, 3).expand(2, 2, 3)
    np.testing.assert_allclose(warp(pictures, same, 32).numpy(), pictures.numpy(), atol=1e-5)


@pytest.mark.parametrize("views", ["mirror", "moved"])
def test_views_are_in_the_file(views: str, tmp_path: Path) -> None:
    spec = replace(SPEC, views=views)
    network = build_network(spec)
    export_encoder(network, spec, tmp_path / "mine.onnx", title="mine", training_data="nothing")
    encoder = sameface.load_encoder(tmp_path / "mine.onnx")
    crops = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    with torch.no_grad():
        expected = Deployed(network, spec)(torch.from_numpy(crops).permute(0, 3, 1, 2)).numpy()
    np.testing.assert_allclose(encoder.encode(crops), expected, atol=1e-4)
    assert encoder.encode(crops[:1]).shape == (1, 8)
    (given,) = onnx.load(tmp_path / "mine.onnx").graph.input
    assert given.type.tensor_type.shape.dim[0].dim_param  # any number at once


def test_other_views_are_refused() -> None:
    with pytest.raises(SettingError):
        Views("three", 32)  # type: ignore[arg-type]
