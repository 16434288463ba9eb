"""Photos to embeddings: each content once, from the cache the second time, failures counted, stops survived."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import numpy as np
import pytest

from sameface.datasets import read_folder
from sameface.evaluation.cache import EmbeddingCache, NoUsableFace
from sameface.evaluation.embed import embed_photos
from sameface.types import Box, Detection, EmbeddingSpace, Landmarks


def test_rows_are_in_order_and_equal_one_by_one(colour_people: Path, fake) -> None:  # type: ignore[no-untyped-def]
    bench = read_folder(colour_people)
    steps: list[int] = []
    done = embed_photos(fake, bench.photos, workers=3, advance=steps.append)
    assert sum(steps) == len(bench.photos) == 120
    assert (done.encoded, done.from_cache) == (120, 0)
    from sameface.imaging import load_image

    for index in (0, 17, 119):
        one = fake.encode(load_image(bench.photos[index])[None])[0]
        assert np.array_equal(done.embeddings[index], one)
    assert [bench.photos[item.photo].name for item in done.failures] == ["4.png"]
    assert done.failures[0].reason == "no face"
    assert not done.found[4]
    assert not done.embeddings[4].any()


def test_second_time_comes_from_the_cache_and_failures_too(colour_people: Path, tmp_path: Path, fake) -> None:  # type: ignore[no-untyped-def]
    bench = read_folder(colour_people)
    path = tmp_path / "cache" / "e.sqlite"
    with EmbeddingCache(path) as cache:
        first = embed_photos(fake, bench.photos, cache=cache)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    fake.calls.update(detect=0, encode=0)
    moved = tmp_path / "elsewhere"
    shutil.copytree(colour_people, moved)
    with EmbeddingCache(path) as cache:
        second = embed_photos(fake, read_folder(moved).photos, cache=cache)
    assert fake.calls == {"detect": 0, "encode": 0}
    assert (second.encoded, second.from_cache) == (0, 120)
    assert np.array_equal(first.embeddings, second.embeddings)
    assert [item.reason for item in second.failures] == ["no face"]


def test_another_encoder_detects_nothing_again_and_never_gets_the_others_vectors(
    colour_people: Path, tmp_path: Path, fake
) -> None:  # type: ignore[no-untyped-def]
    bench = read_folder(colour_people)
    other = type(fake)("fake-2")
    with EmbeddingCache(tmp_path / "e.sqlite") as cache:
        embed_photos(fake, bench.photos, cache=cache)
        embed_photos(other, bench.photos, cache=cache)
        assert other.calls == {"detect": 0, "encode": 119}
        third = EmbeddingSpace("fake", "whole", "another")
        assert (
            cache.embeddings(third, "centre, turned upright", embed_photos(fake, bench.photos, cache=cache).sha256)
            == {}
        )


def test_a_stop_keeps_what_was_done(colour_people: Path, tmp_path: Path, fake) -> None:  # type: ignore[no-untyped-def]
    bench = read_folder(colour_people)

    def stop(steps: int) -> None:
        if steps:
            raise KeyboardInterrupt

    with EmbeddingCache(tmp_path / "e.sqlite") as cache:
        with pytest.raises(KeyboardInterrupt):
            embed_photos(fake, bench.photos, cache=cache, workers=1, advance=stop)
        again = embed_photos(fake, bench.photos, cache=cache)
    assert 0 < again.from_cache < 120
    assert again.from_cache + again.encoded == 120
    assert again.found.sum() == 119


def test_unreadable_photos_and_copies(tmp_path: Path, colour_people: Path, fake) -> None:  # type: ignore[no-untyped-def]
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff" + b"cut short")
    good = colour_people / "p01" / "0.png"
    copy = tmp_path / "copy.png"
    shutil.copy(good, copy)
    with EmbeddingCache() as cache:
        done = embed_photos(fake, [broken, good, copy, tmp_path / "gone.png"], cache=cache)
        assert fake.calls["encode"] == 1
        assert done.found.tolist() == [False, True, True, False]
        assert {item.photo: item.reason for item in done.failures} == {0: "unreadable", 3: "unreadable"}
        # What could not be read is tried again: only faces that were not found are remembered.
        assert embed_photos(fake, [broken], cache=cache).encoded == 1


def test_faces_survive_the_cache(tmp_path: Path) -> None:
    points = np.arange(10, dtype=np.float32).reshape(5, 2) / 3
    face = Detection(Box(1.5, 2, 30.25, 40), 0.875, Landmarks("arcface5", points))
    space = EmbeddingSpace("e", "d", "a")
    with EmbeddingCache(tmp_path / "e.sqlite") as cache:
        cache.put(
            "d", "centre", {"aa": face, "bb": NoUsableFace("no face", "none")}, space, {"aa": np.ones(4, np.float32)}
        )
        kept = cache.faces("d", "centre", ["aa", "bb", "cc"])
        assert kept["bb"] == NoUsableFace("no face", "none")
        back = kept["aa"]
        assert isinstance(back, Detection)
        assert back.landmarks is not None
        assert (back.box, back.confidence, back.landmarks.scheme) == (face.box, 0.875, "arcface5")
        assert np.array_equal(back.landmarks.points_xy, points)
        assert cache.faces("d", "largest", ["aa"]) == {}
        assert cache.embeddings(space, "centre", ["aa"])["aa"].tolist() == [1, 1, 1, 1]


def test_speed_is_claimed_only_for_the_whole_pipeline(colour_people: Path, fake) -> None:  # type: ignore[no-untyped-def]
    photos = read_folder(colour_people).photos[:40]
    with EmbeddingCache() as cache:
        assert embed_photos(fake, photos, cache=cache).whole_pipeline
        assert not embed_photos(type(fake)("fake-2"), photos, cache=cache).whole_pipeline
