"""Limits of linear algebra threads: taken, shared, and given back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from threadpoolctl import threadpool_info

from sameface.errors import SettingError
from sameface.gallery.exact.threads import limited, threads_from_environment


def blas_threads() -> set[int]:
    """Threads of the library that NumPy multiplies with: searching uses no other, and other tests bring SciPy's and OpenCV's."""
    ours = [item for item in threadpool_info() if item["user_api"] == "blas" and "numpy" in item["filepath"]]
    assert ours
    return {item["num_threads"] for item in ours}


def test_a_limit_holds_inside_and_is_gone_outside() -> None:
    before = blas_threads()
    with limited(1):
        assert blas_threads() == {1}
        with limited(1):
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == before
    with limited(None):
        assert blas_threads() == before


def test_many_threads_leave_the_limit_as_it_was() -> None:
    before = blas_threads()

    def work(_: int) -> None:
        for _ in range(50):
            with limited(1):
                pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert blas_threads() == before


def test_the_environment_names_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEFACE_SEARCH_THREADS", "3")
    assert threads_from_environment() == 3
    monkeypatch.delenv("SAMEFACE_SEARCH_THREADS")
    assert threads_from_environment() is None
    for bad in ("0", "-1", "many", "1.5"):
        monkeypatch.setenv("SAMEFACE_SEARCH_THREADS", bad)
        with pytest.raises(SettingError):
            threads_from_environment()
