"""An ONNX network as a PyTorch module with the same answers, and its trained weights back in the very file it came from."""

from sameface.training.from_onnx.network import OnnxNetwork
from sameface.training.from_onnx.writing import with_weights_of

__all__ = ["OnnxNetwork", "with_weights_of"]
