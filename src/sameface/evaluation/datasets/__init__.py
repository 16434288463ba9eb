"""Data sets of faces: folders, published protocols and tables, each read into labelled photos or a list of pairs."""

from sameface.evaluation.datasets.cfp import read_cfp
from sameface.evaluation.datasets.folder import PHOTO_SUFFIXES, read_folder
from sameface.evaluation.datasets.groups import read_groups
from sameface.evaluation.datasets.lfw import read_lfw_pairs, read_lfw_people
from sameface.evaluation.datasets.model import Bench, LabelledPhotos, PairList, Problem
from sameface.evaluation.datasets.opening import open_data
from sameface.evaluation.datasets.table import read_pair_table

__all__ = [
    "PHOTO_SUFFIXES",
    "Bench",
    "LabelledPhotos",
    "PairList",
    "Problem",
    "open_data",
    "read_cfp",
    "read_folder",
    "read_groups",
    "read_lfw_pairs",
    "read_lfw_people",
    "read_pair_table",
]
