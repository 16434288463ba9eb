"""What a session asks for: a few movements that nobody knows before, in words for people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random, SystemRandom
from types import MappingProxyType
from typing import Final, Literal, get_args

from sameface.errors import SettingError

#: Turns are to the own side of the one who is seen; nobody is asked to smile.
Action = Literal["left", "right", "up", "down", "nearer", "farther"]
#: Who moves: the head, or the camera around a head that stays still. The picture is the same, and so are the checks.
MovedBy = Literal["head", "camera"]

TURNS: Final = ("left", "right", "up", "down")
_SIDEWAYS: Final = ("left", "right")
#: What people are told, by who moves.
WORDS: Final[Mapping[MovedBy, Mapping[str, str]]] = MappingProxyType(
    {
        "head": MappingProxyType(
            {
                "settle": "Look straight at the camera.",
                "wait": "Stay as you are.",
                "left": "Turn your head to your left.",
                "right": "Turn your head to your right.",
                "up": "Lift your chin.",
                "down": "Lower your chin.",
                "nearer": "Come nearer.",
                "farther": "Move back a little.",
                "back": "Look straight again.",
            }
        ),
        "camera": MappingProxyType(
            {
                "settle": "Hold the camera straight before the face.",
                "wait": "Hold it still.",
                "left": "Move the camera to the person's right, aimed at the face.",
                "right": "Move the camera to the person's left, aimed at the face.",
                "up": "Lower the camera, aimed up at the face.",
                "down": "Raise the camera, aimed down at the face.",
                "nearer": "Bring the camera nearer.",
                "farther": "Take the camera farther away.",
                "back": "Hold it straight before the face again.",
            }
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One session's movements.

    Attributes:
        actions: in the order in which they are asked.
        pauses: seconds of waiting before each, so that nobody knows when it comes.
        moved_by: who moves.
        chance: how likely a video of other movements has these, by luck.
    """

    actions: tuple[Action, ...]
    pauses: tuple[float, ...]
    moved_by: MovedBy = "head"
    chance: float = 1.0


def draw_challenge(
    steps: int = 4, *, moved_by: MovedBy = "head", leave_out: Sequence[Action] = (), random: Random | None = None
) -> Challenge:
    """Draw the movements of one session.

    There is a turn to a side, a turn up or down, and a change of distance; none comes twice in a row.

    Args:
        steps: how many, 3 to 8.
        moved_by: who moves.
        leave_out: what the one who is asked cannot do; of each of the three kinds one must stay.
        random: source of chance; None takes the system's, which cannot be foreseen.

    Raises:
        SettingError: too few or too many steps, or a whole kind left out.

    >>> challenge = draw_challenge(random=Random(1))
    >>> len(challenge.actions), sum(action in ("nearer", "farther") for action in challenge.actions)
    (4, 1)
    """
    allowed: list[Action] = [action for action in get_args(Action) if action not in leave_out]
    kinds = [set(_SIDEWAYS), {"up", "down"}, {"nearer", "farther"}]
    if not 3 <= steps <= 8 or any(not kind & set(allowed) for kind in kinds):
        raise SettingError(
            expected="3 to 8 steps, with one movement at least to a side, up or down, and nearer or farther",
            got=f"{steps} steps among {', '.join(allowed) or 'none'}",
            advice="let the camera be moved instead of the head, or let a person decide",
        )
    random = random or SystemRandom()
    every = _sequences(steps, tuple(allowed))
    return Challenge(
        random.choice(every), tuple(random.uniform(0.3, 1.2) for _ in range(steps)), moved_by, 1 / len(every)
    )


def _sequences(steps: int, allowed: tuple[Action, ...]) -> list[tuple[Action, ...]]:
    """Every sequence that may be drawn, each as likely as the others."""
    found: list[tuple[Action, ...]] = [()]
    for _ in range(steps):
        found = [(*start, action) for start in found for action in allowed if not start or start[-1] != action]
    most = math.ceil(steps / 4)  # changes of distance: a flat picture can do them
    return [
        sequence
        for sequence in found
        if set(sequence) & set(_SIDEWAYS)
        and set(sequence) & {"up", "down"}
        and 1 <= sum(action not in TURNS for action in sequence) <= most
    ]
