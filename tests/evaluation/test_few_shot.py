"""k-way n-shot against enumeration, and against the nearest centroid of scikit-learn."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sameface.datasets import PairList, read_folder
from sameface.errors import DataError, NotEnoughDataError, SettingError
from sameface.evaluation.few_shot import answers, few_shot
from sameface.evaluation.plan import Plan
from sameface.evaluation.run import evaluate


def clouds(classes: int, photos: int, *, spread: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points around centres of their own."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(classes, 3))
    points = np.repeat(centres, photos, axis=0) + random.normal(scale=spread, size=(classes * photos, 3))
    return points.astype(np.float32), np.repeat(np.arange(classes), photos)


def expected_by_enumeration(x: np.ndarray, classes: np.ndarray, ways: int, shots: int) -> float:
    """Every episode there is, one after another."""
    right = asked = 0
    names = sorted(set(classes.tolist()))
    for chosen in itertools.combinations(names, ways):
        draws = []
        for name in chosen:
            photos = np.flatnonzero(classes == name).tolist()
            # Which photo is asked, and which of the others are enrolled: each as likely as any other.
            draws.append(
                [
                    (probe, enrolled)
                    for probe in photos
                    for enrolled in itertools.combinations([photo for photo in photos if photo != probe], shots)
                ]
            )
        for episode in itertools.product(*draws):
            centres = [sum(x[list(enrolled)]) / shots for _, enrolled in episode]
            for own, (probe, _) in enumerate(episode):
                distances = [float(sum((x[probe] - centre) ** 2)) for centre in centres]
                asked += 1
                right += all(distances[own] < other for at, other in enumerate(distances) if at != own)
    return right / asked


@pytest.mark.parametrize(("ways", "shots"), [(2, 1), (3, 1), (2, 2)])
def test_episodes_agree_with_all_there_are(ways: int, shots: int) -> None:
    x, classes = clouds(4, 3, spread=0.8)
    exact = expected_by_enumeration(x.astype(np.float64), classes, ways, shots)
    assert 0.4 < exact < 0.95  # neither trivial nor hopeless
    found = few_shot(x, classes, ways=ways, shots=shots, episodes=2000)
    assert found.accuracy.trials == 2000 * ways
    # Answers of one episode hang together, at worst completely: four deviations of 2,000 independent episodes.
    assert found.accuracy.value == pytest.approx(exact, abs=4 * (exact * (1 - exact) / 2000) ** 0.5)
    assert (found.classes, found.groups, found.groups_too_small) == (4, 0, 0)


def test_answers_are_those_of_scikit_learns_nearest_centroid() -> None:
    neighbors = pytest.importorskip("sklearn.neighbors")
    x, classes = clouds(6, 4, spread=0.9, seed=3)
    random = np.random.default_rng(1)
    for _ in range(30):
        photos = np.stack([random.permutation(np.flatnonzero(classes == name)) for name in range(6)])
        model = neighbors.NearestCentroid().fit(x[photos[:, :3].ravel()], np.repeat(np.arange(6), 3))
        expected = model.predict(x[photos[:, 3]]) == np.arange(6)
        got = answers(x.astype(np.float64), photos, np.ones(len(x), dtype=bool))
        assert got.tolist() == expected.tolist()


def test_one_point_for_everything_is_always_wrong() -> None:
    _, classes = clouds(5, 3, spread=0)
    assert few_shot(np.ones((15, 4), np.float32), classes, ways=5, shots=1, episodes=20).accuracy.value == 0


def test_photos_without_a_face_enroll_nobody_and_are_wrong_when_asked() -> None:
    x = np.array([[0.0], [0.1], [5.0], [5.1]])
    photos = np.array([[0, 1], [2, 3]])
    everything = np.ones(4, dtype=bool)
    assert answers(x, photos, everything).tolist() == [True, True]
    probe_lost = everything.copy()
    probe_lost[1] = False
    assert answers(x, photos, probe_lost).tolist() == [False, True]
    enrolled_lost = everything.copy()
    enrolled_lost[0] = False
    assert answers(x, photos, enrolled_lost).tolist() == [False, True]
    # Of two examples one is lost: the other enrolls the class.
    three = np.array([[0.0], [3.0], [0.1], [5.0], [5.0], [5.1]])
    lost = np.array([True, False, True, True, True, True])
    assert answers(three, np.array([[0, 1, 2], [3, 4, 5]]), lost).tolist() == [True, True]


def test_episodes_within_a_group_never_mix_groups() -> None:
    # Two groups lie on top of each other: across groups each class has a twin; within one it has none.
    x, classes = clouds(4, 4, spread=0.01)
    both = np.concatenate([x, x])
    labels = np.concatenate([classes, classes + 4])
    groups = np.repeat(["first", "second"], 16)
    apart = few_shot(both, labels, ways=4, shots=1, within=groups, episodes=200)
    mixed = few_shot(both, labels, ways=8, shots=1, episodes=200)
    assert apart.accuracy.value == 1.0
    assert mixed.accuracy.value < 0.8
    assert apart.groups == 2


def test_small_groups_are_left_out_and_counted() -> None:
    x, classes = clouds(7, 3, spread=0.1)
    groups = np.where(classes < 2, "small", "large")
    found = few_shot(x, classes, ways=5, shots=1, within=groups, episodes=10)
    assert (found.groups, found.groups_too_small, found.classes) == (1, 1, 5)


def test_the_seed_decides() -> None:
    x, classes = clouds(8, 3, spread=1.0)
    first, again, other = (few_shot(x, classes, ways=5, shots=1, episodes=50, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first.accuracy != other.accuracy


def test_the_interval_holds_the_classes_apart() -> None:
    # Half of the classes are always right, half always wrong (each pair of those lies on one point): the share hangs on who is drawn.
    x = np.repeat(np.array([[0.0], [10.0], [20.0], [30.0], [50.0], [50.0], [70.0], [70.0]]), 2, axis=0)
    found = few_shot(x.astype(np.float32), np.repeat(np.arange(8), 2), ways=8, shots=1, episodes=100)
    assert found.accuracy.value == 0.5
    assert found.accuracy.interval is not None
    # Of 8 draws with chance ½, 95 % hold from 1 or 2 to 6 or 7 right ones.
    assert 0.1 < found.accuracy.interval.low < 0.3
    assert 0.7 < found.accuracy.interval.high < 0.9


def test_no_error_among_few_classes_is_no_proof() -> None:
    x, classes = clouds(6, 3, spread=0)
    found = few_shot(x, classes, ways=5, shots=1, episodes=50).accuracy
    assert found.value == 1.0
    # Six classes without an error: 1 − 0.05^(1/6) of all classes might fail (Clopper and Pearson, one-sided).
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == (pytest.approx(0.05 ** (1 / 6), abs=1e-9), 1.0)
    none = few_shot(np.ones_like(x), classes, ways=5, shots=1, episodes=50).accuracy
    assert none.interval is not None
    assert (none.interval.low, none.interval.high) == (0.0, pytest.approx(1 - 0.05 ** (1 / 6), abs=1e-9))


@pytest.mark.parametrize("numbers", [{"ways": 1, "shots": 1}, {"ways": 2, "shots": 0}])
def test_numbers_that_cannot_be(numbers: dict[str, int]) -> None:
    x, classes = clouds(4, 3, spread=1.0)
    with pytest.raises(SettingError):
        few_shot(x, classes, **numbers)


def test_too_few_classes_or_photos() -> None:
    x, classes = clouds(4, 3, spread=1.0)
    with pytest.raises(NotEnoughDataError, match="5 classes with 2 photos"):
        few_shot(x, classes, ways=5, shots=1)
    with pytest.raises(NotEnoughDataError, match="in a group"):
        few_shot(x, classes, ways=3, shots=1, within=classes % 2)
    with pytest.raises(NotEnoughDataError):
        few_shot(x, classes, ways=2, shots=3)


def test_evaluate_answers_few_shot_questions(colour_people: Path, fake) -> None:  # type: ignore[no-untyped-def]
    bench = read_folder(colour_people)
    groups = {"half": tuple("first" if at < 12 else "second" for at in range(len(bench.names)))}
    bench = replace(bench, groups=groups)
    plan = Plan(few_shot=((5, 1), (3, 4), (4, 2), (25, 1)), few_shot_within=None, identification=False)
    found = evaluate(bench, [fake], plan=plan)
    asked = [(row.ways, row.shots) for row in found.runs[0].few_shot]
    assert asked == [(5, 1), (3, 4), (4, 2)]
    assert any("25 classes" in note for note in found.notes)  # there are 24 people
    # Colours of people differ by far more than photos of one: nearly all are told, but for the photo without a face.
    assert all(0.9 < row.accuracy.value < 1 for row in found.runs[0].few_shot)
    inside = evaluate(bench, [fake], plan=replace(plan, few_shot=((5, 1),), few_shot_within="half"))
    assert inside.runs[0].few_shot[0].groups == 2
    with pytest.raises(DataError, match="half"):
        evaluate(bench, [fake], plan=replace(plan, few_shot_within="third"))


def test_few_shot_questions_need_labelled_photos(fake) -> None:  # type: ignore[no-untyped-def]
    none = np.zeros(1, dtype=np.intp)
    pairs = PairList("pairs", "two photos", (Path("a"), Path("b")), none, none + 1, none == 0, np.arange(2))
    with pytest.raises(DataError, match="labelled photos"):
        evaluate(pairs, [fake], plan=Plan(few_shot=((5, 1),)))
