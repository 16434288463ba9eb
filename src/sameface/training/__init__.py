"""Siamese networks, trained here: losses, mining, networks, the loop, and the way out to ONNX.

The only room that imports PyTorch. What it makes leaves it as an ONNX file with a model card, and from there on is
an encoder like any other.
"""

import os

from sameface.errors import ExtraMissingError
from sameface.files import cache_folder

# PyTorch's compiler makes a folder as soon as it is imported: beside our own files, unless its user chose a place.
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_folder() / "torch"))

try:
    import torch  # noqa: F401
except ImportError as error:
    raise ExtraMissingError(
        expected="PyTorch, which training needs",
        got="an installation without it",
        advice="run `pip install 'sameface[train]'`",
    ) from error
