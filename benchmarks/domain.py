"""What a threshold does on damaged photos, and what the domain that travels with it makes of them.

# all of it: learns on peopleDevTrain, writes the domain into the point that ships with the pair, shows peopleDevTest and ORL
python benchmarks/domain.py rebuild LFW ORL --out FOLDER [--encoder sface-2021dec-unit-int8] [--point mine.json]

# step by step; what is cut out serves all encoders of an alignment
python benchmarks/domain.py cut LFW/images --people LFW/peopleDevTrain.txt --most 120 --out train
python benchmarks/domain.py gather train --out train.npz                     # encodes
python benchmarks/domain.py learn train.npz --point point.json               # writes the domain into it
python benchmarks/domain.py table test.npz                                   # the shipped operating point
python benchmarks/domain.py leave-out train.npz test.npz                     # each kind as if it had never been seen

`rebuild` leaves what it cut out and encoded in the folder, and goes on from there when it is called again.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np

import sameface.models
from sameface.datasets import LabelledPhotos, read_folder, read_lfw_people
from sameface.defaults import DEFAULT_DETECTOR, DEFAULT_ENCODER
from sameface.evaluation.disturbances import ALL
from sameface.evaluation.disturbed import (
    Faces,
    cases_of,
    disturbed_crops,
    disturbed_faces,
    faces_from,
    measure,
    one_each,
)
from sameface.evaluation.domain import learn_domain
from sameface.evaluation.results import DisturbedRate
from sameface.faces import FaceCrop
from sameface.models.operating_points import file_name, load_operating_point, save_operating_point
from sameface.recognizer import Recognizer
from sameface.recognizer.domain import features, scores_of
from sameface.types import Box, Detection, Landmarks, OperatingPoint

CROPS = "crops.rgb"


def cut(data: LabelledPhotos, recognizer: Recognizer, most: int, calm: int, photos: int, folder: Path) -> None:
    """Crops of disturbed faces of some people, and of faces of more people as they are: any encoder of this alignment can take them."""
    folder.mkdir(parents=True, exist_ok=True)
    size = recognizer.card.input_size_wh[0]
    seen: list[tuple[int, int, int, Detection]] = []  # part, case, person, face
    tried = [0, 0]
    chosen = one_each(data, most, photos=photos), one_each(data, calm)
    with (folder / CROPS).open("wb") as file:
        for part, (places, kinds) in enumerate(zip(chosen, (ALL, ()), strict=True)):
            cases = cases_of(kinds)
            for place in places.tolist():
                found = list(disturbed_crops(recognizer.finder, data.photos[place], kinds))
                tried[part] += bool(found)
                for case, crop in found:
                    if crop is not None:
                        file.write(crop.crop_rgb.tobytes())
                        seen.append((part, cases.index(case), int(data.people[place]), crop.detection))
    five = [face.landmarks.points_xy if face.landmarks else np.zeros((5, 2)) for *_, face in seen]
    np.savez(
        folder / "seen.npz",
        size=size,
        tried=tried,
        of=np.array([row[:3] for row in seen], np.int64),
        box=np.array([(f.box.x1, f.box.y1, f.box.x2, f.box.y2) for *_, f in seen], np.float64),
        confidence=np.array([face.confidence for *_, face in seen], np.float64),
        scheme=seen[0][3].landmarks.scheme if seen[0][3].landmarks else "",
        points=np.array(five, np.float32),
        space=[recognizer.space.detector, recognizer.space.alignment],
    )


def gather(folder: Path, recognizer: Recognizer) -> list[Faces]:
    """Features of faces that were cut out; the undisturbed ones of more people come last."""
    with np.load(folder / "seen.npz") as file:
        kept = {name: file[name] for name in file}
    if kept["space"].tolist() != [recognizer.space.detector, recognizer.space.alignment]:
        raise SystemExit(f"these crops are of {kept['space']}, not of {recognizer.space}")
    size = int(kept["size"])
    crops = np.memmap(folder / CROPS, np.uint8, "r", shape=(len(kept["of"]), size, size, 3))
    cases = [(0, case) for case in cases_of(ALL)] + [(1, case) for case in cases_of(())]
    rows: list[list[tuple[np.ndarray, np.ndarray, int]]] = [[] for _ in cases]
    for start in range(0, len(crops), 256):
        some = range(start, min(start + 256, len(crops)))
        faces = [
            FaceCrop(
                Detection(
                    Box(*kept["box"][n].tolist()),
                    float(kept["confidence"][n]),
                    Landmarks(str(kept["scheme"]), kept["points"][n]) if str(kept["scheme"]) else None,
                ),
                np.asarray(crops[n]),
            )
            for n in some
        ]
        for n, face in zip(some, recognizer.encode_crops(faces), strict=True):
            part, case, person = kept["of"][n].tolist()
            assert face.evidence is not None
            row = (features(face.embedding, face.evidence), face.embedding, person)
            rows[case if part == 0 else len(cases) - 1].append(row)
    tried = kept["tried"].tolist()
    return [faces_from(*case, tried[part], own) for (part, case), own in zip(cases, rows, strict=True)]


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


def learned(parts: list[Faces], point: OperatingPoint, leave_out: str = "") -> OperatingPoint:
    """The point with a domain learned from gathered faces; from all kinds that a domain learns from but one."""
    spoilt = [part for part in parts[:-1] if part.kind and part.kind != leave_out]
    target = point.target_fmr or 1e-3
    domain = learn_domain(parts[-1], spoilt, threshold=point.threshold, fmr=target, data=point.data)
    return dataclasses.replace(point, domain=domain)


def rebuild(lfw: Path, orl: Path, recognizer: Recognizer, point: OperatingPoint, folder: Path, path: Path) -> None:
    """Cut, gather and learn what ships with a pair of encoder and detector, then show it on other people."""
    sets = {
        "train": lambda: (read_folder(lfw / "images", only=read_lfw_people(lfw / "peopleDevTrain.txt")), 120, 1500, 1),
        "test": lambda: (read_folder(lfw / "images", only=read_lfw_people(lfw / "peopleDevTest.txt")), 150, 1000, 1),
        "orl": lambda: (read_folder(orl), 40, 40, 3),
    }
    for name, read in sets.items():
        crops, found = folder / name, folder / f"{name}-{recognizer.space.encoder}.npz"
        if not (crops / "seen.npz").exists():
            data, most, calm, photos = read()
            cut(data, recognizer, most, calm, photos, crops)
        if not found.exists():
            save(gather(crops, recognizer), found)
        if name == "train":
            point = learned(load(found), point)
            save_operating_point(point, path)
            print(point.domain)
            continue
        print(f"{name}:")
        show(measure(load(found), point), point.target_fmr or 1e-3)
        if name == "test":
            costs(read()[0], recognizer, point)


def costs(data: LabelledPhotos, recognizer: Recognizer, point: OperatingPoint) -> None:
    """What the domain costs on photos as they are: the first two of 400 people, with it and without."""
    places = one_each(data, 400, photos=2)
    photos = [data.photos[place] for place in places]
    (calm,) = disturbed_faces(recognizer, photos, data.people[places], kinds=())
    for words, one in (("with the domain", point), ("without", dataclasses.replace(point, domain=None))):
        (row,) = measure([calm], one)
        print(
            f"two photos of 400 people, {words}: FNMR {row.fnmr:.2%}, FMR {row.fmr:.3%}, {1 - row.answered:.2%} refused"
        )
    assert point.domain is not None
    poor = (scores_of(point.domain, calm.features) > point.domain.usual).mean()
    print(f"poor or refused: {poor:.1%} of {len(calm)} faces")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("rebuild", "cut", "gather", "learn", "table", "leave-out"))
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--people", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--most", type=int, default=120)
    parser.add_argument("--calm", type=int, default=1500)
    parser.add_argument("--photos", type=int, default=1, help="photos a person that are disturbed")
    parser.add_argument(
        "--point",
        type=Path,
        help="an operating point to use, instead of the shipped one; `learn` and `rebuild` write the domain into it",
    )
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument("--detector", default=DEFAULT_DETECTOR)
    given = parser.parse_args()
    known = load_operating_point(given.point) if given.point else None
    recognizer = Recognizer(encoder=given.encoder, detector=given.detector, threads=1, operating_point=known)
    if given.what == "cut":
        folder = given.paths[0]
        data = read_folder(folder, only=read_lfw_people(given.people) if given.people else None)
        cut(data, recognizer, given.most, given.calm, given.photos, given.out)
        return
    if given.what == "gather":
        save(gather(given.paths[0], recognizer), given.out)
        return
    point: OperatingPoint = recognizer.operating_point
    target = point.target_fmr or 1e-3
    if given.what == "rebuild":
        shipped = Path(sameface.models.__path__[0], "operating_points", file_name(recognizer.space))
        rebuild(given.paths[0], given.paths[1], recognizer, point, given.out, given.point or shipped)
        return
    if given.what == "learn":
        point = learned(load(given.paths[0]), point)
        save_operating_point(point, given.point)
        print(point.domain, f"refused {point.domain.refused:.2%}" if point.domain else "")
        return
    if given.what == "table":
        show(measure(load(given.paths[0]), point), target)
        return
    train, test = (load(path) for path in given.paths[:2])
    for kind in dict.fromkeys(part.kind for part in train if part.kind):
        show(measure([part for part in test if part.kind == kind], learned(train, point, kind)), target)


if __name__ == "__main__":
    main()
