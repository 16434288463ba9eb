"""Ranges of SFace's activations for its 8-bit form: on one photo of each of the people of peopleDevTrain, and its mirror image.

python benchmarks/measure_chain_ranges.py LFW [--people 500] [--target src/sameface/models/ranges/sface-2021dec.json]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from sameface.faces import load_aligner, load_detector
from sameface.faces.choose import choose_face
from sameface.models.graphs.chain import Chain, read_chain
from sameface.models.graphs.converting import read_tidily
from sameface.models.graphs.measuring import measure_ranges
from sameface.models.registry import load_card, locate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lfw", type=Path)
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--target", type=Path, default=Path("src/sameface/models/ranges/sface-2021dec.json"))
    options = parser.parse_args()
    card = load_card("sface-2021dec")
    detector, aligner = load_detector("yunet"), load_aligner(card.landmarks, card.template, card.input_size_wh[0])
    names = [line.split("\t")[0] for line in (options.lfw / "peopleDevTrain.txt").read_text().splitlines()[1:]]
    chosen = [names[index] for index in np.random.default_rng(0).permutation(len(names))[: options.people]]
    crops = []
    for name in chosen:
        with Image.open(options.lfw / "images" / name / f"{name}_0001.jpg") as picture:
            image = np.asarray(picture.convert("RGB"))
        face = choose_face(detector.detect(image), image, "centre", source=name)
        crops.append(aligner.align(image, [face])[0])
    planes = np.stack(crops).transpose(0, 3, 1, 2)

    def read() -> Chain:
        return read_chain(read_tidily(locate(card)[0]))

    def batches() -> Iterator[np.ndarray]:
        for start in range(0, len(planes), 8):
            yield np.ascontiguousarray(planes[start : start + 8])
            yield np.ascontiguousarray(planes[start : start + 8, :, :, ::-1])

    found = measure_ranges(read, batches)
    about = (
        f"Aligned crops (yunet, {card.alignment_id}) of {len(crops)} people of LFW's peopleDevTrain and their mirror images. "
        "channels: factors in quarter octaves that bring a layer's channels to like ranges. "
        "ranges: the 3 % and 97 % quantiles over crops of each activation's smallest and largest value after that."
    )
    ranges = {
        str(number): [float(f"{low:.5g}"), float(f"{high:.5g}")] for number, (low, high) in enumerate(found.values)
    }
    lines = [f'  "{number}": {json.dumps(factors)}' for number, factors in enumerate(found.channels)]
    options.target.write_text(
        f'{{\n "measured": {json.dumps(about, ensure_ascii=False)},\n "ranges": {json.dumps(ranges)},\n "channels": {{\n'
        + ",\n".join(lines)
        + "\n }\n}\n"
    )
    print(f"{options.target}: {options.target.stat().st_size:,} bytes from {len(crops)} people")


if __name__ == "__main__":
    main()
