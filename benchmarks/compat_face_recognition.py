"""`sameface.compat.face_recognition` against face_recognition 1.3.0 itself, on the photos of LFW View 1.

    python benchmarks/compat_face_recognition.py ../shared/data/lfw out/face_recognition.npz out [Train] [Test]

The second argument is what `compat_reference.py` wrote; Train or Test alone takes that pair list only. Prints a table;
writes compat.json, and keeps our own answers in the output folder.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import numpy as np

from sameface.compat import face_recognition

TOLERANCE_PX = 25  # of face_recognition's own tests
SAMPLE = 400  # faces on which landmarks and encodings are compared from the very same box


PARTS = sys.argv[4:] or ["Train", "Test"]


def photos_of(lfw: Path) -> list[str]:
    """Every photo of the View 1 pair lists, sorted."""
    return sorted({name for part in PARTS for pair in pairs_of(lfw, part) for name in pair[:2]})


def pairs_of(lfw: Path, part: str) -> list[tuple[str, str, bool]]:
    found = []
    for line in (lfw / f"pairsDev{part}.txt").read_text().splitlines()[1:]:
        words = line.split("\t")
        first, second = ((words[0], words[1]), (words[0], words[2])) if len(words) == 3 else (words[:2], words[2:])
        name_a, name_b = (f"{person}/{person}_{int(number):04d}.jpg" for person, number in (first, second))
        found.append((name_a, name_b, len(words) == 3))
    return found


def ours(lfw: Path, photos: list[str], kept: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Boxes and encodings of each photo, by the defaults."""
    if not kept.exists():
        rows: list[tuple[str, np.ndarray, np.ndarray]] = []
        for number, name in enumerate(photos, 1):
            image = face_recognition.load_image_file(lfw / "images" / name)
            boxes = face_recognition.face_locations(image)
            for box, encoding in zip(boxes, face_recognition.face_encodings(image), strict=True):
                rows.append((name, np.array(box), encoding))
            if number % 250 == 0:
                print(f"{number}/{len(photos)}", flush=True)
        np.savez(kept, photos=[r[0] for r in rows], boxes=[r[1] for r in rows], encodings=[r[2] for r in rows])
    with np.load(kept) as file:
        return by_photo(file["photos"], file["boxes"], file["encodings"])


def by_photo(photos, boxes, encodings):
    table: dict[str, tuple[list, list]] = {}
    for name, box, encoding in zip(photos, boxes, encodings, strict=True):
        table.setdefault(str(name), ([], []))[0].append(box)
        table[str(name)][1].append(encoding)
    return {name: (np.array(b), np.array(e)) for name, (b, e) in table.items()}


def same_faces(theirs, mine):
    """Pairs of boxes that are one face: centres within half a side."""
    for name, (boxes, encodings) in theirs.items():
        if name not in mine:
            yield from ((name, box, None, None) for box in boxes)
            continue
        for box, encoding in zip(boxes, encodings, strict=True):
            apart = np.abs(mine[name][0] - box).max(axis=1)
            best = int(apart.argmin())
            if apart[best] > (box[2] - box[0]) / 2:
                yield name, box, None, None
            else:
                yield name, box, int(apart[best]), float(np.linalg.norm(mine[name][1][best] - encoding))


def decisions(lfw, theirs, mine):
    """How often `compare_faces` agrees, on pairs where both libraries found a face in both photos.

    Once for the first face of each answer, as most programs take it, and once for the face nearest the middle of each photo, which is the same
    face for both libraries.
    """
    result = {}
    for which, choose in (("first_face", lambda boxes: 0), ("face_in_the_middle", most_central)):
        equal, pairs, right_theirs, right_mine = 0, 0, 0, 0
        for part in PARTS:
            for a, b, same in pairs_of(lfw, part):
                if not all(name in table for name in (a, b) for table in (theirs, mine)):
                    continue
                answers = []
                for table in (theirs, mine):
                    one, other = (table[name][1][choose(table[name][0])] for name in (a, b))
                    answers.append(bool(face_recognition.compare_faces([one], other)[0]))
                pairs += 1
                equal += answers[0] == answers[1]
                right_theirs += answers[0] == same
                right_mine += answers[1] == same
        shares = {"equal": equal / pairs, "right_theirs": right_theirs / pairs, "right_ours": right_mine / pairs}
        result[which] = {"pairs": pairs, **shares}
    return result


def most_central(boxes: np.ndarray) -> int:
    """LFW's photos are 250 pixels wide and high."""
    middle = np.stack([boxes[:, [0, 2]].mean(axis=1), boxes[:, [1, 3]].mean(axis=1)], axis=1)
    return int(np.linalg.norm(middle - 125, axis=1).argmin())


def same_box(lfw: Path, reference) -> dict[str, float]:
    """Landmarks and encodings when both start from face_recognition's own box."""
    chosen = np.random.default_rng(0).permutation(len(reference["photos"]))[:SAMPLE]
    worst = {"large": 0.0, "small": 0.0}
    apart = []
    for index in chosen:
        image = face_recognition.load_image_file(lfw / "images" / str(reference["photos"][index]))
        box = [tuple(int(value) for value in reference["boxes"][index])]
        for model in worst:
            found = face_recognition.face_landmarks(image, box, model=model)[0]
            points = np.array([point for feature in found.values() for point in feature])
            worst[model] = max(worst[model], float(np.abs(points - reference[f"landmarks_{model}"][index]).max()))
        encoding = face_recognition.face_encodings(image, box)[0]
        apart.append(float(np.linalg.norm(encoding - reference["encodings"][index])))
    return {
        "faces": len(chosen),
        "landmarks_68_worst_px": worst["large"],
        "landmarks_5_worst_px": worst["small"],
        "encoding_l2_worst": max(apart),
    }


def main() -> None:
    warnings.simplefilter("ignore", face_recognition.CommercialUseWarning)
    lfw, reference_file, out = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    mine = ours(lfw, photos_of(lfw), out / "sameface.npz")
    with np.load(reference_file) as file:
        reference = dict(file)
    wanted = set(photos_of(lfw)) & set(reference["listed"].tolist())
    theirs = by_photo(reference["photos"], reference["boxes"], reference["encodings"])
    theirs = {name: table for name, table in theirs.items() if name in wanted}
    mine = {name: table for name, table in mine.items() if name in wanted}
    matched = list(same_faces(theirs, mine))
    boxes = np.array([apart for _, _, apart, _ in matched if apart is not None])
    distances = np.array([apart for _, _, _, apart in matched if apart is not None])
    result = {
        "photos": len(wanted),
        "photos_with_a_face": {"face_recognition": len(theirs), "sameface": len(mine)},
        "faces_of_face_recognition": len(matched),
        "of_them_found": len(boxes) / len(matched),
        "of_those_within_25_px": float((boxes <= TOLERANCE_PX).mean()),
        "box_px": {"median": float(np.median(boxes)), "p95": float(np.quantile(boxes, 0.95))},
        "encoding_l2": {"median": float(np.median(distances)), "p95": float(np.quantile(distances, 0.95))},
        "compare_faces": decisions(lfw, theirs, mine),
        "from_the_same_box": same_box(lfw, reference),
    }
    print(json.dumps(result, indent=1))
    (out / "compat.json").write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
