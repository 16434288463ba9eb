"""On what terms people are kept: consent, retention, legal holds; checked, written as text, and turned into the moment in which their time is over.

Moments are texts in UTC to the second, so that the earlier one is the smaller text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from sameface.errors import SettingError
from sameface.plain import known
from sameface.types import Consent, Person, Retention

#: Characters of a purpose, of a reference to evidence, of the reason of a hold.
LONGEST_TERM: Final = 1000
#: Days of a retention at most: a hundred years.
MOST_DAYS: Final = 36_525
#: The name of the rule for everybody, where rules go by group. No group can be called so.
EVERYBODY: Final = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is noted about how long a person may be kept.

    Attributes:
        consent, keep_until, hold: as of `Person`.
    """

    consent: Consent | None = None
    keep_until: str = ""
    hold: str = ""


NO_TERMS: Final = Terms()


def terms_text(terms: Terms) -> str:
    """Terms as they are stored, "" for none at all.

    >>> terms_of(terms_text(Terms(hold="case 7"))), terms_text(NO_TERMS)
    (Terms(consent=None, keep_until='', hold='case 7'), '')
    """
    return "" if terms == NO_TERMS else msgspec.json.encode(terms).decode()


def terms_of(text: str) -> Terms:
    """Terms of a stored text."""
    return msgspec.json.decode(text, type=known(Terms)) if text else NO_TERMS


def terms_of_person(person: Person) -> Terms:
    """Somebody's own terms."""
    return Terms(person.consent, person.keep_until, person.hold)


def clean_terms(consent: Consent | None, keep_until: str, hold: str) -> Terms:
    """Terms as they are stored. Raises SettingError."""
    return Terms(
        None if consent is None else clean_consent(consent),
        clean_end(keep_until) if keep_until else "",
        clean_term(hold, "the reason of a hold") if hold else "",
    )


def clean_consent(consent: Consent) -> Consent:
    """A consent as it is stored. Raises SettingError.

    >>> clean_consent(Consent("the front door", "2026-11-26", "2027-11-26", "form 12"))
    Consent(purpose='the front door', given='2026-11-26T00:00:00+00:00', until='2027-11-27T00:00:00+00:00', evidence='form 12')
    """
    if not isinstance(consent, Consent):
        raise SettingError(expected="a Consent", got=type(consent).__name__, advice="give sameface.Consent(…)")
    given, until = clean_begin(consent.given), clean_end(consent.until) if consent.until else ""
    if until and until <= given:
        raise SettingError(
            expected="a consent that ends after it was given", got=f"{given} to {until}", advice="correct the dates"
        )
    evidence = clean_term(consent.evidence, "a reference to evidence") if consent.evidence else ""
    return Consent(clean_term(consent.purpose, "what the consent is for"), given, until, evidence)


def clean_retention(rule: Retention) -> Retention:
    """A rule as it is stored. Raises SettingError."""
    if not isinstance(rule, Retention) or isinstance(rule.days, bool) or not isinstance(rule.days, int):
        raise SettingError(expected="a Retention", got=repr(rule)[:80], advice="give sameface.Retention(days=…)")
    if not 0 <= rule.days <= MOST_DAYS or (not rule.days and not rule.until):
        raise SettingError(
            expected=f"1 to {MOST_DAYS:,} days, or a last day", got=f"{rule.days} days", advice="give one of both"
        )
    return Retention(rule.days, clean_end(rule.until) if rule.until else "")


def clean_term(text: str, what: str) -> str:
    """A text of terms: one line of 1 to 1,000 characters. Raises SettingError."""
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST_TERM or not text.strip().isprintable():
        raise SettingError(
            expected=f"{what} in one line of 1 to {LONGEST_TERM} characters",
            got=repr(text)[:80],
            advice="keep it short: long texts lie elsewhere, by their number",
        )
    return text.strip()


def clean_begin(text: str) -> str:
    """A moment from which on something holds; of a date its beginning. Raises SettingError.

    >>> clean_begin("2026-11-26"), clean_begin("2026-11-26T04:00:00+01:00")
    ('2026-11-26T00:00:00+00:00', '2026-11-26T03:00:00+00:00')
    """
    return _moment(text, timedelta(0))


def clean_end(text: str) -> str:
    """A moment until which something holds; of a date its end. Raises SettingError.

    >>> clean_end("2026-11-26"), clean_end("2026-11-26T04:00:00")
    ('2026-11-27T00:00:00+00:00', '2026-11-26T04:00:00+00:00')
    """
    return _moment(text, timedelta(days=1))


def end_of(terms: Terms, created: str, groups: Iterable[str], rules: Mapping[str, Retention]) -> str:
    """The earliest of all ends that hold for a person, "" for never.

    Args:
        created: when they were enrolled.
        rules: retention by group, that of the gallery under `EVERYBODY`.

    >>> end_of(Terms(keep_until="2030-01-01T00:00:00+00:00"), "2026-01-01T00:00:00+00:00", ["guests"], {"guests": Retention(days=30)})
    '2026-01-31T00:00:00+00:00'
    """
    ends = [terms.keep_until, terms.consent.until if terms.consent is not None else ""]
    for name in (EVERYBODY, *groups):
        rule = rules.get(name)
        if rule is not None:
            ends += [rule.until, _after(created, rule.days) if rule.days else ""]
    return min((end for end in ends if end), default="")


def rules_text(rules: Mapping[str, Retention]) -> str:
    """Rules as they are stored, "" for none."""
    return msgspec.json.encode(dict(sorted(rules.items()))).decode() if rules else ""


def rules_of(text: str) -> dict[str, Retention]:
    """Rules of a stored text."""
    return msgspec.json.decode(text, type=known(dict[str, Retention])) if text else {}


def rules_for(person: Person, rules: Mapping[str, Retention]) -> dict[str, Retention]:
    """The rules that hold for a person."""
    names: Sequence[str] = (EVERYBODY, *person.groups)
    return {name: rules[name] for name in names if name in rules}


def _after(created: str, days: int) -> str:
    try:
        return _in_utc(datetime.fromisoformat(created) + timedelta(days=days))
    except (OverflowError, ValueError):  # a moment that an old gallery or an import brought, beyond the calendar
        return ""


def _moment(text: str, of_a_date: timedelta) -> str:
    try:
        moment = datetime.fromisoformat(text)
        return _in_utc(moment + of_a_date if len(text) == len("2026-11-26") else moment)
    except (TypeError, ValueError, OverflowError):
        raise SettingError(
            expected="a date like 2027-12-31, or a moment by ISO 8601", got=repr(text)[:80], advice="give one"
        ) from None


def _in_utc(moment: datetime) -> str:
    known = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return known.astimezone(UTC).isoformat(timespec="seconds")
