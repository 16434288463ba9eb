"""One's own module as sister networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from sameface.errors import SettingError
from sameface.training.intake import IntakeKind
from sameface.training.networks.by_name import NetworkSpec
from sameface.training.networks.siamese import SiameseNetwork

if TYPE_CHECKING:
    from sameface.training.pictures import Pictures


def own_network(
    backbone: nn.Module, *, size: int, channels: int = 3, intake: IntakeKind = "centred", unit_length: bool = True
) -> SiameseNetwork:
    """A module of one's own as sister networks that can be trained, saved and exported.

    Args:
        backbone: maps ``(m, channels, size, size)`` float32 to ``(m, d)``.
        size: side of its pictures in pixels.
        channels: 1 grey, 3 RGB.
        intake: what pixels become before it sees them.
        unit_length: scale embeddings to length 1.

    Raises:
        SettingError: it does not take such pictures, or gives something else.
    """
    device = next((weight.device for weight in backbone.parameters()), torch.device("cpu"))
    was_training = backbone.training
    try:
        with torch.no_grad():
            answer = backbone.eval()(torch.zeros(2, channels, size, size, device=device))
    except (RuntimeError, TypeError, ValueError) as error:
        raise SettingError(
            expected=f"a module that takes pictures (m, {channels}, {size}, {size})",
            got=" ".join(str(error).split())[:200],
            advice="give the size and the channels that it was written for",
        ) from error
    finally:
        backbone.train(was_training)
    if not isinstance(answer, Tensor) or answer.ndim != 2 or len(answer) != 2:
        shape = tuple(answer.shape) if isinstance(answer, Tensor) else type(answer).__name__
        raise SettingError(
            expected="embeddings (2, d) of two pictures",
            got=str(shape),
            advice="flatten what it gives, and pool it first",
        )
    kind = type(backbone)
    spec = NetworkSpec(
        f"{kind.__module__}:{kind.__qualname__}",
        size,
        channels,
        int(answer.shape[1]),
        unit_length=unit_length,
        intake=intake,
    )
    return SiameseNetwork(backbone, unit_length=unit_length, spec=spec)


def sisters_of(network: nn.Module, pictures: Pictures) -> tuple[SiameseNetwork, NetworkSpec]:
    """What a trainer was given, as sister networks with their description.

    Args:
        network: made by `build_network` or `own_network`, or any module that takes the pictures as they are.
        pictures: to be trained on.
    """
    if isinstance(network, SiameseNetwork):
        if network.spec is None:
            raise SettingError(
                expected="sister networks that know their description",
                got="a SiameseNetwork made by hand",
                advice="make it with build_network(spec) or own_network(module, size=…)",
            )
        return network, network.spec
    shape = tuple(pictures.pixels.shape[1:])
    if len(shape) != 3 or shape[1] != shape[2]:
        raise SettingError(
            expected="square pictures for a module of one's own",
            got=f"items of shape {shape}",
            advice="give own_network(module, size=…, intake='none') with a size",
        )
    # Floats were prepared by whoever made them; bytes are pixels.
    intake: IntakeKind = "none" if pictures.pixels.dtype.is_floating_point else "centred"
    sisters = own_network(network, size=shape[1], channels=shape[0], intake=intake)
    assert sisters.spec is not None
    return sisters, sisters.spec
