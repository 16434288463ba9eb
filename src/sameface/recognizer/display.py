"""Answers as pictures: what notebooks show for them, and the photo with the answers drawn on it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Final

from sameface.imaging import ImageSource, load_image
from sameface.imaging.annotate import FaceLabel, annotate
from sameface.recognizer.labels import face_labels
from sameface.recognizer.results import EncodedFace, Enrollment, Identification, Verification

if TYPE_CHECKING:
    import PIL.Image

_WIDTH: Final = 320
#: Blue and orange of Okabe and Ito's palette, as on annotated photos.
_YES: Final = "#0072b2"
_NO: Final = "#d55e00"


def annotated(photo: ImageSource, answers: Sequence[Identification | EncodedFace]) -> PIL.Image.Image:
    """The photo with a frame around each face and its name under it; a notebook shows it, `.save()` writes it.

    Args:
        photo: the one the answers are about.
        answers: of `Gallery.identify`, or faces of `Recognizer.encode_faces`.
    """
    from PIL import Image

    labels = [
        FaceLabel(answer.box, f"face {number}") if isinstance(answer, EncodedFace) else face_labels([answer])[0]
        for number, answer in enumerate(answers, 1)
    ]
    return Image.fromarray(annotate(load_image(photo), labels))


def verification_html(answer: Verification) -> str:
    """A sentence, and a bar with the distance and τ on it."""
    who = f" as {escape(answer.claimed.name)}" if answer.claimed is not None else ""
    said = "the same person" if answer.same else "not the same person"
    probability = f", probability {answer.probability:.3f}" if answer.probability is not None else ""
    origin = escape(answer.operating_point.target)
    return (
        f"<p><b>{said}</b>{who}: distance {answer.distance:.3f}, τ {answer.threshold:.3f}{probability}</p>"
        f"{distance_bar(answer.distance, answer.threshold)}<p><small>τ: {origin}</small></p>"
    )


def identification_html(answer: Identification) -> str:
    """The name or *nobody known*, why, and a bar for each of the nearest people."""
    rows = "".join(
        f"<tr><td>{escape(item.name)}</td><td>{item.distance:.3f}</td>"
        f"<td>{distance_bar(item.distance, answer.threshold)}</td></tr>"
        for item in answer.candidates
    )
    table = f"<table><tr><th>nearest</th><th>distance</th><th></th></tr>{rows}</table>" if rows else ""
    return f"<p><b>{escape(answer.name or 'nobody known')}</b>: {escape(answer.why)}</p>{table}"


def enrollment_html(answer: Enrollment) -> str:
    """The person, and what became of each photo."""
    rows = "".join(
        f"<tr><td>{escape(report.source)}</td><td>{escape(report.reason)}</td><td>{escape(report.detail)}</td></tr>"
        for report in answer.reports
    )
    person = answer.person
    photos = f"{person.photos} photo{'s' if person.photos != 1 else ''}"
    return f"<p><b>{escape(person.name)}</b>: {photos}</p><table><tr><th>photo</th><th>review</th><th></th></tr>{rows}</table>"


def distance_bar(distance: float, threshold: float | None) -> str:
    """A drawing, as SVG: the distance from the left, τ as a line; blue under it, orange from it on.

    >>> "orange" in distance_bar(0.9, 0.8), distance_bar(0.9, 0.8).startswith("<svg")
    (False, True)
    """
    longest = max(distance, threshold or 0.0, 1e-9) * 1.25
    under = threshold is not None and distance < threshold
    bar = _WIDTH * min(1.0, distance / longest)
    line = ""
    if threshold is not None:
        x = _WIDTH * min(1.0, threshold / longest)
        line = f'<path d="M{x:.1f} 0V24" stroke="currentColor" stroke-width="2"/>'
    label = f"distance {distance:.3f}" + (f", threshold {threshold:.3f}" if threshold is not None else "")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="24" role="img" aria-label="{label}">'
        f'<rect y="6" width="{bar:.1f}" height="12" rx="3" fill="{_YES if under else _NO}"/>{line}</svg>'
    )
