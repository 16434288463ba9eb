from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sameface.encoders import Encoded
from sameface.service.batching import BatchingEncoder


class SlowEncoder:
    """Gives each crop's mean colour; holds every call until it is let go."""

    card = None

    def __init__(self) -> None:
        self.go = threading.Event()
        self.sizes: list[int] = []

    def encode_measured(self, crops):
        self.sizes.append(len(crops))
        self.go.wait(10)
        if (crops == 255).all(axis=(1, 2, 3)).any():
            raise ValueError("white")
        embeddings = crops.mean(axis=(1, 2)).astype(np.float32)
        return Encoded(embeddings, np.linalg.norm(embeddings, axis=1))


def crops(*values: int, side: int = 4):
    return np.stack([np.full((side, side, 3), value, dtype=np.uint8) for value in values])


def together(encoder: SlowEncoder, batching: BatchingEncoder, *batches):
    """Send batches at once: the first goes alone, the others gather behind it."""
    with ThreadPoolExecutor(len(batches)) as pool:
        first = pool.submit(batching.encode, batches[0])
        while not encoder.sizes:
            pass
        others = [pool.submit(batching.encode, batch) for batch in batches[1:]]
        while len(batching._waiting) < len(others):
            pass
        encoder.go.set()
        return [first, *others]


def test_who_waits_is_taken_along():
    encoder = SlowEncoder()
    answers = together(encoder, BatchingEncoder(encoder), crops(1), crops(2, 3), crops(4))
    assert [answer.result()[:, 0].tolist() for answer in answers] == [[1.0], [2.0, 3.0], [4.0]]
    assert encoder.sizes == [1, 3]


def test_the_limit_splits_batches_but_never_one_callers():
    encoder = SlowEncoder()
    answers = together(encoder, BatchingEncoder(encoder, limit=2), crops(1), crops(2, 3, 4), crops(5), crops(6))
    assert [len(answer.result()) for answer in answers] == [1, 3, 1, 1]
    assert sorted(encoder.sizes[1:]) == [2, 3]


def test_crops_of_different_sizes_do_not_meet():
    encoder = SlowEncoder()
    answers = together(encoder, BatchingEncoder(encoder), crops(1), crops(2), crops(3, side=6), crops(4))
    assert [answer.result()[0, 0] for answer in answers] == [1, 2, 3, 4]
    assert sorted(encoder.sizes) == [1, 1, 2]


def test_an_error_reaches_everybody_of_the_batch_and_nobody_after():
    encoder = SlowEncoder()
    batching = BatchingEncoder(encoder)
    first, second, third = together(encoder, batching, crops(1), crops(2), crops(255))
    assert first.result()[0, 0] == 1
    for answer in (second, third):
        with pytest.raises(ValueError, match="white"):
            answer.result()
    assert batching.encode(crops(9))[0, 0] == 9


def test_nothing_in_nothing_out():
    encoder = SlowEncoder()
    encoder.go.set()
    assert len(BatchingEncoder(encoder).encode(np.empty((0, 4, 4, 3), dtype=np.uint8))) == 0


def test_many_threads_get_their_own_answers():
    encoder = SlowEncoder()
    encoder.go.set()
    batching = BatchingEncoder(encoder)
    with ThreadPoolExecutor(16) as pool:
        wanted = [value % 250 for value in range(800)]
        got = list(pool.map(lambda value: batching.encode(crops(value))[0, 0], wanted))
    assert got == wanted
    assert batching.calls == len(encoder.sizes) <= 800
