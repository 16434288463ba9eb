"""Weights on the way from where a training started to where it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from torch import Tensor, nn

from sameface.training.loop.validation import Validation, validate
from sameface.training.pictures import Pictures

#: How far along the way weights are tried, the whole way first.
SHARES: Final = (1.0, 0.75, 0.5, 0.3)


def blended(start: Mapping[str, Tensor], now: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """``start + share · (now − start)``, weight by weight; whole numbers are taken as they are now."""
    return {
        name: start[name].lerp(value, share) if value.is_floating_point() and share < 1 else value.clone()
        for name, value in now.items()
    }


def best_blend(
    network: nn.Module, start: Mapping[str, Tensor], judge: Callable[[], Validation], shares: Sequence[float] = SHARES
) -> tuple[Validation, dict[str, Tensor]]:
    """The weights that are judged best on the way; the next share back is tried while nothing is allowed yet, or the last was better.

    Between a pretrained network and its fine-tuned self the loss has no hills where rates were low, and half-way weights often keep what both know.
    Source: Wortsman et al. 2022, *Robust fine-tuning of zero-shot models* (WiSE-FT).

    Args:
        network: has the weights of now before and after.
        start: the weights it started with.
        judge: validates the network as it is.
        shares: of the way, the furthest first.
    """
    now = blended(start, network.state_dict(), 1.0)
    best: tuple[Validation, dict[str, Tensor]] | None = None
    for share in shares:
        weights = blended(start, now, share)
        network.load_state_dict(weights)
        found = judge()
        worse = best is not None and found.error >= best[0].error < float("inf")
        if worse:
            break
        if best is None or found.error < best[0].error:
            best = found, weights
    network.load_state_dict(now)
    assert best is not None
    return best


Embed = Callable[[Tensor], Tensor]
Judging = Callable[[Embed], Validation]


class Examiner:
    """Validates a network, by people held out or as its judge says.

    Args:
        network: as it is now, the start of the way; validated whenever asked.
        held_out: pictures of people who are not trained on.
        judge: given what embeds stored pictures; None measures the EER of `held_out`.
        whole_way: only weights as they are, none on the way.
        seed: of draws.
    """

    def __init__(
        self, network: nn.Module, held_out: Pictures | None, judge: Judging | None, *, whole_way: bool, seed: int
    ) -> None:
        self._network, self._held_out, self._judge, self._seed = network, held_out, judge, seed
        self._shares = (1.0,) if whole_way else SHARES
        self._start = {} if judge is None else blended({}, network.state_dict(), 1.0)

    def __call__(self, embed: Embed) -> tuple[Validation, Mapping[str, Tensor]]:
        """The numbers, and the weights that they are of."""
        if self._judge is not None:
            return best_blend(self._network, self._start, partial(self._judge, embed), self._shares)
        assert self._held_out is not None
        found = validate(embed, self._held_out.pixels, self._held_out.labels, seed=self._seed)
        return found, self._network.state_dict()
