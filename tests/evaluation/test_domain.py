"""Learning which faces a threshold holds for, on made faces whose strangers come close when damaged."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from sameface.errors import NotEnoughDataError
from sameface.evaluation.disturbed import Faces, measure
from sameface.evaluation.domain import learn_domain
from sameface.faces.measures import MEASURES
from sameface.recognizer.domain import Evidence, features, judge, threshold_for
from sameface.types import EmbeddingSpace, OperatingPoint

D = 32


def faces(kind: str, people: int, pull: float, length: float, seed: int, noise: float = 0.1) -> Faces:
    """Random directions, pulled toward one that damaged faces share; the length of an embedding tells that it is damaged."""
    random = np.random.default_rng(seed)
    embeddings = random.normal(size=(people, D)) / np.sqrt(D)
    embeddings[:, 0] += pull
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    rows = [
        features(row, Evidence(length + random.normal(0, noise), np.zeros(len(MEASURES), np.float32), 0.9, 64.0, 0.0))
        for row in embeddings
    ]
    return Faces(kind, float(seed), people, np.array(rows), embeddings.astype(np.float32), np.arange(people))


@pytest.fixture(scope="module")
def learned() -> tuple[OperatingPoint, list[Faces], list[Faces]]:
    calm = faces("", 600, 0.0, 10.0, 1)
    train = [faces("fog", 200, 2.5, 7.0, 2), faces("noise", 200, 0.0, 9.9, 3)]
    test = [faces("", 400, 0.0, 10.0, 11), faces("fog", 200, 2.5, 7.0, 12), faces("noise", 200, 0.0, 9.9, 13)]
    apart = np.linalg.norm(calm.embeddings[:, None] - calm.embeddings[None], axis=2)[np.triu_indices(600, 1)]
    tau = float(np.quantile(apart, 1e-3))
    point = OperatingPoint(tau, EmbeddingSpace("e", "d", "a"), "FMR 0.001", target_fmr=1e-3)
    domain = learn_domain(calm, train, threshold=tau, fmr=1e-3, data="made faces")
    return dataclasses.replace(point, domain=domain), train, test


def test_damage_that_lets_strangers_pass_is_refused_and_other_damage_is_not(
    learned: tuple[OperatingPoint, list[Faces], list[Faces]],
) -> None:
    point, _, test = learned
    calm, fog, noise = measure(test, point)
    assert fog.fmr_before is not None
    assert fog.fmr_before > 0.2
    assert fog.answered < 0.02
    assert calm.answered > 0.985
    assert noise.answered > 0.95
    assert noise.fmr is not None
    assert noise.fmr < 0.005


def test_the_record_says_what_each_kind_does(learned: tuple[OperatingPoint, list[Faces], list[Faces]]) -> None:
    point, train, _ = learned
    assert point.domain is not None
    kinds = {kind.name: kind for kind in point.domain.kinds}
    apart = np.linalg.norm(train[0].embeddings[:, None] - train[0].embeddings[None], axis=2)
    share = (apart[np.triu_indices(200, 1)] < point.threshold).mean()
    assert kinds["fog"].fmr == pytest.approx(share, abs=1e-3)
    assert kinds["fog"].answered < 0.02 < kinds["noise"].answered
    assert point.domain.refused < 0.005
    assert point.domain.threshold <= point.threshold


def test_rates_are_those_of_a_plain_loop(learned: tuple[OperatingPoint, list[Faces], list[Faces]]) -> None:
    point, _, test = learned
    part = dataclasses.replace(test[2], people=np.arange(200) // 2)  # mated pairs too
    assert point.domain is not None
    order = ("usual", "poor", "outside")
    standings = []
    for row, embedding in zip(part.features, part.embeddings, strict=True):
        crop, (length, _, sure, side, turned) = row[D : D + 26].astype(np.float32), row[D + 26 : D + 31]
        evidence = Evidence(length, crop, sure, 2**side, turned)
        standings.append(judge(point, embedding, evidence).standing)
    hits = {True: [0, 0], False: [0, 0]}
    for i in range(200):
        for j in range(i):
            worse = max(standings[i], standings[j], key=order.index)
            if worse != "outside":
                same = i // 2 == j // 2
                near = np.linalg.norm(part.embeddings[i] - part.embeddings[j]) < threshold_for(point, worse)
                hits[same][0] += near
                hits[same][1] += 1
    (rate,) = measure([part], point)
    assert rate.pairs == hits[False][1]
    assert rate.fmr == pytest.approx(hits[False][0] / hits[False][1])
    assert rate.fnmr == pytest.approx(1 - hits[True][0] / hits[True][1])
    assert rate.answered == pytest.approx(1 - standings.count("outside") / 200)


def test_too_few_people_say_nothing() -> None:
    few = faces("", 20, 0.0, 10.0, 1)
    with pytest.raises(NotEnoughDataError, match="at least 60 people"):
        learn_domain(few, [faces("fog", 200, 2.5, 7.0, 2)], threshold=0.9)
