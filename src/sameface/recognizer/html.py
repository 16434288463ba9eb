"""Answers as HTML: what notebooks show for them."""

from __future__ import annotations

from html import escape
from typing import Final

from sameface.recognizer.wire import Enrollment, Identification, Verification
from sameface.recognizer.words import plural, probability_words, standing_words

_WIDTH: Final = 320
#: Blue and orange of Okabe and Ito's palette, as on annotated photos.
_YES: Final = "#0072b2"
_NO: Final = "#d55e00"


def verification_html(answer: Verification) -> str:
    """A sentence, and a bar with the distance and τ on it."""
    who = f" as {escape(answer.claimed.name)}" if answer.claimed is not None else ""
    said = "the same person" if answer.same else "not the same person"
    probability = f", probability {probability_words(answer.probability)}" if answer.probability is not None else ""
    origin = escape(answer.operating_point.target)
    apart, bar = "", ""
    if answer.distance is not None:  # a service may keep it back
        apart, bar = f"distance {answer.distance:.3f}, ", distance_bar(answer.distance, answer.threshold)
    return (
        f"<p><b>{said}</b>{who}: {apart}τ {answer.threshold:.3f}{probability}</p>{bar}{_standing(answer)}"
        f"<p><small>τ: {origin}</small></p>"
    )


def identification_html(answer: Identification) -> str:
    """The name or *nobody known*, why, and a bar for each of the nearest people, all on one scale."""
    longest = max((item.distance for item in answer.candidates), default=0.0)
    rows = "".join(
        f"<tr><td>{escape(item.name)}</td><td>{item.distance:.3f}</td>"
        f"<td>{distance_bar(item.distance, answer.threshold, longest)}</td></tr>"
        for item in answer.candidates
    )
    table = f"<table><tr><th>nearest</th><th>distance</th><th></th></tr>{rows}</table>" if rows else ""
    return f"<p><b>{escape(answer.name or 'nobody known')}</b>: {escape(answer.why)}</p>{_standing(answer)}{table}"


def _standing(answer: Verification | Identification) -> str:
    words = standing_words(answer.standing, answer.standing_reason)
    return f"<p>{escape(words[0].upper() + words[1:])}.</p>" if words else ""


def enrollment_html(answer: Enrollment) -> str:
    """The person, and what became of each photo."""
    rows = "".join(
        f"<tr><td>{escape(report.photo)}</td><td>{escape(report.reason)}</td><td>{escape(report.detail)}</td></tr>"
        for report in answer.reports
    )
    photos = plural(answer.person.photos, "photo") if answer.person is not None else "not enrolled"
    return f"<p><b>{escape(answer.name)}</b>: {photos}</p><table><tr><th>photo</th><th>review</th><th></th></tr>{rows}</table>"


def distance_bar(distance: float, threshold: float | None, longest: float = 0.0) -> str:
    """A drawing, as SVG: the distance from the left, τ as a line; blue under it, orange from it on.

    Args:
        distance: L2.
        threshold: τ, None where there is none.
        longest: the largest distance of the table that the bar stands in, so that all its bars have one scale.

    >>> "orange" in distance_bar(0.9, 0.8), distance_bar(0.9, 0.8).startswith("<svg")
    (False, True)
    """
    whole = max(distance, longest, threshold or 0.0, 1e-9) * 1.25
    under = threshold is not None and distance < threshold
    bar = _WIDTH * min(1.0, distance / whole)
    line = ""
    if threshold is not None:
        x = _WIDTH * min(1.0, threshold / whole)
        line = f'<path d="M{x:.1f} 0V24" stroke="currentColor" stroke-width="2"/>'
    label = f"distance {distance:.3f}" + (f", threshold {threshold:.3f}" if threshold is not None else "")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="24" role="img" aria-label="{label}">'
        f'<rect y="6" width="{bar:.1f}" height="12" rx="3" fill="{_YES if under else _NO}"/>{line}</svg>'
    )
