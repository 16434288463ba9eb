"""A `.bin` evaluates as the photos that it was made of, to the last digit."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sameface.cli.app import main
from sameface.datasets import PairList, read_bin, read_pair_table
from sameface.evaluation.embed import embed_photos
from sameface.evaluation.scores import score_pairs


@pytest.fixture
def both(colour_people: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The same pairs as a `.bin` and as a table; one photo shows no face."""
    people = sorted(colour_people.iterdir())
    rows, images, same = ["a,b,same,fold"], [], []
    for number in range(120):
        place, photo, mated = number // 2 % 24, number // 48, number % 2 == 0
        person, other = people[place], people[(place * 7 + 1) % 24]
        pair = (person / f"{photo}.png", person / "4.png" if mated else other / f"{photo}.png")
        rows.append(f"{pair[0]},{pair[1]},{int(mated)},{number // 12}")
        images += [path.read_bytes() for path in pair]
        same.append(mated)
    (tmp_path / "pairs.csv").write_text("\n".join(rows))
    (tmp_path / "pairs.bin").write_bytes(pickle.dumps((images, same), protocol=pickle.HIGHEST_PROTOCOL))
    return tmp_path / "pairs.bin", tmp_path / "pairs.csv"


def test_the_same_distances(both: tuple[Path, Path], fake: Any) -> None:
    packed, listed = read_bin(both[0]), read_pair_table(both[1])
    scores = [score_pairs(bench, embed_photos(fake, bench.photos)) for bench in (packed, listed)]
    assert scores[0].distances.tobytes() == scores[1].distances.tobytes()
    assert np.isinf(scores[0].distances).any()  # the photo without a face is one in both


def test_the_same_report(
    both: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """At the shell: every number but the speed."""
    monkeypatch.setenv("SAMEFACE_PROGRESS", "0")
    found = []
    for file in both:
        monkeypatch.setattr(
            "sys.argv", ["sameface", "evaluate", str(file), "-d", "none", "-e", "pixels", "--no-cache", "--json"]
        )
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code in (0, None)
        (run,) = json.loads(capsys.readouterr().out)["runs"]
        run.pop("speed")
        found.append(run)
    assert found[0] == found[1]
    assert found[0]["verification"]["accuracy"]["mean"] > 0.5


def test_hardest_pairs_are_named(both: tuple[Path, Path], fake: Any) -> None:
    from sameface.evaluation.hardest import hardest_pairs

    bench: PairList = read_bin(both[0])
    pairs = hardest_pairs(score_pairs(bench, embed_photos(fake, bench.photos)), bench.photos, 1)
    assert all(": image " in pair.a for pair in pairs)
