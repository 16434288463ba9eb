"""Bytes, files, Pillow images and arrays → upright 8-bit RGB, within limits."""

from sameface.imaging.limits import FORMATS, Limits
from sameface.imaging.load import load_image, open_photo
from sameface.imaging.photo import Photo
from sameface.imaging.sources import ImageSource, sha256_of_bytes

__all__ = ["FORMATS", "ImageSource", "Limits", "Photo", "load_image", "open_photo", "sha256_of_bytes"]
