"""`sameface train DATA`: a folder per person in, an encoder out."""

from sameface.training.folder.plan import FolderPlan, spec_of
from sameface.training.folder.reading import read_embeddings
from sameface.training.folder.run import FolderResult, train_folder

__all__ = ["FolderPlan", "FolderResult", "read_embeddings", "spec_of", "train_folder"]
