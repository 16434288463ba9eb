"""Pictures to train on: a folder per person, read once, split by person."""

from sameface.training.pictures.pictures import Pictures
from sameface.training.pictures.reading import files_by_person, read_pictures
from sameface.training.pictures.split import split_by_person

__all__ = ["Pictures", "files_by_person", "read_pictures", "split_by_person"]
