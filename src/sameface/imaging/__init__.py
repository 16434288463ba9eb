"""Bytes, files, Pillow images and arrays → upright 8-bit RGB, within limits."""

from sameface.imaging.limits import FORMATS, Limits
from sameface.imaging.load import Photo, load_image, load_photo, load_reduced
from sameface.imaging.sources import ImageSource, sha256_of_bytes

__all__ = ["FORMATS", "ImageSource", "Limits", "Photo", "load_image", "load_photo", "load_reduced", "sha256_of_bytes"]
