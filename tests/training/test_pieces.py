"""Small pieces: batches, augmentation, intake, networks, validation, export, degradation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import sameface  # noqa: E402
from sameface.errors import DeviceUnavailableError, ModelCardError, NotEnoughDataError, SettingError, TrainingError  # noqa: E402
from sameface.models.registry import load_card  # noqa: E402
from sameface.training.augment import CharacterAugmentation, FaceAugmentation, augmentation  # noqa: E402
from sameface.training.augment.affine import warp  # noqa: E402
from sameface.training.degrade import degrade  # noqa: E402
from sameface.training.export.deployed import Deployed  # noqa: E402
from sameface.training.export.encoder import export_encoder  # noqa: E402
from sameface.training.export.head import export_head  # noqa: E402
from sameface.training.intake import Intake  # noqa: E402
from sameface.training.loop.collapse import CollapseWatch, effective_rank, spread_of  # noqa: E402
from sameface.training.loop.device import choose_compute  # noqa: E402
from sameface.training.loop.validation import one_shot_error, pair_distances, validate  # noqa: E402
from sameface.training.networks import ConvNet, Head, NetworkSpec, SiameseNetwork, build_network  # noqa: E402
from sameface.training.sampling import PeopleTimesPhotos  # noqa: E402

LABELS = [0, 0, 0, 1, 1, 2, 3, 3, 3, 3]  # person 2 has one photo, person 1 two


# -- batches --------------------------------------------------------------------------------------------------------------
def test_batches_hold_people_times_photos() -> None:
    sampler = PeopleTimesPhotos(LABELS, people=3, photos=3, seed=4)
    for step in range(30):
        rows = sampler.batch(step)
        owners = np.array(LABELS)[rows]
        assert len(set(rows)) == len(rows) == 9  # no photo beside itself, however few somebody has
        runs = [owner for place, owner in enumerate(owners) if place == 0 or owners[place - 1] != owner]
        assert len(runs) == len(set(runs))  # the photos of a person lie beside each other
        # Three of each, two of person 1; the single photo of person 2 fills what is left.
        assert sorted(np.bincount(owners)) == [1, 2, 3, 3]


def test_even_batches_hold_exactly_so_many_of_each() -> None:
    sampler = PeopleTimesPhotos(LABELS, people=3, photos=3, seed=4, even=True)
    for step in range(30):
        rows = sampler.batch(step).reshape(3, 3)
        owners = np.array(LABELS)[rows]
        assert (owners == owners[:, :1]).all()
        assert len(set(owners[:, 0])) == 3
        assert 2 not in owners  # enough people with several photos
        for row, owner in zip(rows, owners[:, 0], strict=True):
            assert len(set(row)) == (2 if owner == 1 else 3)  # a photo twice only where there are too few


def test_a_sampler_of_many_people_reads_the_labels_once() -> None:
    """Its work must not grow with people × photos: 85,000 people would take minutes."""

    class Counted(np.ndarray):
        comparisons = 0

        def __eq__(self, other: object) -> object:
            Counted.comparisons += 1
            return super().__eq__(other)

    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(2000), 3)).view(Counted)
    sampler = PeopleTimesPhotos(labels, people=32, photos=4)
    assert len(set(sampler.batch(0))) == 128
    assert Counted.comparisons < 10


def test_a_batch_is_a_function_of_seed_and_step() -> None:
    first, second = (PeopleTimesPhotos(LABELS, people=2, photos=2, seed=1) for _ in range(2))
    assert all((first.batch(step) == second.batch(step)).all() for step in (5, 0, 3))
    other = PeopleTimesPhotos(LABELS, people=2, photos=2, seed=2)
    assert any((first.batch(step) != other.batch(step)).any() for step in range(5))


def test_people_with_one_photo_fill_up_as_negatives() -> None:
    sampler = PeopleTimesPhotos(LABELS, people=9, photos=2)
    assert sampler.batch_size == 7  # 2 + 2 + 1 + 2: all there is
    assert set(np.array(LABELS)[sampler.batch(0)]) == {0, 1, 2, 3}


def test_a_batch_of_one_group_takes_that_group_first() -> None:
    labels = np.repeat(np.arange(20), 2)
    sampler = PeopleTimesPhotos(labels, people=5, photos=2, groups=labels // 5, one_group=1.0)
    for step in range(10):
        assert len(set(labels[sampler.batch(step)] // 5)) == 1


def test_batches_that_teach_nothing_are_refused() -> None:
    with pytest.raises(SettingError):
        PeopleTimesPhotos(LABELS, people=1, photos=4)
    with pytest.raises(NotEnoughDataError):
        PeopleTimesPhotos([0, 1, 2], people=2, photos=2)


# -- intake ---------------------------------------------------------------------------------------------------------------
def test_intakes_by_hand() -> None:
    picture = torch.tensor([[[[0, 255], [51, 102]]]], dtype=torch.uint8)
    assert Intake("unit", 1)(picture).flatten().tolist() == pytest.approx([0, 1, 0.2, 0.4])
    assert Intake("ink", 1)(picture).flatten().tolist() == pytest.approx([1, 0, 0.8, 0.6])
    assert Intake("centred", 1)(picture).flatten().tolist() == pytest.approx(
        [-0.99609375, 0.99609375, -0.59765625, -0.19921875]
    )
    values = np.array([0, 255, 51, 102.0])
    expected = (values - values.mean()) / values.std()
    assert Intake("per-image", 1)(picture).flatten().tolist() == pytest.approx(expected.tolist(), abs=1e-5)
    assert (
        Intake("per-image", 1)(torch.full((1, 1, 2, 2), 9.0)).abs().max() == 0
    )  # a flat picture divides by 1/√N, not by 0
    red = torch.zeros(1, 3, 1, 1)
    red[0, 0] = 255
    assert float(Intake("unit", 1)(red)) == pytest.approx(0.299)
    assert Intake("unit", 3)(picture).shape == (1, 3, 2, 2)
    with pytest.raises(SettingError):
        Intake("other", 1)  # type: ignore[arg-type]


# -- augmentation -----------------------------------------------------------------------------------------------------------
def test_the_identity_warp_changes_nothing() -> None:
    picture = torch.rand(2, 1, 9, 9)
    identity = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]]).expand(2, 2, 3)
    torch.testing.assert_close(warp(picture, identity, 9), picture)


def test_turned_characters_stay_one_class() -> None:
    """Photos of one character are turned alike, so a class stays a class; a corner mark shows by which turn."""
    pictures = torch.zeros(12, 1, 8, 8)
    pictures[:, :, 0, 0] = 1
    pictures[:, :, 0, 1] = 0.5
    quiet = CharacterAugmentation(4, joined=0, together=0)
    turned = quiet._turn(pictures, 3, torch.Generator().manual_seed(0)).view(4, 3, 8, 8)
    assert (turned == turned[:, :1]).all()
    assert len({tuple(picture.flatten().tolist()) for picture in turned[:, 0]}) > 1
    together = CharacterAugmentation(4, joined=0, together=1.0)
    alike = together._turn(pictures, 3, torch.Generator().manual_seed(0))
    assert (alike == alike[:1]).all()


def test_a_joined_character_holds_both_halves() -> None:
    pictures = torch.zeros(2, 1, 8, 8)
    pictures[0], pictures[1] = 0.25, 1.0
    joined = CharacterAugmentation(4, joined=1.0)._join(pictures, 1, torch.Generator().manual_seed(1))
    for picture in joined:
        assert set(np.unique(picture.numpy().round(2))) <= {0.25, 1.0}


@pytest.mark.parametrize("domain", ["faces", "characters", "none"])
def test_augmentation_is_a_function_of_its_generator(domain: str) -> None:
    pictures = torch.rand(6, 1, 16, 16)
    change = augmentation(domain, 8)
    first, second = (change(pictures.clone(), 3, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, second)
    assert first.shape == ((6, 1, 8, 8) if domain == "characters" else (6, 1, 16, 16))
    assert torch.isfinite(first).all()
    assert (not torch.equal(first, pictures)) == (domain != "none")
    with pytest.raises(SettingError):
        augmentation("cats", 8)


def test_mirroring_can_be_left_out() -> None:
    """A picture that is dark on the left stays so."""
    pictures = torch.zeros(32, 1, 16, 16)
    pictures[..., 8:] = 1
    changed = FaceAugmentation(mirror=False, blur=0, light=0)(pictures, 4, torch.Generator().manual_seed(0))
    assert (changed[..., :4].mean(dim=(1, 2, 3)) < changed[..., 12:].mean(dim=(1, 2, 3))).all()


# -- networks -----------------------------------------------------------------------------------------------------------
def test_sisters_share_every_weight() -> None:
    network = SiameseNetwork(ConvNet(size=12, widths=(4, 8), dimension=6)).eval()
    a, b, c = (torch.rand(3, 1, 12, 12, generator=torch.Generator().manual_seed(n)) for n in range(3))
    together = network(a, b, c)
    for branch, alone in zip(together, (a, b, c), strict=True):
        torch.testing.assert_close(branch, network(alone)[0])
        torch.testing.assert_close(branch.norm(dim=1), torch.ones(3))
    assert sum(1 for _ in network.parameters()) == sum(1 for _ in network.backbone.parameters())


def test_a_head_starts_as_the_identity() -> None:
    vectors = torch.nn.functional.normalize(torch.randn(5, 16), dim=1)
    torch.testing.assert_close(SiameseNetwork(Head(dimension=16)).embed(vectors), vectors)


# -- collapse, validation -----------------------------------------------------------------------------------------------
def test_spread_and_collapse() -> None:
    assert spread_of(torch.eye(4)) == pytest.approx(np.sqrt(3) / 2)
    assert spread_of(torch.zeros(3, 2)) == 0
    watch = CollapseWatch(patience=3)
    seen = [watch.see({"loss": 0.2, "spread": spread}, 8) for spread in (0.01, 0.01, 0.5, 0.0, 0.0, 0.0)]
    assert [said is not None for said in seen] == [False] * 5 + [True]


def test_a_collapse_onto_a_line_is_seen() -> None:
    """Points along one direction spread widely, and use one dimension."""
    along = torch.linspace(-1, 1, 24)[:, None] * torch.ones(1, 16)
    assert spread_of(along) > 0.5
    assert effective_rank(along) == pytest.approx(1, abs=1e-6)
    # Singular values by hand: 8 points on each of three axes, at ±1, ±1 and ±1/2: shares 2 : 2 : 1.
    axes = torch.zeros(24, 16)
    for axis, length in enumerate((1.0, 1.0, 0.5)):
        axes[8 * axis : 8 * axis + 4, axis], axes[8 * axis + 4 : 8 * axis + 8, axis] = length, -length
    shares = np.array([2, 2, 1]) / 5
    assert effective_rank(axes) == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), rel=1e-6)
    watch = CollapseWatch(rank_patience=2)
    numbers = {"loss": 0.2, "spread": 0.8, "effective_rank": 1.02}
    assert watch.see(numbers, 8) is None
    assert "line" in str(watch.see(numbers, 8))
    assert all(CollapseWatch(rank_patience=1).see(numbers, people) is None for people in (2, 3))  # a line by nature


def test_validation_by_hand() -> None:
    """Four points on a line: two people, distances 1 and 2 mated, 3, 5, 4, 6 … non-mated."""
    embeddings = np.array([[0.0], [1.0], [4.0], [6.0]], dtype=np.float32)
    labels = np.array([0, 0, 1, 1])
    mated, non_mated = pair_distances(embeddings, labels)
    assert sorted(mated) == [1, 2]
    assert sorted(non_mated) == [3, 4, 5, 6]
    result = validate(lambda pixels: pixels, torch.from_numpy(embeddings), labels)
    assert result.eer == 0
    assert result.one_shot_error == 0
    assert one_shot_error(embeddings, np.array([0, 1, 0, 1])) > 0
    assert np.isnan(one_shot_error(embeddings, np.arange(4)))


# -- device -------------------------------------------------------------------------------------------------------------
def test_the_device_is_said_and_never_made_up() -> None:
    assert str(choose_compute("cpu", "float32")) == "cpu, float32"
    with pytest.raises(DeviceUnavailableError):
        choose_compute("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(DeviceUnavailableError):
            choose_compute("cuda")
    with pytest.raises(SettingError):
        choose_compute("cpu", "half")


# -- export -------------------------------------------------------------------------------------------------------------
def test_an_exported_network_gives_pytorchs_embeddings(tmp_path: Path) -> None:
    spec = NetworkSpec("convnet", 16, 1, 8, intake="ink", shrink=2, options={"widths": (4, 8)})
    network = build_network(spec)
    difference = export_encoder(network, spec, tmp_path / "Mine_1.onnx", title="mine", training_data="nothing")
    encoder = sameface.load_encoder(tmp_path / "Mine_1.onnx")
    crops = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    with torch.no_grad():
        expected = Deployed(network, spec)(torch.from_numpy(crops).permute(0, 3, 1, 2)).numpy()
    assert encoder.card.id.startswith("mine-1@")
    assert difference <= 1e-4
    np.testing.assert_allclose(encoder.encode(crops), expected, atol=1e-4)
    with pytest.raises(ModelCardError):
        export_encoder(network, spec, tmp_path / "ä.onnx", title="mine", training_data="nothing")


@pytest.mark.parametrize("base", ["dlib-resnet-mirror-unit", "dlib-resnet"])
def test_an_exported_head_stands_on_its_encoder(tmp_path: Path, base: str) -> None:
    head = Head(dimension=128, hidden=16)
    torch.nn.init.normal_(head.contract.weight, std=0.1, generator=torch.Generator().manual_seed(0))
    network = SiameseNetwork(head)
    export_head(network, load_card(base), tmp_path / "head.onnx", title="head", training_data="nothing")
    crops = np.random.default_rng(1).integers(0, 256, (3, 150, 150, 3), dtype=np.uint8)
    below = sameface.load_encoder(base).encode(crops)
    x = below.astype(np.float64)
    a, b = head.expand.weight.detach().numpy(), head.contract.weight.detach().numpy()
    y = x + np.maximum(x @ a.T + head.expand.bias.detach().numpy(), 0) @ b.T
    expected = y / np.linalg.norm(y, axis=1, keepdims=True)
    np.testing.assert_allclose(sameface.load_encoder(tmp_path / "head.onnx").encode(crops), expected, atol=1e-4)
    with pytest.raises(TrainingError):
        export_head(SiameseNetwork(ConvNet()), load_card(base), tmp_path / "x.onnx", title="", training_data="")


# -- degradation ----------------------------------------------------------------------------------------------------------
def test_a_degraded_photo_keeps_its_size_and_loses_detail() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    worse = degrade(photo, shrink=0.25, quality=20)
    assert worse.shape == photo.shape
    assert worse.std() < 0.5 * photo.std()


def test_an_encoder_to_fine_tune_is_named() -> None:
    with pytest.raises(SettingError, match="--weights"):
        build_network(NetworkSpec("encoder"))
