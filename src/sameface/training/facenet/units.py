"""The parts of `InceptionResnetV1`, each with the name that other projects gave it.

One walk over the network lists every convolution with its normalisation; the readers only say how a name is written
in their file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from sameface.training.networks.inception_resnet_v1 import InceptionResnetV1

#: Our three stages of equal blocks: module here, name in the TensorFlow graph.
_STAGES: Final = (("block35", "Block35"), ("block17", "Block17"), ("block8", "Block8"))
_REDUCTIONS: Final = (("mixed_6a", "Mixed_6a"), ("mixed_7a", "Mixed_7a"))


class Unit(NamedTuple):
    """One convolution.

    Attributes:
        module: path in our network: of a `ConvNormRelu`, or of a plain convolution with bias.
        graph_name: name in TensorFlow's graph and in its Keras conversions: ``Block35_1_Branch_0_Conv2d_1x1``.
        other_name: the name that DeepFace's definition gives the second branch of later blocks, which bears the number of its block:
            ``Block17_3_Branch_3_Conv2d_0a_1x1``; else the same.
        normalised: whether a batch normalisation follows (else a bias is added).
    """

    module: str
    graph_name: str
    normalised: bool
    other_name: str


def units(network: InceptionResnetV1) -> Iterator[Unit]:
    """Every convolution of the network, from the pixels on; the bottleneck is not among them."""
    for name, _ in network.stem.named_children():
        if name.startswith("conv"):
            yield Unit(f"stem.{name}", name.capitalize(), True, name.capitalize())
    for module, graph in (_STAGES[0], _REDUCTIONS[0], _STAGES[1], _REDUCTIONS[1], _STAGES[2]):
        part = network.get_submodule(module)
        if (module, graph) in _REDUCTIONS:
            yield from _branches(network, module, graph)
            continue
        for number, _ in enumerate(part.children()):
            path, prefix = f"{module}.{number}", f"{graph}_{number + 1}"
            second = number + 1 if graph in {"Block17", "Block8"} else 1
            yield from _branches(network, path, prefix, second)
            yield Unit(f"{path}.conv2d_1x1", f"{prefix}_Conv2d_1x1", False, f"{prefix}_Conv2d_1x1")


def _branches(network: InceptionResnetV1, module: str, prefix: str, second: int = 1) -> Iterator[Unit]:
    branches = network.get_submodule(f"{module}.branches")
    for number, branch in enumerate(branches.children()):
        for name, _ in branch.named_children():
            layer = name.capitalize()
            yield Unit(
                f"{module}.branches.{number}.{name}",
                f"{prefix}_Branch_{number}_{layer}",
                True,
                f"{prefix}_Branch_{second if number == 1 else number}_{layer}",
            )
