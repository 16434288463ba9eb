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
from sameface.training.export import Deployed, export_encoder, principal_directions  # noqa: E402
from sameface.training.networks import NetworkSpec, build_network  # noqa: E402
from sameface.training.views import MOVED, MOVED_EACH, Views  # noqa: E402

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


def test_turned_views_are_means_of_each_turn_beside_each_other() -> None:
    """Turned by NumPy and moved by the library's own lookup, one view after another."""
    network = build_network(SPEC).eval()
    pixels = torch.randint(0, 256, (3, 1, 32, 32), dtype=torch.uint8)
    moves = Views("moved", 32).grids[:MOVED_EACH]
    ink = 1 - pixels.float() / 255
    turns = [
        np.rot90(image, quarter, (2, 3)) for image in (ink.numpy(), ink.numpy()[..., ::-1]) for quarter in range(4)
    ]
    with torch.no_grad():
        answer = Deployed(network, replace(SPEC, views="turned"))(pixels)
        parts = []
        for turned in turns:
            total = torch.zeros(3, 8)
            for grid in moves:
                seen = torch.nn.functional.grid_sample(
                    torch.from_numpy(turned.copy()), grid.expand(3, -1, -1, -1), align_corners=False
                )
                total += network.embed(torch.nn.functional.avg_pool2d(seen, 2))
            parts.append(torch.nn.functional.normalize(total, dim=1) / 8**0.5)
    assert answer.shape == (3, 64)
    np.testing.assert_allclose(answer[:, :8].numpy(), parts[0].numpy(), atol=1e-5)  # the drawing as it is comes first
    # Which turn lies where does not matter to a distance: compare as sets.
    found = answer.view(3, 8, 8)
    for part in parts:
        assert float((found - part[:, None]).abs().amax(dim=(0, 2)).min()) < 1e-5
    np.testing.assert_allclose(
        torch.cdist(answer, answer).numpy(), torch.cdist(*2 * [torch.cat(parts, 1)]).numpy(), atol=1e-4
    )


def test_the_strongest_directions_keep_nearly_all_distances() -> None:
    random = torch.Generator().manual_seed(3)
    points = torch.randn(200, 4, generator=random, dtype=torch.float64) @ torch.randn(
        4, 20, generator=random, dtype=torch.float64
    )
    points = points + 1e-3 * torch.randn(200, 20, generator=random, dtype=torch.float64)
    directions = principal_directions(points, 4).double()
    _, _, expected = np.linalg.svd(points.numpy(), full_matrices=False)  # another way to them; signs are free
    np.testing.assert_allclose(np.abs(directions.numpy() @ expected[:4].T), np.eye(4), atol=1e-5)
    reduced = points @ directions.T
    np.testing.assert_allclose(torch.cdist(reduced, reduced), torch.cdist(points, points), atol=0.01)


def test_a_reduced_embedding_is_in_the_file_and_on_the_card(tmp_path: Path) -> None:
    spec = replace(SPEC, views="turned")
    network = build_network(spec)
    with torch.no_grad():
        seen = Deployed(network.eval(), spec)(torch.randint(0, 256, (30, 1, 32, 32), dtype=torch.uint8))
    directions = principal_directions(seen, 8)
    export_encoder(network, spec, tmp_path / "mine.onnx", title="mine", training_data="nothing", directions=directions)
    encoder = sameface.load_encoder(tmp_path / "mine.onnx")
    crops = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1), dtype=np.uint8).repeat(3, axis=3)
    with torch.no_grad():
        whole = Deployed(network, spec)(torch.from_numpy(crops).permute(0, 3, 1, 2)).numpy()
    expected = whole @ directions.numpy().T
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert encoder.card.dimension == 8
    np.testing.assert_allclose(encoder.encode(crops), expected, atol=1e-4)
    assert encoder.encode(crops[:1]).shape == (1, 8)


def test_the_first_view_is_the_picture_itself() -> None:
    pictures = torch.rand(2, 1, 32, 32)
    moved = Views("moved", 32)(pictures).view(2, MOVED, 1, 32, 32)
    np.testing.assert_allclose(moved[:, 0].numpy(), pictures.numpy(), atol=1e-5)
    assert (moved[:, 1:] - pictures[:, None]).abs().mean() > 0.05
    same = torch.eye(2, 3).expand(2, 2, 3)
    np.testing.assert_allclose(warp(pictures, same, 32).numpy(), pictures.numpy(), atol=1e-5)


@pytest.mark.parametrize("views", ["mirror", "moved"])
def test_views_are_in_the_file(views: str, tmp_path: Path) -> None:
    """Turned ones: `test_a_reduced_embedding_is_in_the_file_and_on_the_card`."""
    spec = replace(SPEC, views=views)
    network = build_network(spec)
    export_encoder(network, spec, tmp_path / "mine.onnx", title="mine", training_data="nothing")
    encoder = sameface.load_encoder(tmp_path / "mine.onnx")
    crops = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    with torch.no_grad():
        expected = Deployed(network, spec)(torch.from_numpy(crops).permute(0, 3, 1, 2)).numpy()
    np.testing.assert_allclose(encoder.encode(crops), expected, atol=1e-4)
    assert encoder.encode(crops[:1]).shape == (1, 8)
    assert encoder.card.dimension == 8
    (given,) = onnx.load(tmp_path / "mine.onnx").graph.input
    assert given.type.tensor_type.shape.dim[0].dim_param  # any number at once


def test_other_views_are_refused() -> None:
    with pytest.raises(SettingError):
        Views("three", 32)  # type: ignore[arg-type]
