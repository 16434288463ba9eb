"""Numbers in words, said the same way wherever an answer is shown."""

from __future__ import annotations

from typing import Final

#: No calibration knows better than one in ten thousand.
FINEST: Final = 1e-4


def probability_words(probability: float) -> str:
    """A calibrated probability; never as a certainty.

    >>> probability_words(0.97), probability_words(0.99999), probability_words(0.0)
    ('0.9700', 'over 0.9999', 'under 0.0001')
    """
    if probability > 1 - FINEST:
        return f"over {1 - FINEST:g}"
    return f"under {FINEST:.4f}" if probability < FINEST else f"{probability:.4f}"


def probability_sign(probability: float) -> str:
    """The same in signs, for one line.

    >>> probability_sign(0.97), probability_sign(0.99999), probability_sign(0.0)
    ('p = 0.9700', 'p > 0.9999', 'p < 0.0001')
    """
    words = probability_words(probability)
    return "p " + words.replace("over", ">").replace("under", "<") if words[0].isalpha() else f"p = {words}"


def distance_sign(distance: float, threshold: float | None, tau: str = "τ") -> str:
    """A distance beside its threshold, told apart to the last digit that is shown.

    >>> distance_sign(0.242, 0.377), distance_sign(0.3771, 0.377), distance_sign(0.5, None)
    ('0.242 < τ 0.377', '0.3771 ≥ τ 0.3770', '0.500, no τ')
    """
    if threshold is None:
        return f"{distance:.3f}, no {tau}"
    sign = "<" if distance < threshold else "≥"
    digits = next((n for n in (3, 4, 6) if f"{distance:.{n}f}" != f"{threshold:.{n}f}"), 3)
    return f"{distance:.{digits}f} {sign} {tau} {threshold:.{digits}f}"


def standing_words(standing: str, reason: str) -> str:
    """What a face's standing means for its answer, in one sentence without a full stop; "" for a usual face.

    >>> standing_words("poor", "it looks blurred")
    'judged more strictly: it looks blurred'
    >>> standing_words("usual", "")
    ''
    """
    said = {
        "unknown": "not known whether the threshold holds for this face",
        "poor": "judged more strictly",
        "outside": "a face that is not comparable: any answer is a guess",
    }.get(standing, "")
    return f"{said}: {reason}" if said and reason else said


def plural(count: int, one: str, many: str | None = None) -> str:
    """A number with its noun.

    >>> plural(1, "photo"), plural(0, "photo"), plural(2, "person", "people"), plural(12_000, "photo")
    ('1 photo', '0 photos', '2 people', '12,000 photos')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
