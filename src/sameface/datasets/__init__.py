"""Data sets of faces: folders, published protocols and tables, each read into labelled photos or a list of pairs."""

from sameface.datasets.cfp import read_cfp
from sameface.datasets.folder import read_folder
from sameface.datasets.groups import read_groups
from sameface.datasets.ijb import TemplateSet, read_ijb
from sameface.datasets.insightface import read_bin
from sameface.datasets.lfw import read_lfw_pairs, read_lfw_people
from sameface.datasets.model import Bench, DataProblem, LabelledPhotos, PairList
from sameface.datasets.omniglot import read_omniglot
from sameface.datasets.opening import open_data
from sameface.datasets.pair_lists import read_pair_list
from sameface.datasets.photo import PackedPhoto, Photo
from sameface.datasets.photo_table import read_photo_table
from sameface.datasets.recordio import read_rec
from sameface.datasets.rfw import read_rfw
from sameface.datasets.shards import read_shards
from sameface.datasets.table import read_pair_table
from sameface.datasets.tinyface import read_tinyface

__all__ = [
    "Bench",
    "DataProblem",
    "LabelledPhotos",
    "PackedPhoto",
    "PairList",
    "Photo",
    "TemplateSet",
    "open_data",
    "read_bin",
    "read_cfp",
    "read_folder",
    "read_groups",
    "read_ijb",
    "read_lfw_pairs",
    "read_lfw_people",
    "read_omniglot",
    "read_pair_list",
    "read_pair_table",
    "read_photo_table",
    "read_rec",
    "read_rfw",
    "read_shards",
    "read_tinyface",
]
