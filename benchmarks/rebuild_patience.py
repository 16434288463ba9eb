"""How near a thief of embeddings comes by yes and no alone, on embeddings: whom a false match reaches, and what patience adds.

python benchmarks/rebuild_patience.py LFW_IMAGES [--people 100] [--answers 10000] [--victims 12] [--draws 3]

The rule of `identify` (the nearest template under τ(K)) is played on arrays, so all people are attacked at once; `rebuild_embeddings.py` asks the
service itself. Likeness is the cosine about the middle of all faces: 0 for somebody else, 1 for the victim.

reached   by photos of strangers, at several FPIR: how many of the gallery's people are named at all, how like them the named photo is, and how
          like the middle of all that were named; and what the stricter τ costs: two photos of one person that are not matched
centres   the same with the middles of groups of photos in place of photos: faces that nobody has, for an attacker who can draw any face
patience  from one false match along the edge of yes, with so many near misses: 60 are an hour's, 240 a day's, 1,440 what hours alone would give
price     near misses that strangers cause for each person
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from sameface.evaluation.cache import EmbeddingCache, default_cache
from sameface.evaluation.embed import embed_photos
from sameface.files import photos_below
from sameface.matching import identification_threshold
from sameface.recognizer import Recognizer
from tests.service.rebuilding import by_chords, likeness

NEAR, CLEAR = 1.1, 0.9  # as `sameface.service.disclosure` has them


class Service:
    """`identify` on arrays, with a budget of near misses for each person."""

    def __init__(self, templates: np.ndarray, tau: float, budget: float) -> None:
        self.templates, self.tau = templates, tau
        self.left = np.full(len(templates), float(budget))

    def __call__(self, probes: np.ndarray) -> list[SimpleNamespace]:
        answers = []
        for probe in probes:
            apart = np.linalg.norm(self.templates - probe, axis=1)
            nearest = int(apart.argmin())
            named = apart[nearest] < self.tau and self.left[nearest] > 0
            if self.tau <= apart[nearest] < NEAR * self.tau:
                self.left[nearest] -= 1
            answers.append(SimpleNamespace(person_id=nearest if named else None))
        return answers


def distances(probes: np.ndarray, templates: np.ndarray) -> np.ndarray:
    """All pairs, of unit vectors."""
    return np.sqrt(np.maximum(0, 2 - 2 * probes @ templates.T))


def named_by(probes: np.ndarray, templates: np.ndarray, tau: float) -> np.ndarray:
    """``(probes, templates)``: whom each probe is answered with."""
    apart = distances(probes, templates)
    return (apart < tau) & (apart.argmin(1)[:, None] == np.arange(len(templates)))


def centres(probes: np.ndarray, count: int) -> np.ndarray:
    """Middles of groups, by k-means on the sphere."""
    made = probes[np.random.default_rng(0).choice(len(probes), count, replace=False)]
    for _ in range(15):
        nearest = (probes @ made.T).argmax(1)
        sums = np.stack([probes[nearest == one].sum(0) for one in range(count)])
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        made = np.where(lengths > 0, sums / np.maximum(lengths, 1e-9), made)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--answers", type=int, default=10_000)
    parser.add_argument("--victims", type=int, default=12)
    parser.add_argument("--draws", type=int, default=3)
    given = parser.parse_args()
    recognizer = Recognizer(threads=1)
    photos = sorted(photos_below(given.images))
    with EmbeddingCache(default_cache()) as cache:
        made = embed_photos(recognizer, photos, cache=cache)
    faces = made.embeddings[made.found].astype(np.float64)
    people = np.array([photo.parent.name for photo in photos])[made.found]
    names = np.unique(people)
    mates = [own[:2] for own in (np.flatnonzero(people == name) for name in names) if len(own) > 1]
    mated = np.array([np.linalg.norm(faces[a] - faces[b]) for a, b in mates])
    draw = np.random.default_rng(0)
    point = recognizer.operating_point
    usual = identification_threshold(point, given.people, 0.01)
    assert usual is not None
    share = ((mated >= CLEAR * usual) & (mated < usual)).sum() / (mated < usual).sum()
    print(f"of mated pairs under τ(K), {100 * share:.1f} % are no clear matches")
    for number in range(given.draws):
        enrolled = draw.permutation(names)[: given.people]
        templates = faces[[np.flatnonzero(people == name)[0] for name in enrolled]]
        strangers = np.flatnonzero(~np.isin(people, enrolled))
        draw.shuffle(strangers)
        probes = faces[strangers[: given.answers]]
        middle = probes.mean(axis=0)
        for fpir in (0.01, 0.003, 0.001, 0.0):
            tau = identification_threshold(point, given.people, fpir) if fpir else point.tail[0].threshold
            if tau is None:
                continue
            told = named_by(probes, templates, tau)
            reached = np.flatnonzero(told.any(0))
            best = [max(likeness(one, templates[v], middle) for one in probes[told[:, v]]) for v in reached]
            joined = [likeness(probes[told[:, v]].mean(0), templates[v], middle) for v in reached]
            print(
                f"draw {number}, FPIR {fpir or 'smallest τ that is supported'} (τ(K) {tau:.4f}): reached {len(reached)} of {given.people};"
                f" likeness of the best photo, median {np.median(best or [np.nan]):.2f}; of the middle of all, largest"
                f" {max(joined, default=np.nan):.2f}; mated pairs not matched {100 * (mated >= tau).mean():.1f} % of {len(mated)}"
            )
        for count in (100, 1000):
            told = named_by(centres(probes, count), templates, usual)
            some = named_by(probes[:count], templates, usual)
            print(f"draw {number}: {count} centres reach {told.any(0).sum()}, as many photos {some.any(0).sum()}")
        apart = distances(probes, templates)
        near = (apart.min(1) >= usual) & (apart.min(1) < NEAR * usual)
        counts = np.bincount(apart.argmin(1)[near], minlength=given.people)
        print(
            f"draw {number}: near misses by {len(probes)} strangers, a person: mean {counts.mean():.0f}, most {counts.max()};"
            f" over 60: {(counts > 60).sum()}, over 240: {(counts > 240).sum()}"
        )
        if number:
            continue
        told = named_by(probes, templates, usual)
        # Nearer than 0.5 is the victim's own photo under another name, as LFW has a few.
        victims = [v for v in np.flatnonzero(told.any(0)) if apart[:, v].min() > 0.5][: given.victims]
        rows = []
        for victim in victims:
            start = probes[np.flatnonzero(told[:, victim])[0]]
            row = [likeness(start, templates[victim], middle)]
            for budget in (60, 240, 480, 1440, 1860, 1e9):
                guess = by_chords(Service(templates, usual, budget), start, int(victim), given.answers)
                row.append(likeness(guess, templates[victim], middle))
            rows.append(row)
            print("start, then 60, 240, 480, 1440, 1860 near misses, no limit:", np.round(row, 3), flush=True)
        print("median:", np.round(np.median(rows, axis=0), 2), "largest:", np.round(np.max(rows, axis=0), 2))


if __name__ == "__main__":
    main()
