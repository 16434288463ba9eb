"""Any order of calls: the store always answers as a dictionary would."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sameface.errors import PersonExistsError
from sameface.gallery import open_store
from tests.gallery.worlds import DIMENSION, SPACE, slow_search, template, vectors

POOL = vectors(40, seed=77)
NAMES = st.sampled_from([f"person {i}" for i in range(8)])
PICKS = st.lists(st.integers(0, len(POOL) - 1), min_size=1, max_size=3)


class AStoreIsADictionary(RuleBasedStateMachine):
    """Two users of one gallery file and one dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "people.db"
        self.stores = [self.open(), self.open()]
        self.world: dict[str, list[np.ndarray]] = {}
        self.turn = 0

    def open(self):  # type: ignore[no-untyped-def]
        return open_store(self.path, space=SPACE, dimension=DIMENSION)

    @property
    def store(self):  # type: ignore[no-untyped-def]
        self.turn += 1
        return self.stores[self.turn % 2]

    @rule(name=NAMES, picks=PICKS)
    def add(self, name: str, picks: list[int]) -> None:
        self.store.add(name, [template(POOL[i]) for i in picks])
        self.world.setdefault(name, []).extend(POOL[i] for i in picks)

    @precondition(lambda self: self.world)
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.world)))
        assert self.store.forget(name).templates == len(self.world.pop(name))

    @precondition(lambda self: len(self.world) > 1)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        into, other = data.draw(st.permutations(sorted(self.world)))[:2]
        self.store.merge(into, other)
        self.world[into] += self.world.pop(other)

    @precondition(lambda self: self.world)
    @rule(data=st.data())
    def rename(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(sorted(self.world)))
        new = "renamed " + old[-1]
        if new in self.world and new != old:
            with pytest.raises(PersonExistsError):
                self.store.update(old, name=new)
            return
        self.store.update(old, name=new)
        self.world = {(new if name == old else name): own for name, own in self.world.items()}

    @precondition(lambda self: not any(name.startswith("renamed") for name in self.world))
    @rule()
    def reopen(self) -> None:
        self.stores[0].close()
        self.stores[0] = self.open()

    @rule()
    def reindex(self) -> None:
        self.store.reindex()

    @rule(pick=st.integers(0, len(POOL) - 1), k=st.integers(1, 4))
    def search(self, pick: int, k: int) -> None:
        # Photos may occur in several people: equal distances are the rule here.
        expected = slow_search(POOL[pick], self.world, k)
        assert [(c.name, round(c.distance, 5)) for c in self.store.search(POOL[pick], k)[0]] == [
            (name, round(d, 5)) for name, d in expected
        ]

    @invariant()
    def same_people(self) -> None:
        assert [person.name for person in self.store.people()] == list(self.world)
        assert self.store.count() == sum(len(own) for own in self.world.values())

    def teardown(self) -> None:
        assert self.stores[0].check().ok
        for store in self.stores:
            store.close()
        self.folder.cleanup()


AStoreIsADictionary.TestCase.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
TestAStoreIsADictionary = AStoreIsADictionary.TestCase
