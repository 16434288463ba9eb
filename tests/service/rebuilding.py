"""Rebuilding a stored embedding from a service's answers: the attacks, for the tests and benchmarks/rebuild_embeddings.py.

The attacker runs the encoder too, so they know the embedding of each of their probes; the strongest one can make a probe of any embedding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sameface.recognizer import EncodedFace, Gallery
from sameface.recognizer.wire import Identification
from sameface.service.disclosure import Disclosure
from sameface.types import Box, Detection

#: Embeddings in, answers out.
Ask = Callable[[np.ndarray], list[Identification]]

_FACE = Detection(Box(0, 0, 100, 100), ((30, 40), (70, 40), (50, 60), (35, 80), (65, 80)), 1.0)


@dataclass
class Service:
    """`identify` of the service behind its disclosure, for embeddings instead of photos; counts its answers."""

    held: Gallery
    disclosure: Disclosure
    answers: int = 0

    def __call__(self, probes: np.ndarray) -> list[Identification]:
        self.answers += len(probes)
        faces = [EncodedFace(_FACE, probe.astype(np.float32)) for probe in probes]
        return list(self.disclosure.identified(self.held, self.held.identify_faces(faces, candidates=10), ""))


def likeness(guess: np.ndarray, truth: np.ndarray, middle: np.ndarray) -> float:
    """Cosine about the middle of all faces: 0 for somebody else, though raw embeddings of any two faces may point alike."""
    a, b = guess - middle, truth - middle
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-12))


def by_distances(ask: Ask, probes: np.ndarray, victim: str) -> np.ndarray | None:
    """Trilateration: ``‖x − t‖²`` of a few hundred probes is a linear system in t. None where no distances are told."""
    rows, apart = [], []
    for probe, answer in zip(probes, ask(probes), strict=True):
        for candidate in answer.candidates:
            if candidate.person_id == victim:
                rows.append(probe)
                apart.append(candidate.distance)
    if len(rows) <= probes.shape[1]:
        return None
    x, d = np.asarray(rows, np.float64), np.asarray(apart, np.float64)
    left = np.c_[-2 * x, np.ones(len(x))]  # ‖x‖² − 2 x·t + ‖t‖² = d²
    return np.linalg.lstsq(left, d**2 - (x**2).sum(axis=1), rcond=None)[0][:-1]


def by_votes(ask: Ask, probes: np.ndarray, victim: str) -> np.ndarray:
    """The middle of the probes that were named, away from those that were not."""
    named = np.array([answer.person_id == victim for answer in ask(probes)])
    away = probes[~named].mean(axis=0)
    return probes[named].mean(axis=0) if named.any() else 2 * probes.mean(axis=0) - away


def by_chords(ask: Ask, start: np.ndarray, victim: str, most: int, seed: int = 0) -> np.ndarray:
    """From one probe that is named: the middle of every chord through the ball of yes lies straight beside its centre.

    Args:
        start: a probe that is named.
        most: answers to spend.
    """
    draw = np.random.default_rng(seed)
    chords, halvings = 25, 8  # felt along at once
    normals, offsets = [], []
    for _ in range(most // (chords * halvings * 2)):
        ways = draw.normal(size=(chords, len(start)))
        ways /= np.linalg.norm(ways, axis=1, keepdims=True)
        both = np.concatenate([ways, -ways])
        low, high = np.zeros(len(both)), np.full(len(both), 2.0)
        for _ in range(halvings):
            half = (low + high) / 2
            named = np.array([answer.person_id == victim for answer in ask(start + half[:, None] * both)])
            low, high = np.where(named, half, low), np.where(named, high, half)
        normals.extend(ways)
        offsets.extend((low[:chords] - low[chords:]) / 2)
    # The smallest step from the start that puts the centre beside the middle of each chord.
    step = np.linalg.lstsq(np.asarray(normals), np.asarray(offsets), rcond=None)[0]
    return start + step
