"""Face crops in, embeddings out."""

from sameface.encoders.encoder import Encoded, Encoder
from sameface.encoders.loading import DEFAULT_ENCODER, load_encoder

__all__ = ["DEFAULT_ENCODER", "Encoded", "Encoder", "load_encoder"]
