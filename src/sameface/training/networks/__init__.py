"""Networks: a Siamese shell around a backbone, and the backbones."""

from sameface.training.networks.by_name import NetworkSpec, build_network
from sameface.training.networks.convnet import ConvNet
from sameface.training.networks.head import Head
from sameface.training.networks.inception_resnet_v1 import InceptionResnetV1
from sameface.training.networks.own import own_network
from sameface.training.networks.siamese import SiameseNetwork

__all__ = ["ConvNet", "Head", "InceptionResnetV1", "NetworkSpec", "SiameseNetwork", "build_network", "own_network"]
