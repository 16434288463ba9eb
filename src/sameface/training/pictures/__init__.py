"""Pictures to train on: in memory or fetched batch by batch, labelled, and split by person."""

from sameface.training.pictures.dataset import PicturesLike, as_pictures
from sameface.training.pictures.pictures import Pictures, digest_of
from sameface.training.pictures.pixels import Pixels
from sameface.training.pictures.reading import files_by_person, read_pictures
from sameface.training.pictures.split import split_by_person

__all__ = [
    "Pictures",
    "PicturesLike",
    "Pixels",
    "as_pictures",
    "digest_of",
    "files_by_person",
    "read_pictures",
    "split_by_person",
]
