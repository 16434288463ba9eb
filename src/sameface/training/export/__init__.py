"""The way out: an ONNX file with a model card, compared with what was trained before it is given away."""

from sameface.training.export.deployed import Deployed
from sameface.training.export.directions import principal_directions
from sameface.training.export.encoder import export_encoder, write_card_beside, write_network

__all__ = ["Deployed", "export_encoder", "principal_directions", "write_card_beside", "write_network"]
