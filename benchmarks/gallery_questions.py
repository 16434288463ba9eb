"""What the small questions cost: who is known, how many, a page, the K of a group; beside the store's own cost of one search.

    python benchmarks/gallery_questions.py [people] [postgresql://…]

Prints milliseconds, the median of several. Run it alone on the machine.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sameface import Gallery
from sameface.gallery import NewPerson, TemplateStore, open_store
from sameface.types import EmbeddingSpace, Template

SPACE = EmbeddingSpace("made-up", "made-up", "made-up")
DIMENSION = 128


def milliseconds(call: Callable[[], object], repeats: int = 15) -> float:
    call()
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - begin))
    return statistics.median(taken)


def fill(store: TemplateStore, people: int) -> None:
    faces = np.random.default_rng(0).standard_normal((people, DIMENSION)).astype(np.float32)
    store.add_many(
        NewPerson(f"person {number}", [Template(face)], groups=["tenth"] if number % 10 == 0 else [])
        for number, face in enumerate(faces)
    )


def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as folder:
        location: str | Path = sys.argv[2] if len(sys.argv) > 2 else Path(folder) / "people.db"
        with open_store(location, space=SPACE, dimension=DIMENSION) as store:
            fill(store, people)
        with Gallery(location, create=False) as gallery:
            store = gallery.store
            middle, probe = (
                store.page(limit=people // 2 if people < 20_000 else 10_000).next,
                np.ones(DIMENSION, np.float32),
            )
            questions: dict[str, Callable[[], object]] = {
                "len(gallery)": lambda: len(gallery),
                "name in gallery": lambda: f"person {people // 2}" in gallery,
                "name not in gallery": lambda: "nobody" in gallery,
                "count of a group": lambda: store.count("tenth"),
                "first page of 50": lambda: store.page(limit=50),
                "page of 50 in the middle": lambda: store.page(limit=50, after=middle),
                "page of 50 of a group": lambda: store.page(limit=50, group="tenth"),
                "page of 50 by part of a name": lambda: store.page(limit=50, search="son 1"),
                "everybody at once": lambda: gallery.people(),
                "one search": lambda: store.search(probe, 2),
            }
            print(f"{people:,} people, {store.stats().settings['engine']}")
            for question, call in questions.items():
                print(f"{question:30} {milliseconds(call):10.3f} ms")


if __name__ == "__main__":
    main()
