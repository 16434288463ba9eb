"""How often the passive networks and the active session are wrong. All attacks here are simulated; only three photos are real presentations.

    python benchmarks/liveness.py passive [--photos 5748] [--json out.json]
    python benchmarks/liveness.py active  [--honest 100] [--attacks 200] [--first 0] [--json out.json]

`passive` scores the first photo of each person of LFW and every photo of ORL (living faces, undisturbed), the shipped photos re-shot in simulation
(obliquely, printed, on a screen), and the three real samples. `active` plays sessions: a head of a simple shape that carries a shipped photo follows
what is asked; flat and bent sheets and videos of other sessions try to pass. Frames go through the real detector and encoder.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sameface.evaluation.presentation import Presentations, curve_of, report_at  # noqa: E402
from sameface.imaging import load_image, open_photo  # noqa: E402
from sameface.liveness import PassiveLiveness  # noqa: E402
from sameface.liveness.challenge import draw_challenge  # noqa: E402
from sameface.liveness.motion import sideways_of  # noqa: E402
from sameface.recognizer import Recognizer  # noqa: E402
from tests.liveness.played import Person, Rebent, Replayed, Still, Waved, other_challenge, play  # noqa: E402
from tests.liveness.reshot import RESHOT  # noqa: E402
from tests.liveness.simulated import Picture  # noqa: E402

DATA = Path(os.environ.get("SAMEFACE_DATA", ROOT.parent / "shared" / "data"))
SHIPPED = sorted((ROOT / "examples" / "photos").glob("*.*g"))
ATTACKS = ("still", "waved", "bent", "replayed")


def passive(photos: int) -> dict[str, object]:
    """Scores by kind, and what they come to."""
    os.environ.setdefault("SAMEFACE_MODELS", str(DATA / "models"))
    recognizer, networks = Recognizer(threads=1), PassiveLiveness()

    def scored(kind: str, pictures: object) -> Presentations:
        scores, without = [], 0
        for picture in pictures:  # type: ignore[attr-defined]
            photo = open_photo(picture)
            faces = recognizer.detect(photo)
            if not faces:
                without += 1
                continue
            width, height = photo.size_wh
            # LFW's person is the face nearest the middle.
            face = min(
                faces, key=lambda face: np.hypot(face.box.center_xy[0] - width / 2, face.box.center_xy[1] - height / 2)
            )
            scores.append(networks.judge(photo, [face])[0].score)
        return Presentations(kind, tuple(scores), without)

    lfw = sorted((DATA / "lfw" / "images").glob("*/*_0001.jpg"))[:photos]
    living = {"LFW": scored("real", lfw), "ORL": scored("real", sorted((DATA / "orl").glob("s*/*.pgm")))}
    shipped = scored("real", SHIPPED)
    attacks = [
        scored(kind, (shoot(load_image(path), np.random.default_rng(seed)) for path in SHIPPED for seed in range(10)))
        for kind, shoot in RESHOT.items()
    ]
    real = {path.name: scored("real", [path]).scores for path in sorted((DATA / "photos" / "spoof").glob("*.jpg"))}
    found: dict[str, object] = {"real samples": real, "shipped, as they are": shipped.scores}
    for name, item in living.items():
        found[f"{name}, faces"] = len(item.scores)
        found[f"{name}, without a face"] = item.without
        found[f"{name}, curve of BPCER and largest simulated APCER"] = curve_of([item, *attacks])
        report = report_at([item, *attacks], 0.5, data=name)
        found[f"{name}, BPCER at 0.5"] = (report.bpcer.rate, report.bpcer.interval.low, report.bpcer.interval.high)
        found[f"{name}, threshold at BPCER 2 %"] = float(np.quantile(item.scores, 0.02))
    found["simulated APCER at 0.5"] = {
        item.kind: float(np.mean([score >= 0.5 for score in item.scores])) for item in attacks
    }
    return found


def active(honest: int, attacks: int, first: int) -> dict[str, object]:
    """Verdicts by kind."""
    recognizer = Recognizer(threads=1)
    faces = [(load_image(path), recognizer.detect(path)[0]) for path in SHIPPED]
    # A session begins only with a face that looks straight; one of the six does not.
    straight = [item for item in faces if item[1].landmarks and abs(sideways_of(item[1].landmarks.points_xy)) < 0.16]
    pictures = [Picture.of(image, face) for image, face in straight]
    verdicts: dict[str, Counter[str]] = {}
    jobs = [("honest", number) for number in range(first, first + honest)]
    jobs += [(kind, number) for number in range(first, first + attacks // len(ATTACKS)) for kind in ATTACKS]
    for kind, number in jobs:
        random, challenge = np.random.default_rng(number), draw_challenge(random=Random(number))
        picture, largest = pictures[number % len(pictures)], float(np.random.default_rng(number).uniform(25, 55))
        if kind == "honest":
            actor = Person(picture, random, relief=float(random.uniform(0.8, 1.2)))
        elif kind == "still":
            actor = Still(picture, random)
        elif kind == "waved":
            actor = Waved(picture, random, largest=largest)
        elif kind == "bent":
            bend = float(random.uniform(0.3, 1.0))
            actor = (
                Rebent(picture, random, largest=largest, bend=bend)
                if number % 3 == 2
                else Waved(picture, random, largest=largest, bend=bend, upright=number % 3 == 0)
            )
        else:
            frames: list[np.ndarray] = []
            play(Person(picture, random), recognizer, other_challenge(challenge, number), keep=frames)
            actor = Replayed(frames, random)
        state = play(actor, recognizer, challenge).state
        verdicts.setdefault(kind, Counter())[state.phase if state.phase == "passed" else state.reason] += 1
        made = [(item.action, round(item.after, 1), item.relief and round(item.relief, 2)) for item in state.made]
        print(kind, number, state.phase, state.reason, state.actions, made, f"{state.last:.1f} s", flush=True)
    return {kind: dict(counts) for kind, counts in verdicts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("passive", "active"))
    parser.add_argument("--photos", type=int, default=5748)
    parser.add_argument("--honest", type=int, default=100)
    parser.add_argument("--attacks", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = passive(given.photos) if given.what == "passive" else active(given.honest, given.attacks, given.first)
    print(json.dumps(found, indent=2))
    if given.json:
        given.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
