"""Whole galleries on the move: from one store to another, to a file and back, without losing a bit."""

from __future__ import annotations

from sameface.gallery.transfer.copying import copy_gallery
from sameface.gallery.transfer.reading import Exported, import_file
from sameface.gallery.transfer.writing import export_file

__all__ = ["Exported", "copy_gallery", "export_file", "import_file"]
