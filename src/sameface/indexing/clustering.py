"""Faces → people, without knowing anybody: which embeddings belong to one person.

Two steps. *Density*: faces nearer than τ are linked, and only linked faces can end up together, which leaves many small components. *Average
linkage* within each component, cut at τ: two groups join while the mean distance between their faces is under τ, so that one
accidental link between two people does not chain them together, as it would with links alone. Two faces of one photo are two people: no group
holds both.

Source: cannot-links after Wagstaff, Cardie 2000; DBSCAN (Ester et al. 1996) with one neighbour for the links; UPGMA (Sokal, Michener 1958) by SciPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.errors import EmbeddingError
from sameface.matching import as_threshold
from sameface.metrics.extra import need
from sameface.recognizer.domain import Standing, threshold_for
from sameface.types import Embeddings, OperatingPoint

Labels = npt.NDArray[np.intp]

#: Mean distance within one person, over τ of the 1:1 decision. Tuned on LFW's peopleDevTrain: docs/benchmarks.md, "Clustering".
LINK_FACTOR: Final = 0.94
#: Rows compared in one go; keeps the table of distances at a few dozen MB.
_ROWS: Final = 512
#: Average linkage needs all pairs of a component: 8 bytes · m² / 2. Larger components are split by tighter links first.
_LARGEST: Final = 8000
_TIGHTEN: Final = 0.95
#: Distance of two faces that cannot be one person: no mean that holds one of these is ever under a τ.
_NEVER: Final = 1e12
#: Below this share of τ a component is taken for one person with very many photos.
_TIGHTEST: Final = 0.5


def cluster(
    embeddings: Embeddings,
    threshold: float,
    stretch: npt.ArrayLike | None = None,
    photos: npt.ArrayLike | None = None,
) -> Labels:
    """Group faces by person.

    Args:
        embeddings: ``(n, d)`` of one encoder, finite.
        threshold: τ: the mean distance under which two groups are one person. See `link_threshold` for the calibrated one.
        stretch: ``(n,)``, by how much the distances of each face count as larger, 1 or more; of two faces the larger. Faces that need a stricter
            τ have it. None: 1 for all.
        photos: ``(n,)``, which photo each face is of, by any number: two faces of one photo are two people. None: nothing is known of that.

    Returns:
        ``(n,)`` group of each face: 0, 1, … in order of first appearance; a face that is near nobody is a group of its own. Does not depend
        on the order of the faces, equal distances aside.

    Raises:
        EmbeddingError: not a finite table.
        SettingError: see `sameface.matching.as_threshold`.

    >>> cluster(np.array([[0.0], [0.1], [5.0], [0.2]], dtype=np.float32), 0.5).tolist()
    [0, 0, 1, 0]
    >>> cluster(np.array([[0.0], [0.1], [0.3]], dtype=np.float32), 0.5, photos=[7, 7, 8]).tolist()
    [0, 1, 1]
    """
    points = np.asarray(embeddings, dtype=np.float32)
    if points.ndim != 2 or not np.isfinite(points).all():
        raise EmbeddingError(
            expected="finite embeddings of shape (n, d)", got=f"shape {points.shape}", advice="encode the photos again"
        )
    threshold = as_threshold(threshold)
    factors = np.ones(len(points)) if stretch is None else np.asarray(stretch, np.float64)
    of = np.arange(len(points)) if photos is None else np.asarray(photos)
    labels = np.zeros(len(points), dtype=np.intp)
    following = 0
    for members in components(points, threshold, factors):
        if len(members) > 2 or len(set(of[members].tolist())) < len(members):
            parts = _linked(points[members], threshold, factors[members], of[members])
        else:
            parts = np.zeros(len(members), dtype=np.intp)
        labels[members] = parts + following
        following += int(parts.max()) + 1
    return in_order_of_appearance(labels)


def cluster_judged(
    embeddings: Embeddings,
    standings: Sequence[Standing],
    threshold: float,
    poor: float,
    photos: npt.ArrayLike | None = None,
    *,
    force: bool = False,
) -> Labels:
    """`cluster`, by where each face stands: poor ones under their stricter τ, those outside each alone.

    Args:
        embeddings: ``(n, d)``.
        standings: ``n`` of them.
        threshold, poor: τ of mean distances, and for distances to a poor face.
        photos: as for `cluster`.
        force: join faces outside as poor ones.
    """
    outside = np.array([standing == "outside" and not force for standing in standings], bool)
    stretch = np.array([threshold / poor if standing in ("poor", "outside") else 1.0 for standing in standings])
    labels = np.empty(len(outside), np.intp)
    of = None if photos is None else np.asarray(photos)[~outside]
    labels[~outside] = cluster(np.asarray(embeddings)[~outside], threshold, stretch[~outside], of)
    labels[outside] = len(outside) + np.arange(outside.sum())
    return in_order_of_appearance(labels)


def components(points: Embeddings, threshold: float, stretch: npt.NDArray[np.float64] | None = None) -> list[Labels]:
    """Faces that chains of distances under τ connect: the indices of each component, ascending.

    Args:
        stretch: as in `cluster`.
    """
    count = len(points)
    if count == 0:
        return []
    sparse, csgraph = need("scipy.sparse"), need("scipy.sparse.csgraph")
    squares = np.einsum("nd,nd->n", points, points)
    starts, ends = [], []
    for first in range(0, count, _ROWS):
        rows = points[first : first + _ROWS]
        # Upper triangle only; ‖a‖² + ‖b‖² − 2ab in float32 is off by about 1e-6, which average linkage evens out.
        squared = squares[first : first + len(rows), None] + squares[None, first:] - 2 * (rows @ points[first:].T)
        if stretch is not None:
            squared = squared * np.maximum(stretch[first : first + len(rows), None], stretch[None, first:]) ** 2
        row, column = np.nonzero(squared < threshold**2)
        later = column > row
        starts.append(row[later] + first)
        ends.append(column[later] + first)
    start, end = np.concatenate(starts), np.concatenate(ends)
    links = sparse.coo_array((np.ones(len(start), dtype=np.int8), (start, end)), shape=(count, count))
    _, part = csgraph.connected_components(links, directed=False)
    order = np.argsort(part, kind="stable")
    return np.split(order, np.nonzero(np.diff(part[order]))[0] + 1)


def in_order_of_appearance(labels: npt.NDArray[np.integer]) -> Labels:
    """The same groups, numbered 0, 1, … by their first member.

    >>> in_order_of_appearance(np.array([7, 3, 7])).tolist()
    [0, 1, 0]
    """
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse], dtype=np.intp)


def _linked(
    points: Embeddings,
    threshold: float,
    stretch: npt.NDArray[np.float64],
    photos: npt.NDArray[np.integer],
    links: float | None = None,
) -> Labels:
    """Average linkage of one component, cut at τ."""
    if len(points) < 2:
        return np.zeros(len(points), dtype=np.intp)
    if len(points) <= _LARGEST:
        hierarchy, spatial = need("scipy.cluster.hierarchy"), need("scipy.spatial.distance")
        first, second = np.triu_indices(len(points), 1)
        apart = spatial.pdist(points.astype(np.float64)) * np.maximum(stretch[first], stretch[second])
        apart[photos[first] == photos[second]] = _NEVER
        tree = hierarchy.linkage(apart, method="average")
        # fcluster joins at distance ≤ t; the rule here is < τ.
        return np.asarray(hierarchy.fcluster(tree, np.nextafter(threshold, -np.inf), "distance") - 1, dtype=np.intp)
    links = (links or threshold) * _TIGHTEN
    labels = np.zeros(len(points), dtype=np.intp)
    if links < threshold * _TIGHTEST:
        return labels
    following = 0
    for members in components(points, links, stretch):
        parts = _linked(points[members], threshold, stretch[members], photos[members], links)
        labels[members] = parts + following
        following += int(parts.max()) + 1
    return labels


def poor_threshold(point: OperatingPoint, threshold: float) -> float:
    """The mean distance for poor faces: as `link_threshold`, from the stricter τ of such faces, and never above the one for others."""
    return min(threshold, threshold_for(point, "poor") * LINK_FACTOR)


def link_threshold(point: OperatingPoint) -> float:
    """The mean distance under which two groups are one person, from the 1:1 threshold of the same encoder and detector."""
    return point.threshold * LINK_FACTOR
