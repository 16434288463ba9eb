"""LFW from scratch: each computed layer against a slow loop or another library, and the whole on a few made people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch")

import sameface  # noqa: E402
from sameface.datasets import PairList  # noqa: E402
from sameface.training.export import Deployed, export_encoder  # noqa: E402
from sameface.training.networks.fisher import CELLS, FisherNetwork, Mixture, PatchDescriptors, mirrored  # noqa: E402
from sameface.training.recipes.lfw import EmbeddedPhotos  # noqa: E402
from sameface.training.recipes.lfw_scratch import (  # noqa: E402
    LfwScratchRecipe,
    discriminant,
    principal_components,
    train_lfw_scratch,
)
from sameface.training.recipes.lfw_scratch.mixture import fit_directions, fit_mixture  # noqa: E402
from sameface.training.recipes.lfw_scratch.study import accuracy_of  # noqa: E402
from tests.training.conftest import make_people  # noqa: E402

SIDE = 72  # the least whose half still holds a patch of 32 pixels


@pytest.fixture
def grey() -> torch.Tensor:
    noise = torch.rand(3, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.avg_pool2d(noise, 5, 1, 2)


# -- patches --------------------------------------------------------------------------------------------------------------
def test_edges_go_to_the_directions_nearest_to_theirs() -> None:
    patches = PatchDescriptors(SIDE, 8)
    ramp = torch.linspace(0, 1, SIDE)
    right = patches.edges(ramp.expand(1, 1, SIDE, SIDE))[0, :, 30, 30]
    down = patches.edges(ramp[:, None].expand(1, 1, SIDE, SIDE))[0, :, 30, 30]
    both = patches.edges((ramp[:, None] + ramp).expand(1, 1, SIDE, SIDE))[0, :, 30, 30]
    assert [int(found.argmax()) for found in (right, both, down)] == [0, 1, 2]
    # A slope of 1/71 a pixel, over two pixels; all eight shares add up to it.
    assert float(right.sum()) == pytest.approx(2 / (SIDE - 1), rel=1e-3)
    assert float(right[0] / right[1]) == pytest.approx(8, rel=1e-3)


def test_the_mirror_images_edges_need_no_second_look(grey: torch.Tensor) -> None:
    patches = PatchDescriptors(SIDE, 8)
    torch.testing.assert_close(mirrored(patches.edges(grey)), patches.edges(grey.flip(-1)), atol=1e-6, rtol=1e-5)


def test_a_patch_is_the_roots_of_its_cells(grey: torch.Tensor) -> None:
    """One patch by hand: 24 pixels at column 3, row 6, of the picture itself."""
    patches = PatchDescriptors(SIDE, 8)
    whole = patches.whole(grey)
    assert whole.shape[1:] == (128, patches.places.shape[2])
    edges = patches.edges(grey)[1].numpy()
    by_hand = np.zeros((8, CELLS, CELLS))
    for row in range(CELLS):
        for column in range(CELLS):
            top, left = 6 + 6 * row, 3 + 6 * column
            by_hand[:, row, column] = edges[:, top : top + 6, left : left + 6].mean(axis=(1, 2))
    by_hand = np.sqrt(by_hand) / np.sqrt(by_hand.sum() + 0.05)
    across = (SIDE - 24) // 3 + 1
    np.testing.assert_allclose(whole[1, :, 2 * across + 1].numpy(), by_hand.ravel(), atol=1e-5)
    place = patches.places[0, :, 2 * across + 1].numpy()
    np.testing.assert_allclose(place, [(3 + 12) / SIDE - 0.5, (6 + 12) / SIDE - 0.5], atol=1e-6)


def test_principal_directions_are_those_of_the_samples(grey: torch.Tensor) -> None:
    patches = PatchDescriptors(SIDE, 10)
    samples = patches.whole(grey).transpose(1, 2).flatten(0, 1)
    fit_directions(patches, samples)
    centred = (samples - samples.mean(dim=0)).double().numpy()
    directions = np.linalg.svd(centred, full_matrices=False)[2][:10]
    described = patches(grey)[:, :10].transpose(1, 2).flatten(0, 1).numpy()
    np.testing.assert_allclose(np.abs(described), np.abs(centred @ directions.T), atol=1e-3)


# -- the mixture ------------------------------------------------------------------------------------------------------------
def mixture_of(words: int, length: int) -> Mixture:
    random = torch.Generator().manual_seed(1)
    mixture = Mixture(words, length)
    mixture.means.copy_(torch.randn(words, length, generator=random))
    mixture.variances.copy_(0.5 + torch.rand(words, length, generator=random))
    mixture.shares.copy_(torch.softmax(torch.randn(words, generator=random), 0))
    return mixture


def test_a_fisher_vector_is_the_gradient_written_out() -> None:
    """Perronnin, Sánchez, Mensink 2010, equations 16 and 17, descriptor by descriptor."""
    mixture = mixture_of(3, 4)
    descriptors = torch.randn(2, 4, 9, generator=torch.Generator().manual_seed(2))
    found = mixture(descriptors)
    weights, means, deviations = mixture.shares.numpy(), mixture.means.numpy(), mixture.variances.sqrt().numpy()
    for picture in range(2):
        vector = np.zeros((3, 8))
        for x in descriptors[picture].numpy().T:
            density = weights * np.prod(np.exp(-0.5 * ((x - means) / deviations) ** 2) / deviations, axis=1)
            belong = density / density.sum()
            for k in range(3):
                z = (x - means[k]) / deviations[k]
                vector[k, :4] += belong[k] * z / (9 * np.sqrt(weights[k]))
                vector[k, 4:] += belong[k] * (z**2 - 1) / (9 * np.sqrt(2 * weights[k]))
        vector = np.sign(vector) * np.sqrt(np.abs(vector))
        np.testing.assert_allclose(found[picture].numpy(), vector.ravel() / np.linalg.norm(vector), atol=1e-4)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_mixture_is_fitted_as_scikit_learn_fits_it() -> None:
    learn = pytest.importorskip("sklearn.mixture")
    random = np.random.default_rng(0)
    samples = np.concatenate([random.normal(place, 0.5 + 0.3 * place, (300, 3)) for place in (0.0, 2.0, 4.0)])
    samples = random.permutation(samples).astype(np.float32)
    mixture = Mixture(3, 3)
    fit_mixture(mixture, torch.from_numpy(samples), torch.Generator().manual_seed(0), rounds=8)
    first = torch.randperm(len(samples), generator=torch.Generator().manual_seed(0))[:3].numpy()
    precise = np.tile(1 / samples.var(axis=0, ddof=1), (3, 1))
    theirs = learn.GaussianMixture(
        3,
        covariance_type="diag",
        tol=0,
        reg_covar=0,
        max_iter=8,
        means_init=samples[first],
        precisions_init=precise,
        weights_init=np.full(3, 1 / 3),
    ).fit(samples)
    np.testing.assert_allclose(mixture.means.numpy(), theirs.means_, atol=1e-3)
    np.testing.assert_allclose(mixture.variances.numpy(), theirs.covariances_, atol=1e-3)
    np.testing.assert_allclose(mixture.shares.numpy(), theirs.weights_, atol=1e-4)


# -- the last layer ---------------------------------------------------------------------------------------------------------
def test_principal_components_are_those_of_the_whole_decomposition() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(90, 12)) @ np.diag(2.0 ** -np.arange(12)) @ random.normal(size=(12, 40)) + 1
    mean, directions = principal_components(torch.from_numpy(vectors).half(), 5)
    centred = vectors - vectors.mean(axis=0)
    expected = centred @ np.linalg.svd(centred)[2][:5].T
    found = (torch.from_numpy(vectors).float() - mean) @ directions
    np.testing.assert_allclose(np.abs(found.numpy()), np.abs(expected), atol=0.02)


def test_the_discriminant_spans_what_scikit_learns_spans() -> None:
    learn = pytest.importorskip("sklearn.discriminant_analysis")
    random = np.random.default_rng(0)
    people = np.repeat(np.arange(8), 5)
    points = random.normal(size=(8, 6))[people] + 0.3 * random.normal(size=(40, 6)) @ random.normal(size=(6, 6))
    points -= points.mean(axis=0)
    found = discriminant(points, people, kept=3, ridge=0, power=0)
    theirs = learn.LinearDiscriminantAnalysis(solver="eigen").fit(points, people).scalings_[:, :3]
    cosines = np.linalg.svd(np.linalg.qr(found)[0].T @ np.linalg.qr(theirs)[0], compute_uv=False)
    np.testing.assert_allclose(cosines, 1, atol=1e-6)
    # Photos of one person differ by one, in every direction.
    means = np.stack([points[people == person].mean(axis=0) for person in range(8)])[people]
    within = (points - means) @ found
    np.testing.assert_allclose(within.T @ within / 32, np.eye(3), atol=1e-6)


def test_people_of_one_photo_do_not_say_how_photos_differ() -> None:
    random = np.random.default_rng(1)
    points, people = random.normal(size=(20, 4)), np.repeat(np.arange(5), 4)
    alone = np.concatenate([points, np.zeros((1, 4))])
    at_mean = np.concatenate([points, points.mean(axis=0, keepdims=True)])
    assert np.isfinite(discriminant(alone, np.append(people, 5), kept=2, ridge=0.1, power=0.5)).all()
    found = discriminant(at_mean, np.append(people, 5), kept=4, ridge=0, power=0)
    expected = discriminant(points, people, kept=4, ridge=0, power=0)
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-8)  # the same metric


# -- the whole --------------------------------------------------------------------------------------------------------------
def test_a_small_training_tells_people_apart_and_its_file_does_what_it_does(tmp_path: Path) -> None:
    recipe = replace(
        LfwScratchRecipe(),
        size=SIDE,
        dimension=6,
        words=4,
        described=8,
        samples=2000,
        components=20,
        steps=20,
        people=8,
    )
    pictures = make_people(10, 5, side=SIDE)
    told: list[str] = []
    result = train_lfw_scratch(pictures, recipe=recipe, device="cpu", started=told.append)
    strangers = make_people(6, 4, side=SIDE, seed=1)
    deployed = Deployed(result.network, result.spec)
    with torch.no_grad():
        embeddings = deployed(strangers.in_memory)
    apart = torch.cdist(embeddings, embeddings).fill_diagonal_(torch.inf)
    right = strangers.labels[apart.argmin(dim=1).numpy()] == strangers.labels
    assert right.mean() > 0.8  # by chance 3 of 23
    again = train_lfw_scratch(pictures, recipe=recipe, device="cpu")
    torch.testing.assert_close(Deployed(again.network, again.spec)(strangers.in_memory), embeddings)
    assert len(told) == 2
    assert result.cpu_seconds > 0

    export_encoder(result.network, result.spec, tmp_path / "scratch.onnx", title="x", training_data="made")
    flat = torch.full((1, 1, SIDE, SIDE), 90, dtype=torch.uint8)  # no edge anywhere: nothing to divide by
    asked = torch.cat([strangers.in_memory, flat])
    crops = asked.permute(0, 2, 3, 1).repeat(1, 1, 1, 3).numpy()
    by_file = sameface.load_encoder(tmp_path / "scratch.onnx").encode(crops)
    with torch.no_grad():
        np.testing.assert_allclose(by_file, deployed(asked).numpy(), atol=1e-4)
    (given,) = onnx.load(tmp_path / "scratch.onnx").graph.input
    assert given.type.tensor_type.shape.dim[0].dim_param  # any number of crops at once


def test_a_fisher_network_takes_the_sides_it_is_made_for() -> None:
    network = FisherNetwork(size=SIDE, dimension=5, words=3, described=6)
    assert network(torch.rand(2, 1, SIDE, SIDE)).shape == (2, 5)


def test_accuracy_is_that_of_the_published_form() -> None:
    """Twenty people, embeddings that are right for all pairs but one mated and one without a face."""
    photos = tuple(Path(f"person{number // 2}") / f"{number}.jpg" for number in range(40))
    vectors = np.repeat(np.eye(20, dtype=np.float32), 2, axis=0)
    vectors[1] = vectors[2]
    mates = np.arange(0, 40, 2)
    a, b = np.concatenate([mates, mates]), np.concatenate([mates + 1, (mates + 2) % 40])
    same = np.repeat([True, False], 20)
    pairs = PairList("made", "made", photos, a, b, same, np.arange(40) // 2)
    every = EmbeddedPhotos({photo: row for row, photo in enumerate(photos)}, vectors, 0)
    assert accuracy_of(pairs, every).right == 39
    without = EmbeddedPhotos({photo: row for photo, row in every.rows.items() if row != 39}, vectors, 1)
    assert accuracy_of(pairs, without).right == 38
