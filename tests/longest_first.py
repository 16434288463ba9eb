"""Which files of tests begin first, so that all workers of a run end together: those that take longest.

xdist begins with the files of most tests. A file of one test that takes a minute then comes last, and one worker ends long after the others.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence

import pytest

#: Files that take five seconds of a processor and more, longest first. Others come after them, those of most tests first.
LONGEST = (
    "tests/docs/test_pages.py",
    "tests/training/test_facenet.py",
    "tests/service/test_page.py",
    "tests/test_handover.py",
    "tests/outside/test_outside.py",
    "tests/packaging/test_install.py",
    "tests/service/test_worst.py",
    "tests/training/test_distributed.py",
    "tests/gallery/postgres/test_kills.py",
    "tests/encoders/test_contract.py",
    "tests/faces/test_finder.py",
    "tests/service/test_contract.py",
    "tests/gallery/postgres/test_store.py",
    "tests/training/test_recipes.py",
    "tests/cli/test_models.py",
    "tests/compat/test_face_recognition.py",
    "tests/service/test_program.py",
    "tests/indexing/test_workers.py",
    "tests/docs/test_site.py",
    "tests/training/test_folder.py",
    "tests/cli/test_main_job.py",
    "tests/service/test_rebuilding.py",
    "tests/test_shortcuts.py",
)
#: More of them wait for each other's disk.
MOST_WORKERS = 8
#: Of memory, for a worker with its server of PostgreSQL, PyTorch and a dozen networks.
EACH_TAKES = 2 * 2**30


class LongestFirst:
    """Gives whole files to the workers, as ``--dist loadfile`` does, in the order of `LONGEST`."""

    def pytest_configure(self, config: pytest.Config) -> None:
        config.option.loadscopereorder = False  # by the number of tests

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        if hasattr(config, "workerinput"):
            order = longest_first([file_of(item) for item in items])
            items.sort(key=lambda item: order[file_of(item)])


def workers() -> int:
    """One more than there are cores, as far as memory goes: tests wait for disks, servers and browsers. Two more took 3 % longer, on two cores."""
    wanted = min((os.cpu_count() or 1) + 1, MOST_WORKERS)
    if not hasattr(os, "sysconf"):  # Windows
        return wanted
    return max(1, min(wanted, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // EACH_TAKES))


def file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def longest_first(files: Sequence[str]) -> dict[str, int]:
    """The place of each file in the order, given the file of each test; the same in every worker, wherever it began to collect.

    >>> longest_first(["a.py", "b.py", "b.py", "tests/docs/test_pages.py"])
    {'tests/docs/test_pages.py': 0, 'b.py': 1, 'a.py': 2}
    """
    tests = Counter(files)
    long = [file for file in LONGEST if file in tests]
    short = sorted((file for file in tests if file not in LONGEST), key=lambda file: (-tests[file], file))
    return {file: place for place, file in enumerate([*long, *short])}
