"""Rebuilding an enrolled person's embedding from the answers to an `identify` key: 10,000 photos of other people are asked about.

python benchmarks/rebuild_embeddings.py LFW_IMAGES [--people 100] [--answers 10000] [--victims 20] [--json out.json]

Likeness is the cosine about the middle of all faces: 0 for somebody else, 1 for the victim. For each victim:

numbers   trilateration from exact distances; told to callers who may have embeddings, so this is the control
answers   what a key without that right gets: the middle of the photos that were named, away from the others
edge      from the best photo that was named, feeling along the edge of yes with probes of any embedding, in as many answers again
chance    the likeness of the best photo that was named by chance, a false match: what the attacker had before any rebuilding
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from sameface.evaluation.cache import EmbeddingCache, default_cache
from sameface.evaluation.embed import embed_photos
from sameface.files import photos_below
from sameface.recognizer import Gallery, Recognizer
from sameface.service.attempts import Attempts
from sameface.service.disclosure import Disclosure
from sameface.service.settings import Settings
from sameface.types import Template
from tests.service.rebuilding import Service, by_chords, by_distances, by_votes, likeness


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("--people", type=int, default=100, help="in the gallery, with one photo each")
    parser.add_argument("--answers", type=int, default=10_000)
    parser.add_argument("--victims", type=int, default=20)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()

    recognizer = Recognizer()
    folders = sorted(path for path in given.images.iterdir() if path.is_dir())
    draw = np.random.default_rng(0)
    draw.shuffle(folders)
    enrolled, strangers = folders[: given.people], folders[given.people :]
    firsts = [next(photos_below(folder)) for folder in enrolled]
    others = [photo for folder in strangers for photo in photos_below(folder)][: given.answers]
    with EmbeddingCache(default_cache()) as cache:
        made = embed_photos(recognizer, [*firsts, *others], cache=cache)
    templates = made.embeddings[: len(firsts)][made.found[: len(firsts)]]
    probes = made.embeddings[len(firsts) :][made.found[len(firsts) :]].astype(np.float64)
    middle = probes.mean(axis=0)
    policy = Settings("unused")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        held = Gallery(Path(folder) / "people.db", recognizer=recognizer, fpir=policy.fpir)
        ids = [held.store.add(f"P{place}", [Template(one)]).person_id for place, one in enumerate(templates)]
        for victim, template in list(zip(ids, templates, strict=True))[: given.victims]:
            truth = template.astype(np.float64)

            def service(exact: bool) -> Service:
                attempts = Attempts(policy.near_misses)
                return Service(
                    held, Disclosure(exact=exact, who=("k", "g"), near_misses=attempts, refuse_replays=False)
                )

            nearest = np.argsort(np.linalg.norm(probes - truth, axis=1))[:1000]  # the victim is among their candidates
            control = by_distances(service(True), probes[nearest], victim)
            ask = service(False)
            guess = by_votes(ask, probes, victim)
            named = [
                one for one, answer in zip(probes, service(False)(probes), strict=True) if answer.person_id == victim
            ]
            best = max(named, key=lambda one: likeness(one, truth, middle), default=None)
            edge = None if best is None else by_chords(ask, best, victim, given.answers)
            rows.append(
                {
                    "numbers": None if control is None else likeness(control, truth, middle),
                    "answers": likeness(guess, truth, middle),
                    "named": len(named),
                    "chance": None if best is None else likeness(best, truth, middle),
                    "edge": None if edge is None else likeness(edge, truth, middle),
                }
            )
            print(rows[-1])
        held.close()
    lucky = [row for row in rows if row["named"]]
    summary = {
        "encoder": recognizer.space.encoder,
        "people": len(templates),
        "answers": len(probes),
        "victims": len(rows),
        "median likeness of all victims": float(np.median([abs(row["answers"]) for row in rows])),
        "largest of those never named": max((abs(row["answers"]) for row in rows if not row["named"]), default=None),
        "victims named by chance": len(lucky),
        "largest gain by the edge": max((row["edge"] - row["chance"] for row in lucky), default=None),
    }
    print(json.dumps(summary, indent=1))
    if given.json is not None:
        given.json.write_text(json.dumps({"summary": summary, "victims": rows}, indent=1))


if __name__ == "__main__":
    main()
