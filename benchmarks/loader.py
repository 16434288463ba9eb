"""Images a second: bare decoding, reading into memory as training does, and the batches that a network is fed.

python benchmarks/loader.py DATA/lfw/images --photos 2000 --threads 1 2
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from sameface.encoders.crops import scale_crops
from sameface.imaging import load_image
from sameface.training.augment import Augmentation, FaceAugmentation, NoAugmentation
from sameface.training.export.deployed import Deployed
from sameface.training.loop.device import choose_compute
from sameface.training.loop.distributed import World
from sameface.training.loop.feed import Feed, people_times_photos
from sameface.training.loop.settings import TrainingSettings
from sameface.training.networks import NetworkSpec, build_network
from sameface.training.pictures import Pictures, files_by_person, read_pictures


def rate(count: int, work: Callable[[], object]) -> float:
    """Images a second."""
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def feed_of(pictures: Pictures, side: int, augment: Augmentation) -> Feed:
    """Batches of 32 × 4, as a training takes them."""
    spec = NetworkSpec("convnet", side, 3, 128)
    settings = TrainingSettings()
    return Feed(
        pictures,
        people_times_photos(pictures, settings, even=augment.whole_batch),
        augment,
        Deployed(build_network(spec), spec),
        compute=choose_compute(None, "float32"),
        world=World(),
        photos=settings.photos,
        seed=0,
        side=side,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder per person")
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--side", type=int, default=112)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batches", type=int, default=50)
    arguments = parser.parse_args()
    side = arguments.side
    files, _ = files_by_person(arguments.folder)
    chosen: dict[str, list[Path]] = {}
    for person, paths in sorted(files.items(), key=lambda item: -len(item[1])):
        chosen[person] = paths[:8]
        if sum(map(len, chosen.values())) >= arguments.photos:
            break
    paths = [path for own in chosen.values() for path in own]
    contents = [path.read_bytes() for path in paths]  # from memory: this is not about disks

    def decode(content: bytes) -> int:
        return int(np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).shape[0])

    def crop(path: Path) -> np.ndarray:
        made: np.ndarray = scale_crops(load_image(path)[None], (side, side))[0]
        return made

    for threads in arguments.threads:
        torch.set_num_threads(threads)
        with ThreadPoolExecutor(threads) as pool:
            bare = rate(len(contents), lambda pool=pool: sum(pool.map(decode, contents)))
        read: list[Pictures] = []
        reading = rate(
            len(paths), lambda threads=threads, read=read: read.append(read_pictures(chosen, crop, threads=threads))
        )
        fed = {}
        for name, augment in (("plain", NoAugmentation()), ("augmented", FaceAugmentation())):
            feed = feed_of(read[0], side, augment)
            feed.pictures(0)
            fed[name] = rate(
                feed.batch_size * arguments.batches,
                lambda feed=feed: [feed.pictures(step) for step in range(1, arguments.batches + 1)],
            )
            feed.close()
        print(
            f"{threads} threads, {len(paths)} photos, side {side}: bare decoding {bare:,.0f} images/s; read, scaled and kept {reading:,.0f}; "
            f"batches from memory {fed['plain']:,.0f}, augmented {fed['augmented']:,.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
