"""Templates of many photos: one embedding for each, 1:1 between templates and 1:N in galleries of them, as IJB-B and IJB-C are reported.

Source: ``image2template_feature`` of InsightFace's evaluation of IJB: the faces of one photo or video are averaged, these means are added, and the
sum is brought to length 1. Faces may be weighted by their detector's score before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sameface.datasets.ijb import TemplateSet
from sameface.defaults import DEFAULT_FPIR
from sameface.errors import NotEnoughDataError
from sameface.evaluation.scores import Scores, pair_distances
from sameface.metrics.folds import linked
from sameface.metrics.search import OpenSetRates, open_set_rates, ranks_of_mates
from sameface.metrics.thresholds import threshold_at_fpir
from sameface.types import Embeddings

#: Probes that are compared with a gallery at a time.
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class TemplateSearch:
    """1:N in one gallery.

    Attributes:
        rank_1: share of probes of enrolled people whose person comes first.
        open_set: rates at the τ that gives the wanted FPIR here; None where all probes are enrolled, or none.
        threshold: that τ.
    """

    rank_1: float
    open_set: OpenSetRates | None
    threshold: float | None


def pool_templates(
    templates: TemplateSet,
    embeddings: Embeddings,
    found: npt.NDArray[np.bool_] | None = None,
    *,
    weighted: bool = False,
) -> Embeddings:
    """One embedding for each template.

    Args:
        templates: which face is in which.
        embeddings: ``(n, d)`` of the faces; brought to length 1 first.
        found: ``(n,)`` which faces have one; None for all.
        weighted: weigh each face by its detector's score.

    Returns:
        ``(t, d)`` float32 of length 1; zero for a template without a face.
    """
    length = np.linalg.norm(embeddings.astype(np.float64), axis=1, keepdims=True)
    faces = np.divide(embeddings, length, out=np.zeros(embeddings.shape), where=length > 0)
    if weighted:
        faces = faces * templates.weights[:, None]
    has = np.ones(len(faces), dtype=np.bool_) if found is None else found
    key = np.stack([templates.template[has], templates.media[has]], axis=1)
    media, inverse, count = np.unique(key, axis=0, return_inverse=True, return_counts=True)
    sums = np.zeros((len(media), embeddings.shape[1]))
    np.add.at(sums, inverse.ravel(), faces[has])
    pooled = np.zeros((len(templates.templates), embeddings.shape[1]))
    np.add.at(pooled, media[:, 0], sums / count[:, None])
    length = np.linalg.norm(pooled, axis=1, keepdims=True)
    unit: Embeddings = np.divide(pooled, length, out=np.zeros_like(pooled), where=length > 0).astype(np.float32)
    return unit


def score_templates(templates: TemplateSet, pooled: Embeddings) -> Scores:
    """Distances of the 1:1 protocol's pairs; a template without a face is at ``inf`` from all.

    Whose they are comes from the 1:N lists, else from mated pairs.
    """
    distances = pair_distances(pooled, templates.a, templates.b)
    faces = np.asarray(pooled.any(axis=1))
    distances[~(faces[templates.a] & faces[templates.b])] = np.inf
    people = templates.subjects
    if (people[np.concatenate([templates.a, templates.b])] < 0).any():
        people = linked(templates.a[templates.same], templates.b[templates.same], len(templates.templates))
    _, owner = np.unique(people, return_inverse=True)
    return Scores(
        distances,
        templates.same,
        templates.a.astype(np.int32),
        templates.b.astype(np.int32),
        owner[templates.a].astype(np.int32),
        owner[templates.b].astype(np.int32),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Searches:
    """Every probe searched in one gallery.

    Attributes:
        people: ``(m,)`` whose the probes of enrolled people are.
        ranks: ``(m,)`` at which rank their own person comes, from 1.
        mate, other: ``(m,)`` distance to their own person, and to the nearest other one.
        nearest_of_unknown: ``(u,)`` for each probe of somebody else, the distance to the nearest person.
    """

    people: npt.NDArray[np.intp]
    ranks: npt.NDArray[np.intp]
    mate: npt.NDArray[np.float32]
    other: npt.NDArray[np.float32]
    nearest_of_unknown: npt.NDArray[np.float32]


def searches_of(templates: TemplateSet, pooled: Embeddings) -> Iterator[tuple[str, Searches]]:
    """1:N of every probe in each gallery, by name; probes are taken a few at a time, so that memory stays flat.

    Raises:
        NotEnoughDataError: a gallery has nobody of the probes.
    """
    for name, gallery in templates.galleries.items():
        gallery_people, probe_people = templates.subjects[gallery], templates.subjects[templates.probes]
        known = np.isin(probe_people, gallery_people)
        if not known.any():
            raise NotEnoughDataError(
                expected=f"probes of people in gallery {name}", got="none", advice="take all lists from one publisher"
            )
        parts = []
        enrolled = templates.probes[known]
        for at in range(0, len(enrolled), _AT_ONCE):
            probes = enrolled[at : at + _AT_ONCE]
            distances, people = _distances(pooled[probes], pooled[gallery]), templates.subjects[probes]
            own = gallery_people == people[:, None]
            mate = np.where(own, distances, np.inf).min(axis=1)
            other = np.where(own, np.inf, distances).min(axis=1, initial=np.inf)
            parts.append((ranks_of_mates(distances, gallery_people, people), mate, other))
        ranks, mate, other = (np.concatenate(column) for column in zip(*parts, strict=True))
        strangers = templates.probes[~known]
        nearest = [
            _distances(pooled[strangers[at : at + _AT_ONCE]], pooled[gallery]).min(axis=1)
            for at in range(0, len(strangers), _AT_ONCE)
        ]
        unknown = np.concatenate(nearest) if nearest else np.empty(0, dtype=np.float32)
        yield name, Searches(probe_people[known], ranks, mate, other, unknown)


def search_templates(
    templates: TemplateSet, pooled: Embeddings, *, fpir: float = DEFAULT_FPIR
) -> dict[str, TemplateSearch]:
    """1:N of every probe in each gallery. People who are not in a gallery are its unknown people.

    Args:
        templates, pooled: see `pool_templates`.
        fpir: wanted share of unknown people who are named.

    Raises:
        NotEnoughDataError: there are no galleries, or a gallery has nobody of the probes.
    """
    if not templates.galleries or not len(templates.probes):
        raise NotEnoughDataError(
            expected="lists of galleries and probes", got="none", advice="add the 1:N lists of the data set to meta/"
        )
    found = {}
    for name, search in searches_of(templates, pooled):
        rates = threshold = None
        if len(search.nearest_of_unknown):
            threshold = threshold_at_fpir(search.nearest_of_unknown, fpir)
            rates = open_set_rates(search.mate, search.other, search.nearest_of_unknown, threshold)
        found[name] = TemplateSearch(float((search.ranks == 1).mean()), rates, threshold)
    return found


def _distances(probes: Embeddings, gallery: Embeddings) -> npt.NDArray[np.float32]:
    """L2, ``(probes, gallery)``; ``inf`` for a probe without a face."""
    out = np.sqrt(np.maximum(2 - 2 * probes.astype(np.float64) @ gallery.T.astype(np.float64), 0)).astype(np.float32)
    out[~probes.any(axis=1)] = np.inf
    out[:, ~gallery.any(axis=1)] = np.inf
    return out
