"""The pass over all templates: bounds that are never too high, in 8 bits as in 32, on any number of threads."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import TensorProto, helper, load_model_from_string

from sameface.errors import SettingError
from sameface.gallery import NewPerson, open_store
from sameface.gallery.exact import index as index_module
from sameface.gallery.exact.codes import BLOCK, code_probes, encoded, product_bounds
from sameface.gallery.exact.index import MatrixIndex
from sameface.gallery.exact.parallel import share
from sameface.gallery.exact.scan import lower_bounds, scan_from_environment, views_of
from sameface.gallery.exact.segment import NOBODY, Segment, StaleRowError, crc_of, square_norms
from sameface.gallery.following import live_index
from sameface.models.integer_product import _NETWORK, LARGEST, integer_product
from tests.gallery.worlds import DIMENSION, SPACE, slow_search, template, vectors


@pytest.fixture
def _small_galleries_have_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_index, "CODED_FROM", 2 * BLOCK)
    monkeypatch.setattr(live_index, "CACHE_FROM", 3 * BLOCK)


# -- the integer product ----------------------------------------------------------------------------------------------
def test_whole_numbers_are_multiplied_without_clipping() -> None:
    # The largest values on both sides: where two products are added in 16 bits, the sum must still fit.
    for sign in (1, -1):
        a, b = np.full((5, 128), 255, np.uint8), np.full((128, 3), sign * LARGEST, np.int8)
        assert (integer_product(a, b) == sign * 255 * LARGEST * 128).all()
    rng = np.random.default_rng(0)
    a = rng.integers(0, 256, (200, 77), dtype=np.uint8)
    b = rng.integers(-LARGEST, LARGEST + 1, (77, 9), dtype=np.int8)
    assert (integer_product(a, b) == a.astype(np.int64) @ b.astype(np.int64)).all()


def test_the_network_is_what_onnx_writes() -> None:
    kinds = {"a": (TensorProto.UINT8, "nd"), "b": (TensorProto.INT8, "dm"), "y": (TensorProto.INT32, "nm")}
    a, b, y = (helper.make_tensor_value_info(name, kind, list(shape)) for name, (kind, shape) in kinds.items())
    graph = helper.make_graph([helper.make_node("MatMulInteger", ["a", "b"], ["y"])], "product", [a, b], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    assert load_model_from_string(_NETWORK) == model


# -- bounds -----------------------------------------------------------------------------------------------------------
# What encoders give, and what only a test would: huge, tiny, zero, all in one block.
ROWS = arrays(
    np.float32,
    (2 * BLOCK, 4),
    elements=st.floats(-2, 2, width=32)
    | st.floats(-(2.0**60), 2.0**60, width=32)
    | st.sampled_from([0.0, np.float32(1e-38), np.float32(-1e-42)]),
)
PROBE = arrays(np.float32, (1, 4), elements=st.floats(-2, 2, width=32) | st.floats(-(2.0**60), 2.0**60, width=32))


@settings(max_examples=200, deadline=None)
@given(rows=ROWS, probe=PROBE)
def test_products_of_codes_bound_the_exact_ones(rows: np.ndarray, probe: np.ndarray) -> None:
    codes, numbers = encoded(rows), code_probes(probe, LARGEST)
    largest = float(np.linalg.norm(rows.astype(np.float64), axis=1).max())
    with np.errstate(all="ignore"):
        bounds = product_bounds(integer_product(codes.rows, numbers.numbers), codes, 0, numbers, largest)
    exact = (rows.astype(np.float64) @ probe[0].astype(np.float64)).reshape(-1, BLOCK).max(axis=1)
    # What float32 rounds away is not in these bounds but in the slack that `lower_bounds` returns.
    size = float(np.linalg.norm(probe.astype(np.float64)))
    slack = 12 * 2.0**-23 * (largest * size + largest**2 + size**2) + 1e-30
    assert np.all((bounds[:, 0] >= exact - slack) | ~np.isfinite(bounds[:, 0]))


@settings(max_examples=100, deadline=None)
@given(rows=ROWS, probe=PROBE, coded=st.booleans())
def test_no_bound_is_above_the_nearest_of_its_block(rows: np.ndarray, probe: np.ndarray, coded: bool) -> None:
    count = len(rows)
    numbers = np.arange(1, count + 1)
    segment = Segment(rows, numbers, numbers, np.zeros(count, np.uint32), square_norms(rows), count)
    segment.encode(BLOCK if coded else None)
    bounds, slack = lower_bounds(views_of([segment]), probe, threads=1)
    apart = np.linalg.norm(rows.astype(np.float64) - probe.astype(np.float64), axis=1) ** 2
    assert np.all(bounds[:, 0] - slack[0] <= apart.reshape(-1, BLOCK).min(axis=1))


def test_codes_leave_little_to_examine() -> None:
    rows = vectors(100 * BLOCK, 128, seed=3)
    numbers = np.arange(1, len(rows) + 1)
    segment = Segment(rows, numbers, numbers, np.zeros(len(rows), np.uint32), square_norms(rows), len(rows))
    segment.encode(BLOCK)
    probes = rows[:50] + vectors(50, 128, seed=4) * np.float32(0.4)
    bounds, slack = lower_bounds(views_of([segment]), probes, threads=1)
    assert [int((bounds[:, i] <= np.sum((rows[i] - probes[i]) ** 2) + slack[i]).sum()) for i in range(50)] == [1] * 50


# -- the index and the store ------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("_small_galleries_have_codes")
def test_answers_are_those_of_the_plain_loop_and_of_the_other_scan(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    world = {f"p{i}": [v] for i, v in enumerate(vectors(500, seed=1))}
    probes = np.concatenate([vectors(150, seed=2), np.stack([world[f"p{i}"][0] for i in range(10)])])
    with open_store(path, space=SPACE, dimension=DIMENSION, scan="int8") as store:
        store.add_many(NewPerson(name, [template(own[0])]) for name, own in world.items())
        assert store.stats().settings["scan"].startswith("int8")
        for _ in range(2):  # from the record, then from the cache
            assert store.search(probes, 3)  # makes the index
            assert store._live.index.segments[0].codes is not None  # type: ignore[attr-defined]
            for probe, answer in zip(probes, store.search(probes, 3), strict=True):
                assert [c.name for c in answer] == [name for name, _ in slow_search(probe, world, 3)]
            store._live.drop()  # type: ignore[attr-defined]
        with open_store(path, scan="float32") as plain:
            assert plain.search(probes, 5) == store.search(probes, 5)
            assert plain._live.index.segments[0].codes is None  # type: ignore[attr-defined]
            assert plain.stats().settings["scan"] == "float32"


@pytest.mark.usefixtures("_small_galleries_have_codes")
def test_the_forgotten_leave_the_codes_and_the_new_come_in(tmp_path: Path) -> None:
    world = {f"p{i}": [v] for i, v in enumerate(vectors(300, seed=5))}
    probes = vectors(20, seed=6)
    with open_store(tmp_path / "people.db", space=SPACE, dimension=DIMENSION) as store:
        store.add_many(NewPerson(name, [template(own[0])]) for name, own in world.items())
        store.warm()
        codes = store._live.index.segments[0].codes  # type: ignore[attr-defined]
        assert codes.rows[40].any()
        store.forget("p40")
        del world["p40"]
        assert not codes.rows[40].any()
        for number, row in enumerate(vectors(200, seed=7)):
            store.add(f"new {number}", [template(row)])
            world[f"new {number}"] = [row]
        for probe in probes:
            assert [c.name for c in store.search(probe, 3)[0]] == [name for name, _ in slow_search(probe, world, 3)]
        store.add_many(NewPerson(f"more {i}", [template(v)]) for i, v in enumerate(vectors(400, seed=8)))
        world |= {f"more {i}": [v] for i, v in enumerate(vectors(400, seed=8))}
        for probe in probes:
            assert [c.name for c in store.search(probe, 3)[0]] == [name for name, _ in slow_search(probe, world, 3)]
        assert sum(len(segment.codes or ()) for segment in store._live.index.segments) > 2 * BLOCK  # type: ignore[attr-defined]


def test_any_number_of_threads_gives_one_answer() -> None:
    rows = vectors(5 * (1 << 14) + 77, 16, seed=9)
    numbers = np.arange(1, len(rows) + 1)
    index = MatrixIndex(16)
    crcs = np.zeros(len(rows), np.uint32)
    index.append(rows, numbers, numbers, crcs)
    probes = vectors(3, 16, seed=10)
    one = lower_bounds(views_of(index.segments), probes, threads=1)[0]
    for threads in (2, 3, 8):
        assert (lower_bounds(views_of(index.segments), probes, threads=threads)[0] == one).all()


def test_the_environment_names_the_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAMEFACE_SEARCH_SCAN", raising=False)
    assert scan_from_environment() == "int8"
    monkeypatch.setenv("SAMEFACE_SEARCH_SCAN", "float32")
    assert scan_from_environment() == "float32"
    monkeypatch.setenv("SAMEFACE_SEARCH_SCAN", "float16")
    with pytest.raises(SettingError, match="float16"):
        scan_from_environment()


# -- threads ----------------------------------------------------------------------------------------------------------
def test_every_piece_is_done_once_by_whoever_is_free() -> None:
    done: list[int] = []
    share(done.append, 200, 4)
    assert sorted(done) == list(range(200))
    share(done.append, 0, 4)
    assert len(done) == 200


def test_a_search_does_not_wait_for_helpers_that_are_busy_elsewhere() -> None:
    release = threading.Event()
    holder = threading.Thread(target=lambda: share(lambda _: release.wait(30) and None, 2 * 64, 64))
    holder.start()
    try:
        done: list[int] = []
        share(done.append, 50, 3)
        assert len(done) == 50
    finally:
        release.set()
        holder.join(30)


def test_the_error_of_a_piece_is_raised() -> None:
    def work(number: int) -> None:
        if number == 7:
            raise ValueError("seven")

    for threads in (1, 3):
        with pytest.raises(ValueError, match="seven"):
            share(work, 20, threads)


def in_memory(count: int) -> Segment:
    made = vectors(count)
    keys = np.arange(1, count + 1)
    crcs = np.array([crc_of(int(key), row.tobytes()) for key, row in zip(keys, made, strict=True)], np.uint32)
    return Segment(made, keys.copy(), keys, crcs, square_norms(made), count)


def test_a_row_that_another_process_crosses_out_during_a_search_is_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    segment = in_memory(4 * BLOCK)
    looked = index_module._Examination._examine

    def crossed_out(self: object, blocks: object) -> None:
        looked(self, blocks)  # type: ignore[arg-type]
        segment.keys[:] = NOBODY

    monkeypatch.setattr(index_module._Examination, "_examine", crossed_out)
    with pytest.raises(StaleRowError):
        MatrixIndex(DIMENSION, segment).search(vectors(1), 1)


def test_keys_that_others_may_change_are_compared_as_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    # numpy.isin looks at its input twice, and failed, or took somebody for another, when a key became -1 in between.
    segment, compared = in_memory(4 * BLOCK), np.isin

    def isin(numbers: np.ndarray, *rest: object) -> object:
        assert not np.shares_memory(numbers, segment.keys)
        return compared(numbers, *rest)  # type: ignore[call-overload]

    monkeypatch.setattr(np, "isin", isin)
    index = MatrixIndex(DIMENSION, segment)
    assert index.search(vectors(1), 1, np.array([2, 3]))[0][0][0] in (2, 3)
    assert index.remove([2]) == 1
