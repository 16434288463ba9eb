"""How the golden files of schema 3 and of format 2 were made, once; run again it makes others of the same content."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sameface.gallery import NewPerson, open_store
from sameface.gallery.transfer import export_file
from sameface.types import Box, Consent, Retention, Template
from tests.gallery.worlds import SPACE

HERE = Path(__file__).parent
KEY = "07" * 32


def vector(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float32)


def main() -> None:
    for name, key, sealed in (
        ("schema-3", None, False),
        ("schema-3-sealed", KEY, False),
        ("schema-3-names", KEY, True),
    ):
        path = HERE / f"{name}.db"
        path.unlink(missing_ok=True)
        with open_store(path, space=SPACE, dimension=4, key=key, seal_names=sealed) as store:
            ada = Template(vector(1, 0, 0, 0.5), "ada.jpg", "ab" * 32, Box(1, 2, 30.5, 40), 0.75)
            store.add("Ada", [ada, Template(vector(0, 1, 0, -0.25))], details={"team": "engines"}, groups=["staff"])
            zoe = Template(vector(0, 0, 1, 0), "zoe.jpg", added="2026-11-02T10:00:00+00:00")
            store.add_many([NewPerson("Zoë 👩‍🚀", [zoe], created="2026-11-01T00:00:00+00:00")])
            store.add("Eve", [Template(vector(0.5, 0.5, 0, 0))])
            store.forget("Eve")
            consent = Consent("the front door", "2026-11-20", "2096-11-20", "form 12")
            store.update("Ada", consent=consent, keep_until="2095-01-01T00:00:00+00:00")
            store.hold("Ada", "case 7")
            store.set_retention(Retention(days=36_525))
            if key is None:
                export_file(store, HERE / "export-2.npz", card="a card")


if __name__ == "__main__":
    main()
