"""Recipes: their data are read right, their protocols score right, and nobody is trained on who is measured."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from sameface.datasets import PairList, read_folder, read_lfw_pairs, read_lfw_people  # noqa: E402
from sameface.errors import DataError, SettingError  # noqa: E402
from sameface.training.networks import Head, SiameseNetwork  # noqa: E402
from sameface.training.recipes import lfw, omniglot, orl  # noqa: E402


# -- Omniglot -------------------------------------------------------------------------------------------------------------
def drawings(archive: Path) -> set[str]:
    """Digests of all drawings in an archive, by their pixels."""
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if name.endswith(".png") and "__MACOSX" not in name]
        return {
            hashlib.sha256(np.asarray(Image.open(io.BytesIO(opened.read(name)))).tobytes()).hexdigest()
            for name in names
        }


@pytest.fixture(scope="module")
def runs(data: Path) -> list[omniglot.OneShotRun]:
    """The official runs, read once; nobody changes them."""
    return omniglot.read_runs(data / "omniglot" / "all_runs.zip")


@pytest.mark.parametrize(
    ("name", "alphabets"),
    [
        ("small1", {"Balinese": 24, "Early_Aramaic": 22, "Greek": 24, "Korean": 40, "Latin": 26}),
        ("small2", {"Greek": 24, "Japanese_(katakana)": 47, "Latin": 26, "Sanskrit": 42, "Tagalog": 17}),
    ],
)
def test_a_background_set_is_read_whole(data: Path, name: str, alphabets: dict[str, int]) -> None:
    pictures = omniglot.read_background(data / "omniglot" / f"images_background_{name}.zip")
    found = [character.split("/")[0] for character in pictures.people]
    assert {alphabet: found.count(alphabet) for alphabet in set(found)} == alphabets
    assert (np.bincount(pictures.labels) == 20).all()
    assert pictures.pixels.shape == (20 * sum(alphabets.values()), 1, 64, 64)


def test_no_drawing_of_the_official_runs_is_trained_on(data: Path) -> None:
    asked = drawings(data / "omniglot" / "all_runs.zip")
    assert len(asked) == 800
    for name in ("small1", "small2"):
        assert not asked & drawings(data / "omniglot" / f"images_background_{name}.zip")


def test_the_official_runs_are_scored_trial_by_trial(runs: list[omniglot.OneShotRun]) -> None:
    assert len(runs) == 20
    assert all(sorted(run.answers) == list(range(20)) for run in runs)
    # run01/class_labels.txt: item01 is class08, item02 class09, item03 class02.
    assert runs[0].answers[:3].tolist() == [7, 8, 1]
    assert runs[0].enrolled.shape == runs[0].asked.shape == (20, 1, 64, 64)

    # An embedding that knows the answers makes no error; one that knows nothing answers the first character.
    known = {}
    for run in runs:
        for number, drawing in enumerate(run.enrolled):
            known[drawing.numpy().tobytes()] = number
        for answer, drawing in zip(run.answers, run.asked, strict=True):
            known[drawing.numpy().tobytes()] = int(answer)

    def oracle(pixels: torch.Tensor) -> torch.Tensor:
        return torch.tensor([[float(known[drawing.numpy().tobytes()])] for drawing in pixels])

    assert omniglot.wrong_answers(runs, oracle).sum() == 0
    assert omniglot.wrong_answers(runs, lambda pixels: torch.zeros(len(pixels), 2)).sum() == 380
    similar = omniglot.wrong_answers(runs, oracle, similarity=lambda a, b: -(a - b).abs().sum(dim=1))
    assert similar.sum() == 0


def test_other_archives_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as opened:
        opened.writestr("readme.txt", "nothing here")
    (tmp_path / "broken.zip").write_bytes(b"PK cut short")
    for name in ("empty.zip", "broken.zip", "none.zip"):
        with pytest.raises(DataError):
            omniglot.read_background(tmp_path / name)
        with pytest.raises(DataError):
            omniglot.read_runs(tmp_path / name)


def test_a_few_steps_beat_pixels_by_far(data: Path, runs: list[omniglot.OneShotRun]) -> None:
    """The whole recipe, made small; untrained and pixel errors are near 70 and 80 %."""
    background = omniglot.read_background(data / "omniglot" / "images_background_small1.zip")
    runs = runs[:6]
    pixels = omniglot.wrong_answers(runs, lambda drawing: drawing.float().flatten(1)).sum() / 120
    recipe = replace(
        omniglot.OmniglotRecipe(), steps=60, people=16, widths=(16, 32, 32), views="one", precision="float32"
    )
    result = omniglot.train_omniglot(background, runs, recipe=recipe, device="cpu")
    assert result.error < 0.8 * pixels
    assert result.wrong_by_run.shape == (6,)


def test_the_card_says_what_the_exported_file_does(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Views and all: the file is given each drawing once. On two of the alphabets and six of the runs."""
    import sameface
    from sameface.training.recipes.by_name import run_recipe
    from sameface.training.recipes.omniglot import recipe as recipe_room
    from sameface.training.recipes.run import RecipeRun

    monkeypatch.setattr(
        recipe_room.OmniglotRecipe, "__init__", _with_defaults(recipe_room.OmniglotRecipe, widths=(8, 16), people=8)
    )
    few = tmp_path / "few"
    few.mkdir()
    background, asked = "images_background_small1.zip", "all_runs.zip"
    _some_of(data / "omniglot" / background, few / background, ("/Early_Aramaic/", "/Greek/"))
    _some_of(data / "omniglot" / asked, few / asked, tuple(f"run{number:02}/" for number in range(1, 7)))
    run = RecipeRun(data=few, out=tmp_path, steps=8, device="cpu", started=str, progress=lambda *told: None)
    result = run_recipe("omniglot", run)
    encoder = sameface.load_encoder(tmp_path / "omniglot-small1.onnx")

    def by_the_file(pixels: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(encoder.encode(pixels.permute(0, 2, 3, 1).repeat(1, 1, 1, 3).numpy()))

    trials = omniglot.read_runs(few / asked)
    error = omniglot.wrong_answers(trials, by_the_file).sum() / 120
    (measured,) = encoder.card.measured
    assert measured.result == f"error {100 * error:.2f} %"
    assert result.numbers["error"] == error
    assert result.numbers["error_one_view"] != error  # a file without the views would be seen


def _some_of(archive: Path, to: Path, parts: tuple[str, ...]) -> None:
    """The files of an archive whose names hold one of some parts."""
    with zipfile.ZipFile(archive) as opened, zipfile.ZipFile(to, "w") as made:
        for name in opened.namelist():
            if any(part in name for part in parts) and "__MACOSX" not in name:
                made.writestr(name, opened.read(name))


def test_directions_are_fitted_on_what_was_trained_on_alone() -> None:
    """Of each character the first five drawings; where nothing is reduced, none."""
    from sameface.training.export import principal_directions
    from sameface.training.pictures import Pictures

    random = torch.Generator().manual_seed(0)
    drawn = torch.randint(0, 256, (24, 1, 64, 64), dtype=torch.uint8, generator=random)
    names = ("Greek/character01", "Greek/character02", "Latin/character01")
    background = Pictures(drawn, np.repeat(np.arange(3), 8), names, np.repeat([0, 0, 1], 8))
    recipe = omniglot.OmniglotRecipe(steps=1, people=2, widths=(4, 8), dimension=4, kept=6, precision="float32")
    trainer, _ = omniglot.fit_omniglot(background, recipe=recipe, device="cpu")
    found = omniglot.fitted_directions(background, trainer, recipe.spec(), 6)
    rows = [0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 16, 17, 18, 19, 20]
    with torch.no_grad():
        expected = principal_directions(torch.stack([trainer.embed(drawn[row : row + 1])[0] for row in rows]), 6)
    np.testing.assert_allclose(np.abs((found @ expected.T).numpy()), np.eye(6), atol=1e-3)
    for nothing in (None, 32, 40):
        assert omniglot.fitted_directions(background, trainer, recipe.spec(), nothing) is None


def test_a_learned_comparison_takes_no_turned_views() -> None:
    with pytest.raises(SettingError):
        omniglot.OmniglotRecipe(loss="koch", loss_settings={})
    omniglot.OmniglotRecipe(loss="koch", loss_settings={}, views="moved")


def _with_defaults(kind: type, **changed: object) -> object:
    """The class's own ``__init__`` with other defaults."""
    made = kind.__init__

    def init(self: object, **given: object) -> None:
        made(self, **{**changed, **given})

    return init


# -- ORL ------------------------------------------------------------------------------------------------------------------
def test_splits_divide_people() -> None:
    splits = [orl.split_of(number) for number in range(5)]
    for kept, strangers in splits:
        assert sorted([*kept, *strangers]) == list(range(40))
        assert len(strangers) == 10
    assert len({tuple(strangers) for _, strangers in splits}) == 5


def test_one_shot_trials_by_hand() -> None:
    labels = np.repeat(np.arange(3), 2)
    apart = np.array([[0.0], [1.0], [10.0], [11.0], [20.0], [21.0]])
    assert orl.one_shot_trials(apart, labels) == (0, 6)
    mixed = np.array([[0.0], [10.0], [10.0], [0.0], [20.0], [21.0]])  # persons 0 and 1 swap clothes
    assert orl.one_shot_trials(mixed, labels) == (4, 6)
    lost = apart.copy()
    lost[1] = np.nan  # not found: wrong when asked, and as the enrolled one it costs its person's other photo
    assert orl.one_shot_trials(lost, labels) == (2, 6)


def test_orl_is_read_whole(data: Path) -> None:
    pictures = orl.read_orl(data / "orl")
    assert len(pictures.people) == 40
    assert (np.bincount(pictures.labels) == 10).all()


# -- LFW ------------------------------------------------------------------------------------------------------------------
def test_whom_the_recipe_learns_from(data: Path) -> None:
    images = data / "lfw" / "images"
    people = read_folder(images, only=read_lfw_people(data / "lfw" / "peopleDevTrain.txt"))
    pairs = read_lfw_pairs(images, data / "lfw" / "pairsDevTest.txt")
    assert len(people.names) == 4038
    assert not {photo.parent.name for photo in pairs.photos} & set(people.names)
    rows = [line.split("\t") for line in (data / "lfw" / "peopleDevTrain.txt").read_text().splitlines()[1:]]
    wanted = [
        images / name / f"{name}_{number:04d}.jpg"
        for name, count in rows
        if int(count) > 1
        for number in range(1, min(3, int(count)) + 1)
    ]
    assert lfw.photos_to_learn_from(people, 3) == wanted


def test_pairs_are_measured_and_a_missing_face_is_infinitely_far() -> None:
    keys = [Path(name) / f"{number}.jpg" for name in "ABCD" for number in (1, 2)]
    vectors = np.array([[0, 0], [0, 1], [5, 0], [5, 1], [9, 0], [9, 1], [0, 9], [1, 9]], dtype=np.float32)
    photos = lfw.EmbeddedPhotos({key: row for row, key in enumerate(keys)}, vectors, 0)
    first = np.array([0, 2, 4, 6] * 2)
    second = np.array([1, 3, 5, 7, 3, 5, 7, 1])
    same = np.array([True] * 4 + [False] * 4)
    pairs = PairList("made", "made", tuple(keys), first, second, same, np.repeat(np.arange(4), 2))
    result = lfw.measure_pairs(pairs, photos)
    assert (result.eer, result.pairs, result.missing) == (0, 8, 0)
    without = lfw.EmbeddedPhotos({key: row for key, row in photos.rows.items() if key != keys[0]}, vectors, 1)
    result = lfw.measure_pairs(pairs, without)
    assert result.missing == 2
    assert result.eer > 0
    head = SiameseNetwork(Head(dimension=2), unit_length=False)
    assert lfw.measure_pairs(pairs, photos, lfw.apply_head(head)).eer == 0


def test_a_head_trains_on_embeddings() -> None:
    random = np.random.default_rng(0)
    centres = random.normal(size=(12, 8))
    keys = [Path(f"P{person}") / f"{number}.jpg" for person in range(12) for number in range(4)]
    vectors = np.stack([centres[int(key.parent.name[1:])] + random.normal(0, 1.0, 8) for key in keys]).astype(
        np.float32
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    photos = lfw.EmbeddedPhotos({key: row for row, key in enumerate(keys)}, vectors, 0)
    recipe = lfw.LfwHeadRecipe(steps=60, people=8, hidden=16, held_out=0.25)
    network, spec, result = lfw.train_head([photos, photos], photos, recipe=recipe, device="cpu")
    assert spec.name == "head"
    assert result.validation is not None
    assert lfw.apply_head(network)(vectors).shape == (48, 8)
