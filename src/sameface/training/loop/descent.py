"""The step down the gradient: AdamW for weights that every batch changes, row by row for centres of which a batch touches few."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor, nn

from sameface.training.losses.classes import Centres

#: Where a checkpoint keeps the state of the second optimizer.
_ROWS: Final = "rows"


class Descent:
    """One optimizer, or two: centres drawn by `Centres.draw` get sparse gradients, and a step on them costs as much as the draw.

    Rows that were not drawn keep their moments and do not decay, so a person who is not in a batch stays where they were.

    Args:
        network: its weights; where its backbone has ``rate_shares()``, each weight named there learns at that share of the rate, and
            weights without a gradient stay.
        loss: its weights, if it has any.
        learning_rate: to begin with.
        weight_decay: AdamW's; not of rows.
    """

    def __init__(self, network: nn.Module, loss: nn.Module, *, learning_rate: float, weight_decay: float) -> None:
        rows = [module.weight for module in loss.modules() if isinstance(module, Centres) and module.by_rows]
        apart = {id(weight) for weight in rows}
        whole = [weight for weight in (*network.parameters(), *loss.parameters()) if id(weight) not in apart]
        self._weights = (*whole, *rows)
        shares = _shares(network)
        groups = [
            {"params": [weight for weight in whole if shares.get(weight, 1.0) == share], "share": share}
            for share in sorted({shares.get(weight, 1.0) for weight in whole}, reverse=True)
        ]
        self._whole = torch.optim.AdamW(groups, learning_rate, weight_decay=weight_decay)
        self._rows = torch.optim.SparseAdam(rows, learning_rate) if rows else None

    def zero_grad(self) -> None:
        """Forget the gradients."""
        self._whole.zero_grad(set_to_none=True)
        if self._rows is not None:
            self._rows.zero_grad(set_to_none=True)

    def step(self, learning_rate: float) -> None:
        """Change the weights by their gradients."""
        for optimizer in (self._whole, self._rows):
            if optimizer is not None:
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate * group.get("share", 1.0)
                optimizer.step()

    def gradients(self) -> list[Tensor]:
        """Those there are, as plain tensors: of a sparse one the rows that it holds."""
        found = (weight.grad for weight in self._weights)
        return [each.coalesce().values() if each.is_sparse else each for each in found if each is not None]

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint: AdamW's own, with that of the rows beside it where there are any."""
        state: dict[str, Any] = dict(self._whole.state_dict())
        return state if self._rows is None else {**state, _ROWS: self._rows.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`.

        Raises:
            ValueError: of other weights.
        """
        if (_ROWS in state) != (self._rows is not None):
            raise ValueError("centres changed row by row in one of the two, and as a whole in the other")
        self._whole.load_state_dict({name: value for name, value in state.items() if name != _ROWS})
        if self._rows is not None:
            self._rows.load_state_dict(state[_ROWS])


def _shares(network: nn.Module) -> dict[nn.Parameter, float]:
    """Shares of the rate, as the backbone has them; none for one that says nothing."""
    own = getattr(getattr(network, "backbone", network), "rate_shares", None)
    return dict(own()) if callable(own) else {}
