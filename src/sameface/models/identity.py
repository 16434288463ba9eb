"""What an encoder computes, by digest: its weights and everything that is done to a crop and to the vector.

The ids of encoders that ship with sameface stand for one digest each, and never change it. A network that is given as a file names itself,
and the next training may give another network the same name; so its id carries the first digits of its digest: ``mine@1a2b3c4d``.
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Final

from sameface.errors import ModelCardError
from sameface.models.card import ModelCard
from sameface.models.registry import load_card, network_card, shipped_ids

#: Fields of a card that change an embedding, or where it may be compared.
_PREPROCESSING: Final = (
    *("input_size_wh", "colour", "normalisation", "mean", "std", "layout", "landmarks", "template"),
    *("dimension", "unit_length", "crowd", "views", "quantised"),
)
_DIGITS: Final = 8


def digest_of(card: ModelCard, weights_sha256: str) -> str:
    """Digest of what an encoder computes.

    Args:
        card: its preprocessing counts, its name does not.
        weights_sha256: of the file that its network comes from.
    """
    told = "\n".join(f"{name}={getattr(card, name)!r}" for name in _PREPROCESSING)
    return hashlib.sha256(f"{weights_sha256}\n{told}".encode()).hexdigest()


def identified(card: ModelCard, weights_sha256: str) -> ModelCard:
    """The card of an encoder that was given as a file, with an id that stands for what it computes.

    Returns:
        The card as it is, where it computes what the shipped encoder of that name does; else with its digest in its id.

    Raises:
        ModelCardError: it has a shipped encoder's name and computes something else.
    """
    digest = digest_of(card, weights_sha256)
    if card.id not in shipped_ids():
        return dataclasses.replace(card, id=f"{card.id}@{digest[:_DIGITS]}")
    shipped = load_card(card.id)
    if digest_of(shipped, network_card(shipped).sha256) != digest:
        raise ModelCardError(
            expected=f"what the encoder {card.id} of sameface computes",
            got="other weights or another preprocessing under its name",
            advice="give the network a name of its own in its card: it shares neither threshold nor galleries with that encoder",
        )
    return card
