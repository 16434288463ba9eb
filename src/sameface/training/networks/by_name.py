"""Networks by name, and what must be known to build one again."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from torch import nn

from sameface.errors import SettingError
from sameface.training.intake import IntakeKind
from sameface.training.networks.convnet import ConvNet
from sameface.training.networks.head import Head
from sameface.training.networks.inception_resnet_v1 import InceptionResnetV1
from sameface.training.networks.siamese import SiameseNetwork
from sameface.training.views import ViewKind

#: What an option of a network may be: what JSON can hold.
Option = int | float | bool | str | tuple[int, ...]


@dataclass(frozen=True)
class NetworkSpec:
    """A network in words: enough to build it again, empty.

    Attributes:
        name: ``convnet``, ``inception_resnet_v1``, ``head``, ``encoder`` (one that is fine-tuned), or ``package.module:Class`` of your own.
        size: side of the square picture it takes, in pixels; 0 for ``head``.
        channels: 1 grey, 3 RGB; 0 for ``head``.
        dimension: of the network's embedding.
        unit_length: whether embeddings are scaled to length 1.
        intake: how pixels become what the network computes on.
        shrink: pictures come in at this many times `size` and are averaged down.
        views: of one picture whose embeddings become one when it is used (not in training); each costs a run of the network.
        options: further arguments of the class, by name.
    """

    name: str = "convnet"
    size: int = 32
    channels: int = 1
    dimension: int = 128
    unit_length: bool = True
    intake: IntakeKind = "centred"
    shrink: int = 1
    views: ViewKind = "one"
    options: dict[str, Option] = field(default_factory=dict)

    @property
    def starts_trained(self) -> bool:
        """Whether the network is as good as a pretrained encoder before its first step."""
        return self.name in {"head", "encoder"}

    @property
    def picture_side(self) -> int:
        """Side of the pictures that come in, in pixels."""
        return self.size * self.shrink


def build_network(spec: NetworkSpec) -> SiameseNetwork:
    """An untrained Siamese network; weights come from PyTorch's own random state.

    Raises:
        SettingError: an unknown name, a module that cannot be imported, or options that it does not take.
    """
    try:
        return SiameseNetwork(_backbone(spec), unit_length=spec.unit_length, spec=spec)
    except TypeError as error:
        raise SettingError(
            expected=f"options that {spec.name} takes",
            got=str(error),
            advice="a class is called with channels, size and dimension, and with the options that you give: let it take them",
        ) from error


@contextmanager
def from_here() -> Iterator[None]:
    """Modules in the current folder can be imported, as with ``python -m``; what is installed comes first."""
    here = str(Path.cwd())
    sys.path.append(here)
    try:
        yield
    finally:
        sys.path.remove(here)


def _backbone(spec: NetworkSpec) -> nn.Module:
    if spec.name == "convnet":
        return ConvNet(channels=spec.channels, size=spec.size, dimension=spec.dimension, **spec.options)  # type: ignore[arg-type]
    if spec.name == "inception_resnet_v1":
        return InceptionResnetV1(dimension=spec.dimension, **spec.options)  # type: ignore[arg-type]
    if spec.name == "head":
        return Head(dimension=spec.dimension, **spec.options)  # type: ignore[arg-type]
    if spec.name == "encoder":
        from sameface.training.tuning.backbone import EncoderBackbone
        from sameface.training.tuning.base import open_base

        options = dict(spec.options)
        weights = options.pop("weights", "")
        if not weights:
            raise SettingError(
                expected="an encoder to fine-tune", got="none", advice="name it: --weights sface-2021dec-unit"
            )
        # A wrong option is a TypeError, which `build_network` puts into words.
        return EncoderBackbone(open_base(str(weights)), **options)  # type: ignore[arg-type]
    module, _, attribute = spec.name.partition(":")
    if not attribute:
        raise SettingError(
            expected="convnet, inception_resnet_v1, head, or package.module:Class",
            got=repr(spec.name),
            advice="name a class that takes channels, size and dimension, and maps (m, channels, size, size) to (m, d)",
        )
    try:
        with from_here():
            kind = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError, TypeError) as error:  # "" and ".a" are no modules either
        raise SettingError(
            expected=f"a class {attribute} in module {module}",
            got=str(error),
            advice="check that it can be imported from here",
        ) from error
    backbone = kind(channels=spec.channels, size=spec.size, dimension=spec.dimension, **spec.options)
    if not isinstance(backbone, nn.Module):
        raise SettingError(
            expected=f"{spec.name} to be a torch.nn.Module", got=type(backbone).__name__, advice="derive it from one"
        )
    return backbone
