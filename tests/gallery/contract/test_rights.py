"""Consent, retention, holds, and forgetting in time, the same on every backend."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sameface.errors import PersonHeldError, PersonNotFoundError, SettingError
from sameface.gallery import NewPerson, TemplateStore
from sameface.types import Consent, Erased, Expired, PersonId, Retention
from tests.gallery.worlds import template, vectors

A, B, C, D = vectors(4)
PAST = "2020-01-01T00:00:00+00:00"


def days_from_now(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def all_about(store: TemplateStore) -> tuple[object, ...]:
    """Everything by which anybody could be met."""
    return (
        [person.name for person in store.people()],
        len(store),
        store.count(),
        [person.name for person in store.page().people],
        store.page().total,
        [person.name for person, _ in store.export()],
        sorted(candidate.name for candidate in store.search(A, 4)[0]),
    )


def test_consent_is_kept_and_ends(store: TemplateStore) -> None:
    store.add("Ada", [template(A)])
    consent = Consent("the front door", "2026-11-20", days_from_now(30), "form 12")
    ada = store.update("Ada", consent=consent)
    assert ada.consent == Consent(
        "the front door", "2026-11-20T00:00:00+00:00", f"{days_from_now(31)}T00:00:00+00:00", "form 12"
    )
    assert ada.expires == ada.consent.until
    assert store.person("Ada") == ada
    ada = store.update("Ada", keep_until=days_from_now(10))
    assert ada.expires == f"{days_from_now(11)}T00:00:00+00:00"
    ada = store.update("Ada", keep_until="")
    assert ada.expires == ada.consent.until
    assert [entry.action for entry in store.audit(3)] == ["keep until", "keep until", "consent"]


@pytest.mark.parametrize(
    "wrong",
    [
        Consent("", "2026-11-20"),
        Consent("x" * 1001, "2026-11-20"),
        Consent("door", "yesterday"),
        Consent("door", ""),
        Consent("door", "2026-11-20", "2026-11-01"),
        Consent("door", "2019-11-20", "2020-11-20"),
        Consent("a\nb", "2026-11-20"),
        "door",
    ],
)
def test_consents_that_are_none(store: TemplateStore, wrong: Consent) -> None:
    store.add("Ada", [template(A)])
    with pytest.raises(SettingError):
        store.update("Ada", consent=wrong)
    assert store.person("Ada").consent is None


@pytest.mark.parametrize("wrong", ["2020-01-01", "soon", PAST, "0000-00-00", 7])
def test_ends_that_are_none(store: TemplateStore, wrong: str) -> None:
    store.add("Ada", [template(A)])
    with pytest.raises(SettingError):
        store.update("Ada", keep_until=wrong)
    assert store.person("Ada").expires == ""


@pytest.mark.parametrize("wrong", [Retention(), Retention(days=-1), Retention(days=10**9), Retention(until="x"), 30])
def test_rules_that_are_none(store: TemplateStore, wrong: Retention) -> None:
    with pytest.raises(SettingError):
        store.set_retention(wrong)
    assert store.retention() == {}


def test_the_earliest_of_all_ends_counts(store: TemplateStore) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)

    def after(days: int) -> str:
        return (start + timedelta(days=days)).isoformat(timespec="seconds")

    store.add_many([NewPerson("Ada", [template(A)], groups=["guests", "staff"], created=start.isoformat())])
    store.set_retention(Retention(days=20_000))
    assert store.person("Ada").expires == after(20_000)
    store.set_retention(Retention(days=15_000), group="guests")
    store.set_retention(Retention(days=30_000, until="2099-12-31"), group="staff")
    assert store.person("Ada").expires == after(15_000)
    assert store.update("Ada", groups=["staff"]).expires == after(20_000)
    store.set_retention(None)
    assert store.person("Ada").expires == "2100-01-01T00:00:00+00:00"
    assert store.retention() == {
        "guests": Retention(days=15_000),
        "staff": Retention(days=30_000, until="2100-01-01T00:00:00+00:00"),
    }
    store.set_retention(None, group="staff")
    assert store.person("Ada").expires == ""
    assert store.check().ok


def test_whose_time_is_over_is_met_nowhere_before_they_are_forgotten(open_gallery) -> None:
    store, other = open_gallery(), open_gallery()
    store.add_many([NewPerson("Ada", [template(A), template(D)], keep_until=PAST), NewPerson("Bob", [template(B)])])
    store.add("Cy", [template(C)])
    for user in (store, other):
        assert all_about(user) == (["Bob", "Cy"], 2, 2, ["Bob", "Cy"], 2, ["Bob", "Cy"], ["Bob", "Cy"])
        assert "Ada" not in user
        with pytest.raises(PersonNotFoundError):
            user.forget("Ada")
        with pytest.raises(PersonNotFoundError):
            user.distances_to("Ada", A)
    (ada,) = other.ending()
    assert ada.name == "Ada"
    assert store.expire() == Expired((ada.person_id,), 2)
    assert store.expire() == Expired((), 0)
    assert other.ending() == []
    entry = store.audit(1, of=PersonId(ada.person_id))[0]
    assert (entry.action, entry.person_id, entry.templates) == ("expire", ada.person_id, 2)
    for user in (store, other):
        assert all_about(user)[0] == ["Bob", "Cy"]
        assert user.check().ok


def test_a_rule_ends_the_time_of_those_who_are_there(store: TemplateStore) -> None:
    old = "2026-01-01T00:00:00+00:00"
    store.add_many(NewPerson(name, [template(v)], groups=[name[:1]], created=old) for name, v in (("g1", A), ("g2", B)))
    store.add("s1", [template(C)])
    store.set_retention(Retention(days=1), group="g")
    assert [person.name for person in store.people()] == ["s1"]
    assert store.expire().templates == 2
    assert store.set_retention(Retention(days=1)) is None
    assert len(store) == 1  # enrolled today


def test_a_rule_that_is_set_while_others_enroll_counts_for_them(open_gallery) -> None:
    store, other = open_gallery(), open_gallery()
    setting = threading.Thread(target=other.set_retention, args=(Retention(days=30),))

    def people() -> Iterator[NewPerson]:
        yield from (NewPerson(f"before {number}", []) for number in range(2_500))  # more than are stored at a time
        setting.start()
        time.sleep(0.5)
        yield from (NewPerson(f"after {number}", []) for number in range(1_800))

    assert store.add_many(people()) == 0
    setting.join()
    assert [person.name for person in store.people() if not person.expires] == []
    assert len(store) == 4_300


def test_a_name_is_free_when_its_bearer_s_time_is_over(store: TemplateStore) -> None:
    for name in ("Ada", "Bob", "Cy"):
        store.add_many([NewPerson(name, [template(A)], keep_until=PAST)])
    new = store.add("Ada", [template(B)], if_exists="refuse")
    store.add_many([NewPerson("Bob", [template(C)])])
    store.update("Ada", name="Cy")
    assert [(person.name, person.photos) for person in store.people()] == [("Cy", 1), ("Bob", 1)]
    assert store.person("Cy").person_id == new.person_id
    assert [entry.action for entry in store.audit()].count("expire") == 3
    assert store.check().ok


def test_a_hold_forbids_to_forget(store: TemplateStore) -> None:
    store.add("Ada", [template(A), template(B)])
    store.add("Bob", [template(C)])
    assert store.hold("Ada", " case 7 ").hold == "case 7"
    kept = store.templates_of("Ada")
    for call in (
        lambda: store.forget("Ada"),
        lambda: store.drop_template(kept[0].template_id),
        lambda: store.merge("Bob", "Ada"),
        lambda: store.reembed(store.space, store.dimension, [], drop_missing=True),
    ):
        with pytest.raises(PersonHeldError):
            call()
    assert [item.template_id for item in store.templates_of("Ada")] == [item.template_id for item in kept]
    for wrong in ("", " ", "x" * 1001):
        with pytest.raises(SettingError):
            store.hold("Ada", wrong)
    assert store.lift_hold("Ada").hold == ""
    with pytest.raises(SettingError):
        store.lift_hold("Ada")
    assert isinstance(store.forget("Ada"), Erased)
    assert {"hold", "lift hold", "forget"} <= {entry.action for entry in store.audit()}


def test_who_is_held_over_their_time_is_kept_and_not_named(store: TemplateStore) -> None:
    store.add_many([NewPerson("Ada", [template(A)], keep_until=PAST, hold="case 7"), NewPerson("Bob", [template(B)])])
    assert store.expire() == Expired((), 0, held=1)
    assert [person.name for person in store.people()] == ["Ada", "Bob"]
    assert store.count() == 1
    assert [candidate.name for candidate in store.search(A, 2)[0]] == ["Bob"]
    with pytest.raises(PersonNotFoundError):
        store.distances_to("Ada", A)
    gone = store.lift_hold("Ada")
    assert "Ada" not in store
    assert [entry.action for entry in store.audit(2, of=PersonId(gone.person_id))] == ["expire", "lift hold"]


def test_merged_people_keep_the_stricter_terms(store: TemplateStore) -> None:
    store.add("Ada", [template(A)])
    store.add("A. L.", [template(B)])
    store.update("A. L.", keep_until="2099-01-01", consent=Consent("the door", "2026-11-01"))
    merged = store.merge("Ada", "A. L.")
    assert (merged.keep_until, merged.consent and merged.consent.purpose) == ("2099-01-02T00:00:00+00:00", "the door")
    assert merged.expires == merged.keep_until


def test_a_change_that_would_end_somebodys_time_is_refused(store: TemplateStore) -> None:
    store.add_many([NewPerson("Ada", [template(A)], created="2026-01-01T00:00:00+00:00")])
    store.set_retention(Retention(days=1), group="guests")
    with pytest.raises(SettingError):
        store.update("Ada", groups=["guests"])
    assert store.person("Ada").groups == ()


def test_who_looks_is_noted(store: TemplateStore) -> None:
    ada = store.add("Ada", [template(A)])
    store.add("Bob", [template(B)])
    store.note_access("Ada")
    assert [entry.action for entry in store.audit(of="Ada")] == ["access", "add"]
    assert {entry.person_id for entry in store.audit(of=ada)} == {ada.person_id}


def test_templates_know_when_they_were_stored(store: TemplateStore) -> None:
    before = datetime.now(UTC).isoformat(timespec="seconds")
    store.add("Ada", [template(A), template(B, added="2020-02-02T02:02:02+00:00")])
    new, kept = (item.template.added for item in store.templates_of("Ada"))
    assert before <= new <= datetime.now(UTC).isoformat(timespec="seconds")
    assert kept == "2020-02-02T02:02:02+00:00"
    with pytest.raises(SettingError):
        store.add("Ada", [template(C, added="then")])
