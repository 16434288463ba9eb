"""Grouping against a slow average linkage, against truth that is known, and its laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sameface.errors import DataError, EmbeddingError, SettingError
from sameface.indexing import clustering
from sameface.indexing.cluster_scores import bcubed, pairwise
from sameface.indexing.clustering import (
    LINK_FACTOR,
    cluster,
    cluster_judged,
    in_order_of_appearance,
    link_threshold,
    poor_threshold,
)
from sameface.types import Domain, EmbeddingSpace, OperatingPoint


def slow_average_linkage(points, threshold, photos=None):
    """Join the two groups with the smallest mean distance that share no photo, again and again, while it is under τ."""
    table = np.linalg.norm(points[:, None] - points[None], axis=2)
    photos = list(range(len(points))) if photos is None else list(photos)
    groups = [[index] for index in range(len(points))]
    while len(groups) > 1:
        means = {
            (i, j): table[np.ix_(groups[i], groups[j])].mean()
            for i in range(len(groups))
            for j in range(i + 1, len(groups))
            if not {photos[a] for a in groups[i]} & {photos[b] for b in groups[j]}
        }
        if not means:
            break
        (i, j), smallest = min(means.items(), key=lambda item: item[1])
        if not smallest < threshold:
            break
        groups[i] += groups.pop(j)
    labels = np.empty(len(points), dtype=int)
    for number, members in enumerate(groups):
        labels[members] = number
    return in_order_of_appearance(labels)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("threshold", [0.3, 0.8, 1.6])
def test_average_linkage_of_whatever_links_connect(seed, threshold):
    rng = np.random.default_rng(seed)
    points = (rng.normal(0, 1.0, (6, 8))[rng.integers(0, 6, 40)] + rng.normal(0, 0.25, (40, 8))).astype(np.float32)
    np.testing.assert_array_equal(
        cluster(points, threshold), slow_average_linkage(points.astype(np.float64), threshold)
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("threshold", [0.8, 1.6])
def test_two_faces_of_one_photo_are_two_people(seed, threshold):
    rng = np.random.default_rng(seed)
    points = (rng.normal(0, 1.0, (4, 8))[rng.integers(0, 4, 40)] + rng.normal(0, 0.25, (40, 8))).astype(np.float32)
    photos = rng.integers(0, 15, 40)
    labels = cluster(points, threshold, photos=photos)
    assert len(set(zip(labels.tolist(), photos.tolist(), strict=True))) == 40
    np.testing.assert_array_equal(labels, slow_average_linkage(points.astype(np.float64), threshold, photos))


def test_a_chain_between_two_people_does_not_join_them():
    rng = np.random.default_rng(0)
    a = rng.normal(0, 0.05, (20, 4))
    b = rng.normal(0, 0.05, (20, 4)) + np.array([1.5, 0, 0, 0])
    bridge = [[0.5, 0, 0, 0], [1.0, 0, 0, 0]]
    labels = cluster(np.concatenate([a, b, bridge]).astype(np.float32), 0.6)
    assert len(set(labels[:20])) == len(set(labels[20:40])) == 1
    assert labels[0] != labels[20]


def test_the_rule_at_equality_and_at_zero():
    two = np.array([[0.0], [0.5]], dtype=np.float32)
    assert cluster(two, 0.5).tolist() == [0, 1]
    assert cluster(two, 0.50001).tolist() == [0, 0]
    assert cluster(np.zeros((3, 2), dtype=np.float32), 0.0).tolist() == [0, 1, 2]


def test_empty_and_bad_input():
    assert cluster(np.empty((0, 128), dtype=np.float32), 0.5).tolist() == []
    with pytest.raises(EmbeddingError):
        cluster(np.array([[np.nan]], dtype=np.float32), 0.5)
    with pytest.raises(EmbeddingError):
        cluster(np.zeros(3, dtype=np.float32), 0.5)
    with pytest.raises(SettingError):
        cluster(np.zeros((1, 1), dtype=np.float32), -1.0)
    with pytest.raises(SettingError):
        cluster(np.zeros((1, 1), dtype=np.float32), float("nan"))


@given(arrays(np.float32, (12, 2), elements=st.floats(-1, 1, width=16)), st.permutations(range(12)), st.floats(0.01, 2))
def test_order_of_faces_changes_nothing_but_ties(points, order, threshold):
    order = np.array(order)
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)[np.triu_indices(12, 1)]
    if len(np.unique(np.round(distances, 3))) < len(distances) or np.abs(distances - threshold).min() < 1e-3:
        return  # equal distances leave a choice
    shuffled = cluster(points[order], threshold)
    np.testing.assert_array_equal(in_order_of_appearance(cluster(points, threshold)[order]), shuffled)


def test_a_component_too_large_for_a_table_of_pairs(monkeypatch):
    monkeypatch.setattr(clustering, "_LARGEST", 10)
    rng = np.random.default_rng(2)
    people = np.repeat(np.arange(3), 15)
    points = (np.eye(3)[people] * 0.8 + rng.normal(0, 0.02, (45, 3))).astype(np.float32)
    np.testing.assert_array_equal(cluster(points, 1.2), people)
    assert len(set(cluster(np.zeros((30, 2), dtype=np.float32), 0.5))) == 1


def test_the_calibrated_threshold_scales_with_the_operating_point():
    point = OperatingPoint(0.8, EmbeddingSpace("e", "d", "a"), "FMR 0.001")
    assert link_threshold(point) == pytest.approx(0.8 * clustering.LINK_FACTOR)


# -- scores -----------------------------------------------------------------------------------------------------------
def slow_bcubed(truth, found):
    precision, recall = [], []
    for i in range(len(truth)):
        group = [j for j in range(len(truth)) if found[j] == found[i]]
        person = [j for j in range(len(truth)) if truth[j] == truth[i]]
        both = len(set(group) & set(person))
        precision.append(both / len(group))
        recall.append(both / len(person))
    return np.mean(precision), np.mean(recall)


def slow_pairwise(truth, found):
    pairs = [(i, j) for i in range(len(truth)) for j in range(i)]
    joined = {pair for pair in pairs if found[pair[0]] == found[pair[1]]}
    mated = {pair for pair in pairs if truth[pair[0]] == truth[pair[1]]}
    right = len(joined & mated)
    return right / len(joined) if joined else 1.0, right / len(mated) if mated else 1.0


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=25))
def test_scores_against_loops(pairs):
    truth, found = zip(*pairs, strict=True)
    b, p = bcubed(truth, found), pairwise(truth, found)
    assert (b.precision, b.recall) == pytest.approx(slow_bcubed(truth, found))
    assert (p.precision, p.recall) == pytest.approx(slow_pairwise(truth, found))


def test_perfect_and_unusable():
    assert bcubed(["a", "b"], [5, 3]).f == 1.0
    assert pairwise(["a", "b"], [5, 3]).f == 1.0
    with pytest.raises(DataError):
        bcubed(["a"], [1, 2])
    with pytest.raises(DataError):
        bcubed([], [])


def test_faces_that_need_a_stricter_threshold_have_it():
    points = np.array([[0.0], [0.3], [0.6]], dtype=np.float32)
    assert cluster(points, 0.5).tolist() == [0, 0, 0]  # 0.3, then the mean of 0.3 and 0.6
    assert cluster(points, 0.5, [1, 1, 2]).tolist() == [0, 0, 1]  # 0.6, then the mean of 0.6 and 1.2
    assert cluster(points, 0.5, [1, 2, 1]).tolist() == [0, 1, 2]
    assert cluster(points, 0.61, [1, 2, 1]).tolist() == [0, 0, 0]


def test_faces_outside_stand_alone_unless_forced_and_poor_ones_are_joined_under_their_own():
    points = np.array([[0.0], [0.1], [0.1], [0.3]], dtype=np.float32)
    standings = ["usual", "outside", "unknown", "poor"]
    assert cluster_judged(points, standings, 0.5, 0.5).tolist() == [0, 1, 0, 0]
    assert cluster_judged(points, standings, 0.5, 0.2).tolist() == [0, 1, 0, 2]
    assert cluster_judged(points, standings, 0.5, 0.5, force=True).tolist() == [0, 0, 0, 0]
    assert cluster_judged(points, standings, 0.5, 0.5, [1, 2, 3, 3]).tolist() == [0, 1, 0, 2]
    assert cluster_judged(points[:0], [], 0.5, 0.5).tolist() == []


def test_the_threshold_for_poor_faces_is_that_of_the_domain():
    domain = Domain((), (), (), 0.0, usual=0.0, limit=1.0, threshold=0.5)
    point = OperatingPoint(0.6, EmbeddingSpace("e", "d", "a"), "FMR 0.001", domain=domain)
    assert poor_threshold(point, 0.6 * LINK_FACTOR) == pytest.approx(0.5 * LINK_FACTOR)
    assert poor_threshold(point, 0.1) == 0.1  # never laxer than the one for others
    assert poor_threshold(replace(point, domain=None), 0.4) == 0.4
