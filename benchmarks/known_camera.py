"""The bad camera of `fine_tuning.py` as it reaches a crop, for `sameface train --augment benchmarks.known_camera:camera`.

Photos keep 24 / 92.5 of their detail. Crops are about as large as what they were cut from, so a quarter to four tenths of
their side is left.
JPEG of quality 20 is stored at the photo's size, not at the crop's, so qualities around 20 are drawn.
"""

from __future__ import annotations

from sameface.training.augment.camera import Camera, CameraAugmentation

camera = CameraAugmentation(Camera(detail=(0.24, 0.42), quality=(15, 30), blur=0.0, noise=0.0, grey=0.0))
