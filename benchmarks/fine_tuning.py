"""Fine-tuning for a bad camera: all pairs of LFW's peopleDevTest before and after, damaged and undamaged.

The bad camera is that of `--recipe lfw`: photos shrunk until faces are 24 pixels wide, enlarged again, stored as JPEG of quality 20; then they are
detected, aligned and encoded like any other photo. Photos whose face is not found miss all their mated pairs, before and after.

# crops of all photos, damaged and not, for both alignments; and folders of links to train on: people with several photos, three of each;
# and everybody, up to eight of each
python benchmarks/fine_tuning.py cut LFW --encoder sface-2021dec-unit dlib-resnet-mirror-unit --detector yunet --out cut
sameface train cut/train --weights sface-2021dec-unit --out tuned                              # settings are chosen by what it says
python benchmarks/fine_tuning.py test cut sface-2021dec-unit tuned/my-encoder.onnx --out test.json      # peopleDevTest, once, at the end
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from sameface.datasets import LabelledPhotos, read_folder, read_lfw_people
from sameface.encoders import load_encoder
from sameface.errors import SamefaceError
from sameface.evaluation.embed import EmbeddedPhotos
from sameface.evaluation.scores import Scores, score_all_pairs
from sameface.imaging import load_image
from sameface.metrics import people_weights
from sameface.metrics.thresholds import matches_allowed, tar_at_fmr
from sameface.models.card import ModelCard
from sameface.recognizer import Recognizer
from sameface.training.recipes.lfw import bad_camera
from sameface.types import EmbeddingSpace

FMR = 1e-3


def people_of(lfw: Path, part: str) -> LabelledPhotos:
    return read_folder(lfw / "images", only=read_lfw_people(lfw / f"peopleDev{part}.txt"))


def link(data: LabelledPhotos, folder: Path) -> None:
    """A folder for each person, of links to the photos."""
    for photo in data.photos:
        assert isinstance(photo, Path)
        place = folder / photo.parent.name / photo.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(photo.resolve())


def file_name(kind: str, card: ModelCard) -> str:
    return f"{kind}-{card.alignment_id.replace('/', '-')}.npy"


def cut(data: LabelledPhotos, recognizers: list[Recognizer], damaged: bool, folder: Path) -> None:
    """Crops of all photos for each alignment, zeros where no face was found; faces are looked for once."""
    kind, start = "damaged" if damaged else "clean", time.process_time()
    crops = []
    for recognizer in recognizers:
        side = recognizer.card.input_size_wh[0]
        path = folder / file_name(kind, recognizer.card)
        crops.append(np.lib.format.open_memmap(path, "w+", np.uint8, (len(data.photos), side, side, 3)))
    found = np.zeros(len(data.photos), bool)
    for place, photo in enumerate(data.photos):
        image = load_image(photo)
        image = bad_camera(image) if damaged else image
        try:
            face = recognizers[0].finder.choose(image, "centre")
        except SamefaceError:
            continue
        for recognizer, rows in zip(recognizers, crops, strict=True):
            rows[place] = recognizer.finder.crops(image, [face])[0]
        found[place] = True
    np.savez(folder / f"{kind}.npz", found=found, people=data.people, names=np.array(data.names))
    print(kind, f"{found.sum()} of {len(found)} found, {time.process_time() - start:.0f} CPU seconds", flush=True)


def scores_of(encoder: str, folder: Path, kind: str) -> Scores:
    """All pairs of what was cut out."""
    with np.load(folder / f"{kind}.npz") as kept:
        found, people, names = kept["found"], kept["people"], kept["names"]
    f = load_encoder(encoder, threads=1)
    crops = np.load(folder / file_name(kind, f.card), mmap_mode="r")
    vectors = np.zeros((len(found), f.card.dimension), np.float32)
    for start in range(0, len(found), 256):
        vectors[start : start + 256] = f.encode(np.asarray(crops[start : start + 256]))
    photos = LabelledPhotos(kind, tuple(Path(str(row)) for row in range(len(found))), people, tuple(names))
    space = EmbeddingSpace(f.card.id, "", f.card.alignment_id)
    return score_all_pairs(photos, EmbeddedPhotos(space, vectors, found, ("",) * len(found), (), len(found), 0, 0.0))


def tars(scores: Scores) -> dict[str, float]:
    """TAR at three FMRs."""
    return {f"TAR at {fmr:g}": tar_at_fmr(scores.mated, scores.non_mated, fmr)[0] for fmr in (1e-2, FMR, 1e-4)}


class Tail:
    """TAR at FMR 1e-3 for any weights of people, from the few non-mated pairs that can decide it.

    All pairs of the photos are compared, so the weight of all non-mated ones is ½ ((Σ wᵢnᵢ)² − Σ (wᵢnᵢ)²).
    """

    def __init__(self, scores: Scores) -> None:
        assert scores.photos_of is not None
        self._photos = scores.photos_of.astype(np.float64)
        apart = np.flatnonzero(~scores.same & np.isfinite(scores.distances))
        kept = np.argpartition(scores.distances[apart], round(10 * FMR * len(apart)))[: round(10 * FMR * len(apart))]
        apart = apart[kept][np.argsort(scores.distances[apart[kept]], kind="stable")]
        mated = np.flatnonzero(scores.same)
        mated = mated[np.argsort(scores.distances[mated], kind="stable")]
        self._a, self._b, self._whose = scores.person_a[apart], scores.person_b[apart], scores.person_a[mated]
        self._apart, self._mated = scores.distances[apart], scores.distances[mated]

    def tar(self, w: np.ndarray) -> float:
        under = np.cumsum(w[self._a] * w[self._b])
        n = w * self._photos
        allowed = matches_allowed(round((n.sum() ** 2 - (n**2).sum()) / 2), FMR)
        assert under[-1] > allowed
        threshold = self._apart[np.searchsorted(under, allowed, side="right")]
        weights = w[self._whose]
        return float(weights[: np.searchsorted(self._mated, threshold, side="left")].sum() / weights.sum())


def paired(before: Scores, after: Scores, draws: int) -> tuple[float, float]:
    """95 % interval of the change of TAR at FMR 1e-3, the same draws of people for both, τ chosen anew in each draw."""
    first, second = Tail(before), Tail(after)
    assert before.photos_of is not None
    people = len(before.photos_of)
    ones = np.ones(people)
    assert abs(first.tar(ones) - tars(before)[f"TAR at {FMR:g}"]) < 1e-9
    changes = [second.tar(w.astype(np.float64)) - first.tar(w) for w in people_weights(people, draws, seed=0)]
    low, high = np.quantile(changes, [0.025, 0.975])
    return float(low), float(high)


def compare(folder: Path, base: str, tuned: str, draws: int) -> dict[str, object]:
    rows: dict[str, object] = {}
    for kind in ("damaged", "clean"):
        before, after = (scores_of(encoder, folder, kind) for encoder in (base, tuned))
        first, second = tars(before), tars(after)
        low, high = paired(before, after, draws)
        rows[kind] = {
            "people": before.people,
            "mated": int(before.same.sum()),
            "non_mated": int((~before.same).sum()),
            "before": first,
            "after": second,
            "change of TAR at 0.001": second["TAR at 0.001"] - first["TAR at 0.001"],
            "interval": [low, high],
        }
        print(kind, json.dumps(rows[kind]), flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("cut")
    making.add_argument("lfw", type=Path)
    making.add_argument("--encoder", nargs="+", required=True)
    making.add_argument("--detector", required=True)
    making.add_argument("--out", type=Path, required=True)
    judging = commands.add_parser("test")
    judging.add_argument("cut", type=Path)
    judging.add_argument("base")
    judging.add_argument("tuned")
    judging.add_argument("--draws", type=int, default=1000)
    judging.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "cut":
        arguments.out.mkdir(parents=True, exist_ok=True)
        train = people_of(arguments.lfw, "Train")
        several = np.flatnonzero(np.bincount(train.people, minlength=len(train.names))[train.people] > 1)
        link(train.only(several.tolist()).at_most(3), arguments.out / "train")
        link(train.at_most(8), arguments.out / "everybody")
        recognizers = [Recognizer(encoder=name, detector=arguments.detector, threads=1) for name in arguments.encoder]
        for damaged in (True, False):
            cut(people_of(arguments.lfw, "Test"), recognizers, damaged, arguments.out)
        return
    rows = compare(arguments.cut, arguments.base, arguments.tuned, arguments.draws)
    if arguments.out:
        arguments.out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
