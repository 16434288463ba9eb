"""Siamese networks, trained here: losses, mining, networks, the loop, and the way out to ONNX.

The only room that imports PyTorch. What it makes leaves it as an ONNX file with a model card, and from there on is
an encoder like any other.
"""

from sameface.errors import ExtraMissingError

try:
    import torch  # noqa: F401
except ImportError as error:
    raise ExtraMissingError(
        expected="PyTorch, which training needs",
        got="an installation without it",
        advice="run `pip install 'sameface[train]'`",
    ) from error
