"""The server's thresholds are a floor of caution: a caller may ask for more of it, never for less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

from sameface.errors import MalformedRequestError
from sameface.matching import is_same
from sameface.recognizer import Identification, Verification
from sameface.recognizer.review import Review


def stricter(asked: float | None, policy: float, what: str) -> float:
    """The number that counts.

    Raises:
        MalformedRequestError: the caller asks for a larger one than the policy's.

    >>> stricter(None, 0.6, "threshold"), stricter(0.5, 0.6, "threshold"), stricter(0.0, 0.6, "threshold")
    (0.6, 0.5, 0.0)
    """
    if asked is None:
        return policy
    if asked > policy:
        raise MalformedRequestError(
            expected=f"a {what} of at most {policy:g}, the policy of this server",
            got=f"{asked:g}",
            advice=f"leave {what} out, or ask for a smaller one",
        )
    return asked


def reviewed(asked: Review | None, least: Review) -> Review:
    """The review that counts.

    Raises:
        MalformedRequestError: the caller asks for less than the server's.

    >>> reviewed(None, "strict"), reviewed("strict", "standard")
    ('strict', 'strict')
    """
    order: Sequence[Review] = get_args(Review)
    if asked is None:
        return least
    if order.index(asked) < order.index(least):
        raise MalformedRequestError(
            expected=f"at least the {least} review, the policy of this server",
            got=asked,
            advice="leave review out, or ask for a stricter one",
        )
    return asked


def verified(answer: Verification, threshold: float | None) -> Verification:
    """A verification under the policy's τ, or the caller's stricter one.

    Of a poor face the policy's is stricter than the one that the caller could know of: the smaller of the two counts.
    """
    tau = answer.threshold if threshold is None else min(threshold, answer.threshold)
    return replace(answer, same=is_same(answer.distance, tau), threshold=tau)


def identified(answers: Sequence[Identification], threshold: float | None) -> list[Identification]:
    """Identifications under τ(K), or the caller's stricter threshold where that is smaller.

    A caller cannot know τ(K) before it asks, so a larger number than τ(K) changes nothing rather than being refused.
    """
    if threshold is None:
        return list(answers)
    judged = []
    for answer in answers:
        refused = answer.standing == "outside" and not answer.forced
        if answer.threshold is None or refused or threshold >= answer.threshold:
            judged.append(answer)
            continue
        named = answer.distance is not None and is_same(answer.distance, threshold)
        side = "under" if named else "not under"
        judged.append(
            replace(
                answer,
                name=answer.name if named else None,
                person_id=answer.person_id if named else None,
                threshold=threshold,
                why=f"distance {answer.distance:.3f} is {side} the {threshold:g} that was asked for",
            )
        )
    return judged
