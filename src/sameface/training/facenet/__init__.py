"""FaceNet weights that people already have: read, put into `inception_resnet_v1`, exported as any encoder."""

from sameface.training.facenet.adopt import adopt_facenet, is_facenet_file, load_facenet
from sameface.training.facenet.keras_h5 import read_keras_h5
from sameface.training.facenet.pytorch_pt import read_facenet_pytorch

__all__ = ["adopt_facenet", "is_facenet_file", "load_facenet", "read_facenet_pytorch", "read_keras_h5"]
