"""`sameface train DATA`: people's pictures in, an encoder out."""

from sameface.training.folder.plan import FolderPlan, spec_of
from sameface.training.folder.plan_file import read_plan, write_plan
from sameface.training.folder.run import FolderResult, train_folder

__all__ = ["FolderPlan", "FolderResult", "read_plan", "spec_of", "train_folder", "write_plan"]
