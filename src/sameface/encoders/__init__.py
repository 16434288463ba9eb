"""Face crops in, embeddings out."""

from sameface.defaults import DEFAULT_ENCODER
from sameface.encoders.encoder import Encoded, Encoder
from sameface.encoders.loading import load_encoder

__all__ = ["DEFAULT_ENCODER", "Encoded", "Encoder", "load_encoder"]
