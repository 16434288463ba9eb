"""1:K: ranks on a closed set, and searches of people who are not enrolled, over gallery sizes.

Every person is enrolled by one photo, their first with a face; the others are probes. Unknown people are those left out of a gallery.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.datasets import LabelledPhotos
from sameface.defaults import DEFAULT_FPIR
from sameface.errors import NotEnoughDataError, SettingError
from sameface.evaluation.embed import EmbeddedPhotos
from sameface.evaluation.results import IdentificationResult, OpenSetRow, Rate
from sameface.evaluation.scores import distance_table
from sameface.matching import false_match_rate_for, identification_threshold
from sameface.metrics import (
    RULE_OF_30,
    bootstrap_interval,
    cmc,
    open_set_rates,
    pairs_needed,
    ranks_of_mates,
    rule_of_three,
    threshold_at_fpir,
)
from sameface.types import Interval, OperatingPoint

SIZES: Final = (10, 30, 100, 300, 1000, 3000)
#: Galleries drawn for each size.
DRAWS: Final = 10
CMC_RANKS: Final = 50
HOW: Final = (
    "one photo enrolled per person, the rest are probes; people left out of the gallery are the unknown: one half of them chooses the "
    "measured τ(K), the other half is reported; {draws} galleries drawn for each size"
)


def identify_all(
    bench: LabelledPhotos,
    embedded: EmbeddedPhotos,
    point: OperatingPoint | None,
    *,
    fpir: float = DEFAULT_FPIR,
    sizes: Sequence[int] = SIZES,
    draws: int = DRAWS,
    seed: int = 0,
) -> IdentificationResult:
    """Closed-set ranks and open-set error rates.

    Args:
        bench, embedded: labelled photos with their embeddings; those without a face are failed searches when their person is enrolled.
        point: the operating point whose τ and tail are tried; None leaves the measured τ(K) only.
        fpir: the target.
        sizes: gallery sizes K to try, as far as the people reach.
        draws, seed: random galleries per size.

    Raises:
        NotEnoughDataError: fewer than two people with two photos.
    """
    if not 0 < fpir < 1:
        raise SettingError(expected="an FPIR between 0 and 1", got=str(fpir), advice="give a rate, for instance 0.01")
    table = _Table.of(bench, embedded)
    if len(table.with_mates) < 2:
        raise NotEnoughDataError(
            expected="two people with two photos", got=str(len(table.with_mates)), advice="give more photos per person"
        )
    enrolled = table.references[table.with_mates]
    probes = np.flatnonzero(np.isin(table.people, table.with_mates) & ~table.is_reference)
    ranks = ranks_of_mates(table.distances[np.ix_(probes, enrolled)], table.people[enrolled], table.people[probes])
    curve = cmc(ranks, len(enrolled))
    rows: list[OpenSetRow] = []
    for size in sizes:
        rows += _open_set(table, size, point, fpir, draws, seed)
    return IdentificationResult(
        closed_people=len(enrolled),
        closed_probes=len(probes),
        rank_1=rate_over_people(ranks == 1, table.people[probes], seed),
        cmc=tuple(curve[:CMC_RANKS].tolist()),
        target_fpir=fpir,
        open_set=tuple(rows),
        how=HOW.format(draws=draws),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """All distances between photos, and who is enrolled by which photo."""

    distances: npt.NDArray[np.float32]
    people: npt.NDArray[np.intp]
    references: npt.NDArray[np.intp]
    is_reference: npt.NDArray[np.bool_]
    with_mates: npt.NDArray[np.intp]
    enrollable: npt.NDArray[np.intp]

    @classmethod
    def of(cls, bench: LabelledPhotos, embedded: EmbeddedPhotos) -> _Table:
        distances = distance_table(embedded.embeddings, embedded.embeddings)
        distances[~embedded.found] = np.inf
        distances[:, ~embedded.found] = np.inf
        usable = np.flatnonzero(embedded.found)
        enrollable, first = np.unique(bench.people[usable], return_index=True)
        references = np.full(len(bench.names), -1, dtype=np.intp)
        references[enrollable] = usable[first]
        is_reference = np.zeros(len(bench.people), dtype=np.bool_)
        is_reference[usable[first]] = True
        others = np.bincount(bench.people[~is_reference], minlength=len(bench.names))
        with_mates = enrollable[others[enrollable] > 0]
        return cls(distances, bench.people, references, is_reference, with_mates, enrollable)


def _open_set(
    table: _Table, size: int, point: OperatingPoint | None, fpir: float, draws: int, seed: int
) -> list[OpenSetRow]:
    if size + 20 > len(table.enrollable):
        return []
    generator = np.random.default_rng([seed, size])
    mate, other, choosing, reporting, probe_people, unknown_people = [], [], [], [], [], []
    for _ in range(draws):
        # Half of the gallery, at most, are people with probes of their own; all others serve as unknown people.
        known = generator.permutation(table.with_mates)[: max(1, min(size, len(table.with_mates) // 2))]
        rest = generator.permutation(np.setdiff1d(table.enrollable, known))
        gallery = np.concatenate([known, rest[: size - len(known)]])
        unknown = np.setdiff1d(table.enrollable, gallery)
        columns = table.references[gallery]
        searches = np.flatnonzero(np.isin(table.people, known) & ~table.is_reference)
        found = table.distances[np.ix_(searches, columns)]
        own = table.people[searches][:, None] == gallery[None, :]
        mate.append(found[own])
        other.append(np.where(own, np.inf, found).min(axis=1))
        half = np.isin(np.arange(len(unknown)), generator.permutation(len(unknown))[: len(unknown) // 2])
        # One search per unknown person: their photos are no independent searches.
        nearest = table.distances[np.ix_(table.references[unknown], columns)].min(axis=1)
        choosing.append(nearest[half])
        reporting.append(nearest[~half])
        probe_people.append(table.people[searches])
        unknown_people.append(unknown[~half])
    parts = (mate, other, choosing, reporting)
    people = np.concatenate(probe_people), np.concatenate(unknown_people)
    return _rows(size, [np.concatenate(part) for part in parts], people, point, fpir, seed)


def _rows(
    size: int,
    joined: Sequence[npt.NDArray[np.float32]],
    people: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]],
    point: OperatingPoint | None,
    fpir: float,
    seed: int,
) -> list[OpenSetRow]:
    mate, other, choosing, reporting = joined
    needed = pairs_needed(fpir)
    rules: list[tuple[str, float | None, str]] = []
    if point is not None:
        guide = identification_threshold(point, size, fpir)
        rules += [
            ("1:1 threshold", point.threshold, "what silently using τ of 1:1 would do"),
            (
                "guide",
                guide,
                ""
                if guide is not None
                else f"needs FMR {false_match_rate_for(fpir, size):.1e}; the calibration supports {point.smallest_fmr:.1e} and more: candidates only",
            ),
        ]
    if len(choosing) >= needed:
        rules.append(("measured", threshold_at_fpir(choosing, fpir), ""))
    else:
        why = f"{len(choosing)} searches of unknown people; FPIR {fpir:g} needs {needed} ({RULE_OF_30} false positives expected)"
        rules.append(("measured", None, why))
    rows = []
    for rule, threshold, why in rules:
        if threshold is None:
            rows.append(OpenSetRow(size, rule, None, None, None, None, why))
            continue
        rates = open_set_rates(mate, other, reporting, threshold)
        rows.append(
            OpenSetRow(
                size,
                rule,
                float(threshold),
                rate_over_people(reporting < threshold, people[1], seed),
                rate_over_people(~((mate < threshold) & (mate < other)), people[0], seed),
                rates.misidentified,
                why,
            )
        )
    return rows


def rate_over_people(events: npt.NDArray[np.bool_], people: npt.NDArray[np.intp], seed: int = 0) -> Rate:
    """A rate of searches with its interval: several searches of one person are no independent trials, so people are drawn."""
    count, trials = int(events.sum()), len(events)
    _, codes = np.unique(people, return_inverse=True)
    happened, each = np.bincount(codes, events), np.bincount(codes)
    if count in (0, trials):
        bound = rule_of_three(len(each))
        interval = Interval(1 - bound.high, 1.0, bound.level, bound.method) if count else bound
    elif len(each) > 1:
        interval = bootstrap_interval(lambda w: float(w @ happened / (w @ each)), len(each), seed=seed)
    else:
        return Rate(count / trials, count, trials)
    return Rate(count / trials, count, trials, interval)
