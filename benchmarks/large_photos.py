"""Photos of 12 megapixels: what does a search in a reduced decoding cost and move, and what does cutting from the decoded picture save?

    python benchmarks/large_photos.py moved [--detector yunet] [--encoder sface-2021dec-unit]
    python benchmarks/large_photos.py filters
    python benchmarks/large_photos.py speed [--detector yunet] [--encoder sface-2021dec-unit] [--repeats 15]

The shipped portraits on canvases of 4000×3000 pixels, as high as the canvas, half and a quarter as high, with some noise, saved as JPEG of
quality 90.

`moved` compares with the whole picture as an array, searched and cut as one: sameface's own way, and libjpeg's decodings at a half and a
quarter, used for the search alone (crops from the full picture) and for both. Boxes in pixels of the full picture, embeddings in L2.

`filters` tries other ways to shrink the reduced decoding for the search.

`speed` gives CPU milliseconds of one thread, from the file's bytes to the crop: the whole as an array, sameface's way, and a quarter for both.
Nothing else may run meanwhile.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from sameface import Recognizer, load_image
from sameface.faces.turning import scaled
from sameface.types import Detection, ImageRGB

PHOTOS = Path(__file__).resolve().parent.parent / "examples" / "photos"
NAMES = ("astronaut.png", "obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "grace_hopper.jpg")


def phones() -> Iterator[bytes]:
    """The files."""
    rng = np.random.default_rng(0)
    for name in NAMES:
        portrait = Image.open(PHOTOS / name).convert("RGB")
        for height in (3000, 1500, 750):
            canvas = Image.new("RGB", (4000, 3000), (120, 110, 100))
            copy = portrait.resize((round(portrait.width * height / portrait.height), height), Image.Resampling.LANCZOS)
            canvas.paste(copy, ((4000 - copy.width) // 3, (3000 - height) // 2))
            noisy = np.asarray(canvas).astype(np.int16) + rng.normal(0, 3, (3000, 4000, 1)).astype(np.int16)
            file = BytesIO()
            Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
            yield file.getvalue()


def reduced(data: bytes, by: int) -> ImageRGB:
    """Decoded by libjpeg at a half, a quarter …"""
    picture = Image.open(BytesIO(data))
    picture.draft(None, (picture.width // by, picture.height // by))
    return np.array(picture)


def moved(recognizer: Recognizer) -> None:
    """Print how far boxes and embeddings move."""
    finder = recognizer.finder
    detect, align = finder.detector.detect, finder.aligner.align

    def embedding(image_rgb: ImageRGB, face: Detection) -> np.ndarray:
        return recognizer.encoder.encode(align(image_rgb, [face]))[0]

    rows: dict[str, list[tuple[float, float]]] = {}
    for data in phones():
        whole = load_image(data)
        [face] = detect(whole)
        wanted = embedding(whole, face)

        def note(
            name: str, other: Detection, vector: np.ndarray, face: Detection = face, wanted: np.ndarray = wanted
        ) -> None:
            box = float(np.abs(np.subtract(other.box.xyxy, face.box.xyxy)).max())
            rows.setdefault(name, []).append((box, float(np.linalg.norm(vector - wanted))))

        [own] = recognizer.encode_faces(data)
        note("sameface's way", own.detection, own.embedding)
        for by in (2, 4):
            small = reduced(data, by)
            [found] = detect(small)
            there = scaled(found, by, by)
            note(f"1/{by} for the search", there, embedding(whole, there))
            note(f"1/{by} for both", there, embedding(small, found))
    for name, values in rows.items():
        boxes, apart = zip(*values, strict=True)
        print(
            f"{name:20} {len(values)} photos; box at most {max(boxes):.2f} px;"
            f" embedding median {statistics.median(apart):.4f}, at most {max(apart):.4f}"
        )


#: Ways to make the search's copy: filter of Pillow, and the gap from which it halves first.
FILTERS = {
    "bilinear, gap 1.5 (shipped)": (Image.Resampling.BILINEAR, 1.5),
    "box": (Image.Resampling.BOX, None),
    "bilinear": (Image.Resampling.BILINEAR, None),
    "hamming": (Image.Resampling.HAMMING, None),
    "bicubic": (Image.Resampling.BICUBIC, None),
    "lanczos": (Image.Resampling.LANCZOS, None),
    "lanczos, gap 2": (Image.Resampling.LANCZOS, 2.0),
    "bicubic, gap 2": (Image.Resampling.BICUBIC, 2.0),
}


def filters(recognizer: Recognizer) -> None:
    """Print how far embeddings move when the search sees a reduced decoding, for each way to shrink it; all crops from the whole."""
    detect, align = recognizer.finder.detector.detect, recognizer.finder.aligner.align

    def face_in(picture: Image.Image, way: tuple[Image.Resampling, float | None], size: tuple[int, int]) -> Detection:
        share = 640 / max(picture.size)
        small = picture.resize(
            (round(picture.width * share), round(picture.height * share)), way[0], reducing_gap=way[1]
        )
        return scaled(detect(np.asarray(small))[0], size[0] / small.width, size[1] / small.height)

    for name, way in FILTERS.items():
        apart: dict[int, list[float]] = {2: [], 4: []}
        for data in phones():
            whole = load_image(data)
            size = (whole.shape[1], whole.shape[0])
            wanted = recognizer.encoder.encode(align(whole, [face_in(Image.fromarray(whole), way, size)]))[0]
            for by, values in apart.items():
                there = face_in(Image.fromarray(reduced(data, by)), way, size)
                values.append(float(np.linalg.norm(recognizer.encoder.encode(align(whole, [there]))[0] - wanted)))
        print(f"{name:28}", *(f"1/{by}: {statistics.median(v):.3f}, at most {max(v):.3f};" for by, v in apart.items()))


def speed(recognizer: Recognizer, repeats: int) -> None:
    """Print CPU milliseconds."""
    finder = recognizer.finder
    data = list(phones())[3]

    def whole() -> None:
        image = load_image(data)
        finder.aligner.align(image, finder.detector.detect(image))

    def quarter() -> None:
        image = reduced(data, 4)
        finder.aligner.align(image, finder.detector.detect(image))

    ways: dict[str, Callable[[], object]] = {
        "the whole as an array": whole,
        "sameface's way": lambda: finder.faces(data),
        "a quarter for both": quarter,
        "of it decoding": lambda: Image.open(BytesIO(data)).load(),
    }
    for name, way in ways.items():
        spent = []
        for _ in range(repeats):
            start = time.process_time()
            way()
            spent.append(1000 * (time.process_time() - start))
        print(f"{name:24} {statistics.median(spent):.1f} ms")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("moved", "filters", "speed"))
    parser.add_argument("--detector", default="yunet")
    parser.add_argument("--encoder", default="sface-2021dec-unit")
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    recognizer = Recognizer(detector=options.detector, encoder=options.encoder, operating_point=1.0, threads=1)
    if options.what == "moved":
        moved(recognizer)
    elif options.what == "filters":
        filters(recognizer)
    else:
        speed(recognizer, options.repeats)


if __name__ == "__main__":
    main()
