"""The passive threshold, with where it comes from; and the rule that uses it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from sameface.errors import CalibrationError
from sameface.files import atomic_write
from sameface.plain import known
from sameface.types import Interval


@dataclass(frozen=True, slots=True)
class LivenessPoint:
    """A passive threshold; it never travels alone.

    Attributes:
        threshold: the rule is *living iff score ≥ threshold*.
        target_bpcer: the share of living faces that were to be refused at most.
        bpcer, bpcer_interval: measured where it was chosen. faces: how many.
        apcer: by kind of attack, measured there; empty where there were none.
        data: the folder's name.
        networks: ids of the networks.
    """

    threshold: float
    target_bpcer: float
    bpcer: float
    bpcer_interval: Interval
    faces: int
    apcer: dict[str, float]
    data: str
    networks: tuple[str, ...]


def is_living(score: float, threshold: float) -> bool:
    """The one rule.

    >>> is_living(0.5, 0.5), is_living(0.49, 0.5)
    (True, False)
    """
    return score >= threshold


def save_liveness_point(point: LivenessPoint, path: Path) -> None:
    """Write it as JSON."""
    with atomic_write(path) as part:
        part.write_bytes(msgspec.json.format(msgspec.json.encode(point)) + b"\n")


def load_liveness_point(path: Path) -> LivenessPoint:
    """Read what `save_liveness_point` wrote.

    Raises:
        CalibrationError: no such file, or another.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=known(LivenessPoint))
    except (OSError, msgspec.MsgspecError) as error:
        raise CalibrationError(
            expected=f"a liveness threshold at {path}",
            got=str(error)[:200],
            advice="make one with `sameface liveness calibrate FOLDER`",
        ) from error
