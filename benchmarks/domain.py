"""What a threshold does on damaged photos, and what the domain that travels with it makes of them.

python benchmarks/domain.py gather LFW/images --people LFW/peopleDevTrain.txt --out train.npz      # disturbs and encodes, once
python benchmarks/domain.py gather LFW/images --people LFW/peopleDevTest.txt --most 200 --calm 1000 --out test.npz
python benchmarks/domain.py table test.npz                                   # the shipped operating point
python benchmarks/domain.py leave-out train.npz test.npz                     # each kind as if it had never been seen
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np

from sameface.datasets import LabelledPhotos, read_folder, read_lfw_people
from sameface.defaults import DEFAULT_DETECTOR, DEFAULT_ENCODER
from sameface.evaluation.domain import Faces, disturbed_faces, learn_domain, measure, one_each
from sameface.evaluation.results import DisturbedRate
from sameface.models.operating_points import load_operating_point, save_operating_point
from sameface.recognizer import Recognizer
from sameface.types import OperatingPoint


def gather(data: LabelledPhotos, recognizer: Recognizer, most: int, calm: int, photos: int) -> list[Faces]:
    """Disturbed faces of some people, and faces of more people as they are (the last part)."""
    chosen = one_each(data, most, photos=photos)
    parts = disturbed_faces(recognizer, [data.photos[n] for n in chosen], data.people[chosen])
    more = one_each(data, calm)
    parts += disturbed_faces(recognizer, [data.photos[n] for n in more], data.people[more], kinds=())
    return parts


def save(parts: list[Faces], path: Path) -> None:
    fields = {}
    for number, part in enumerate(parts):
        fields |= {f"{number}-{item.name}": np.asarray(getattr(part, item.name)) for item in dataclasses.fields(part)}
    np.savez(path, **fields)


def load(path: Path) -> list[Faces]:
    with np.load(path) as kept:
        count = 1 + max(int(name.split("-")[0]) for name in kept)
        return [
            Faces(
                str(kept[f"{n}-kind"]),
                float(kept[f"{n}-strength"]),
                int(kept[f"{n}-photos"]),
                kept[f"{n}-features"],
                kept[f"{n}-embeddings"],
                kept[f"{n}-people"],
            )
            for n in range(count)
        ]


def show(rows: list[DisturbedRate], target: float) -> None:
    """A line for each kind over its strengths: pairs of all strengths count alike."""
    print(f"{'kind':18}{'strength':>9}{'found':>8}{'answered':>10}{'FMR before':>12}{'FMR':>9}{'FNMR':>8}{'pairs':>9}")
    for row in rows:
        shown = [f"{value:.2%}" if value is not None else "–" for value in (row.fmr_before, row.fmr, row.fnmr)]
        mark = "  <" if row.fmr is not None and row.fmr > 3 * target and row.pairs >= 300 else ""
        print(
            f"{row.kind or 'undisturbed':18}{row.strength:>9g}{row.found:>8.0%}{row.answered:>10.1%}"
            f"{shown[0]:>12}{shown[1]:>9}{shown[2]:>8}{row.pairs:>9}{mark}"
        )
    kinds = dict.fromkeys(row.kind for row in rows)
    for kind in kinds:
        own = [row for row in rows if row.kind == kind and row.fmr is not None]
        pairs = sum(row.pairs for row in own)
        rate = sum(row.fmr * row.pairs for row in own if row.fmr is not None) / pairs if pairs else float("nan")
        print(f"{kind or 'undisturbed':18} all strengths: FMR {rate:.2%} of {pairs} answered stranger pairs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("gather", "learn", "table", "leave-out"))
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--people", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--most", type=int, default=300)
    parser.add_argument("--calm", type=int, default=1500)
    parser.add_argument("--photos", type=int, default=1, help="photos a person that are disturbed")
    parser.add_argument(
        "--point",
        type=Path,
        help="an operating point to use, instead of the shipped one; `learn` writes the domain into it",
    )
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument("--detector", default=DEFAULT_DETECTOR)
    given = parser.parse_args()
    known = load_operating_point(given.point) if given.point else None
    recognizer = Recognizer(encoder=given.encoder, detector=given.detector, threads=1, operating_point=known)
    if given.what == "gather":
        folder = given.paths[0]
        data = read_folder(folder, only=read_lfw_people(given.people) if given.people else None)
        save(gather(data, recognizer, given.most, given.calm, given.photos), given.out)
        return
    point: OperatingPoint = recognizer.operating_point
    target = point.target_fmr or 1e-3
    if given.what == "learn":
        parts = load(given.paths[0])
        domain = learn_domain(parts[-1], parts[:-1], threshold=point.threshold, fmr=target, data=point.data)
        save_operating_point(dataclasses.replace(point, domain=domain), given.point)
        print(domain, f"refused {domain.refused:.2%}")
        return
    if given.what == "table":
        show(measure(load(given.paths[0]), point), target)
        return
    train, test = (load(path) for path in given.paths[:2])
    for kind in dict.fromkeys(part.kind for part in train if part.kind):
        others = [part for part in train[:-1] if part.kind != kind]
        domain = learn_domain(train[-1], others, threshold=point.threshold, fmr=target)
        show(measure([part for part in test if part.kind == kind], dataclasses.replace(point, domain=domain)), target)


if __name__ == "__main__":
    main()
