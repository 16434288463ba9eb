"""How the default encoder was chosen, and what the files beside it were made from.

    python benchmarks/encoder_variants.py embed  LFW WORK     # faces of LFW's development people, several looks at each (an hour)
    python benchmarks/encoder_variants.py table  LFW WORK     # ten-fold accuracy and TAR of every variant
    python benchmarks/encoder_variants.py learned LFW WORK    # what can be learned on top, five folds of people
    python benchmarks/encoder_variants.py crowd  LFW WORK     # centres of typical strangers -> WORK/dlib-resnet-mirror.npz
    python benchmarks/encoder_variants.py ranges LFW WORK     # activation ranges for 8 bits -> WORK/dlib-resnet.json

LFW is the folder with `images/` and the lists of View 1; nothing here reads `pairsDevTest.txt`. WORK keeps embeddings and crops of faces: biometric
data, delete it afterwards. Tables: docs/decisions/default-encoder.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from sameface.datasets.folder import read_folder
from sameface.datasets.lfw import read_lfw_pairs, read_lfw_people
from sameface.encoders import load_encoder
from sameface.errors import SamefaceError
from sameface.faces import load_detector
from sameface.faces.align import DlibAligner
from sameface.faces.choose import choose_face
from sameface.faces.dlib_box import dlib_box
from sameface.faces.warp import crop_by, fit_similarity
from sameface.matching import unit_length
from sameface.metrics import (
    accuracy_by_fold,
    accuracy_threshold,
    mean_and_standard_error,
    person_disjoint_folds,
    tar_at_fmr,
)
from sameface.models.dlib_resnet import read_resnet
from sameface.models.dlib_resnet_onnx import write_onnx
from sameface.models.registry import load_card, locate
from sameface.models.runtime import Session
from sameface.types import Box

LOOKS = ("plain", "enlarged", "mean points")
Matrix = np.ndarray
Change = Callable[[Matrix], Matrix]


def embed(lfw: Path, work: Path) -> None:
    """For each photo of the development people: three looks and their mirror images through the raw network."""
    bench = read_folder(lfw / "images", only=read_lfw_people(lfw / "peopleDevTrain.txt"))
    detector, aligner, encoder = (
        load_detector("mtcnn", threads=1),
        DlibAligner(150),
        load_encoder("dlib-resnet", threads=1),
    )
    template = aligner._template
    rows, chips, names = [], [], []
    for photo in bench.photos:
        with Image.open(photo) as picture:
            image = np.asarray(picture.convert("RGB"))
        try:
            box = dlib_box(choose_face(detector.detect(image), image, "centre"))
        except SamefaceError:
            print("no face:", photo.name)
            continue
        x, y = box.center_xy
        boxes = [box] + [
            Box(x - box.width * s / 2, y - box.height * s / 2, x + box.width * s / 2, y + box.height * s / 2)
            for s in (0.92, 1.08)
        ]
        points = [item.points_xy for item in aligner._predictor.predict(image, boxes)]
        looks = [(template, points[0]), ((template - 75) * 1.06 + 75, points[0]), (template, np.mean(points, axis=0))]
        crops = np.stack([crop_by(image, fit_similarity(goal, found), 150) for goal, found in looks])
        rows.append(encoder.encode(np.concatenate([crops, crops[:, :, ::-1]])).reshape(2, len(looks), -1))
        chips.append(crops[0])
        names.append(str(photo.relative_to(lfw / "images")))
    work.mkdir(parents=True, exist_ok=True)
    np.savez(work / "faces.npz", rows=np.stack(rows), chips=np.stack(chips), names=np.array(names))


class Faces:
    """Embeddings of the development people, by photo."""

    def __init__(self, lfw: Path, work: Path) -> None:
        stored = np.load(work / "faces.npz")
        self.rows, self.chips, self.names = stored["rows"], stored["chips"], [str(name) for name in stored["names"]]
        self.at = {name: index for index, name in enumerate(self.names)}
        self.people, self.label = np.unique([name.split("/")[0] for name in self.names], return_inverse=True)
        seen: dict[int, int] = {}
        self.few = np.zeros(len(self.names), bool)  # at most ten photos of a person
        for index, person in enumerate(self.label):
            seen[person] = seen.get(person, 0) + 1
            self.few[index] = seen[person] <= 10
        pairs = read_lfw_pairs(lfw / "images", lfw / "pairsDevTrain.txt")
        self.pairs = pairs
        order = [self.at.get(str(path.relative_to(lfw / "images")), -1) for path in pairs.photos]
        self.photo = np.array(order)
        self.folds = person_disjoint_folds(pairs.person_a, pairs.person_b, 10)

    def mirrored(self, look: int = 0) -> Matrix:
        return self.rows[:, :, look].mean(axis=1)


def all_pairs(vectors: Matrix, label: Matrix) -> tuple[Matrix, Matrix]:
    """Distances of all mated and all non-mated pairs."""
    first, second = np.triu_indices(len(label), 1)
    squares = (vectors * vectors).sum(axis=1)
    table = np.maximum(squares[:, None] + squares[None] - 2 * vectors @ vectors.T, 0)
    distances, same = np.sqrt(table[first, second]), label[first] == label[second]
    return distances[same], distances[~same]


def show(name: str, mated: Matrix, non_mated: Matrix, before: str = "") -> None:
    rates = "  ".join(
        f"{100 * tar_at_fmr(mated, non_mated, fmr)[0]:6.2f} at {fmr:g}" for fmr in (1e-2, 1e-3, 1e-4, 1e-5)
    )
    print(f"{name:34} {before} TAR % {rates}", flush=True)


def table(faces: Faces) -> None:
    unit, rows = unit_length, faces.rows
    variants = {
        "raw": rows[:, 0, 0],
        "length 1": unit(rows[:, 0, 0]),
        "mirrored": faces.mirrored(),
        "mirrored, length 1": unit(faces.mirrored()),
        "length 1, mirrored, length 1": unit(unit(rows[:, 0, 0]) + unit(rows[:, 1, 0])),
        "mean points, mirrored, length 1": unit(faces.mirrored(2)),
        "enlarged, mirrored, length 1": unit(faces.mirrored(1)),
        "both sizes, mirrored, length 1": unit(faces.mirrored() + faces.mirrored(1)),
        "both points, mirrored, length 1": unit(faces.mirrored() + faces.mirrored(2)),
    }
    pairs = faces.pairs
    a, b = faces.photo[pairs.a], faces.photo[pairs.b]
    used = np.unique(faces.photo[faces.photo >= 0])
    for name, vectors in variants.items():
        distances = np.linalg.norm(vectors[a] - vectors[b], axis=1)
        distances[(a < 0) | (b < 0)] = np.inf
        people = (pairs.person_a, pairs.person_b)
        folds = accuracy_by_fold(distances, pairs.same, faces.folds, people=people)
        mean, error = mean_and_standard_error([fold.accuracy for fold in folds])
        threshold, _ = accuracy_threshold(distances[pairs.same], distances[~pairs.same])
        mated, non_mated = all_pairs(vectors[used], faces.label[used])
        show(name, mated, non_mated, f"{100 * mean:.2f} ± {100 * error:.2f} %  τ {threshold:.4f} ")


def within_covariance(vectors: Matrix, label: Matrix) -> Matrix:
    """Scatter of each person's photos around their mean, people weighted equally."""
    counts = np.bincount(label)
    sums = np.zeros((len(counts), vectors.shape[1]))
    np.add.at(sums, label, vectors)
    several = counts[label] >= 2
    rest = (vectors - sums[label] / counts[label][:, None])[several]
    weight = (1 / (counts[label] - 1.0 + (counts[label] < 2)))[several]
    return (rest * weight[:, None]).T @ rest / (counts >= 2).sum()


def whitening(covariance: Matrix, shrink: float) -> Matrix:
    size = len(covariance)
    mixed = (1 - shrink) * covariance + shrink * np.trace(covariance) / size * np.eye(size)
    values, vectors = np.linalg.eigh(mixed)
    return vectors @ np.diag(values**-0.5) @ vectors.T


def one_each(vectors: Matrix, label: Matrix) -> Matrix:
    """One vector of length 1 for each person."""
    sums = np.zeros((label.max() + 1, vectors.shape[1]))
    np.add.at(sums, label, vectors)
    return unit_length(sums[np.bincount(label) > 0].astype(np.float32))


def crowd_of(vectors: Matrix, label: Matrix, clusters: int) -> Matrix:
    """Centres of k-means over people; each the mean of at least five."""
    from sklearn.cluster import KMeans

    people = one_each(vectors, label)
    found = KMeans(clusters, n_init=3, random_state=0, max_iter=50).fit(people)
    members = np.bincount(found.labels_, minlength=clusters)
    return unit_length(found.cluster_centers_[members >= 5].astype(np.float32))


def stretch(vectors: Matrix, centres: Matrix, nearest: int, strength: float) -> Matrix:
    near = np.partition(vectors @ centres.T, -nearest, axis=1)[:, -nearest:].mean(axis=1)
    return vectors * np.exp(strength * (near - 0.94))[:, None]


def by_gradient(train: Matrix, people: Matrix, decay: float, hidden: int, steps: int = 400) -> Change:
    """A map that starts as the identity, trained to find each person's other photo among 1,279 strangers."""
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(1)
    random, vectors = np.random.default_rng(0), torch.tensor(train)
    several = [np.flatnonzero(people == person) for person in np.flatnonzero(np.bincount(people) >= 2)]
    size = train.shape[1]
    linear = torch.eye(size).requires_grad_(True)
    narrow = (torch.randn(hidden, size) * 0.1).requires_grad_(True)
    wide, bias = torch.zeros(size, hidden).requires_grad_(True), torch.zeros(hidden).requires_grad_(True)

    def change(x: torch.Tensor) -> torch.Tensor:
        y = x @ linear + torch.tanh(x @ narrow.T + bias) @ wide.T if hidden else x @ linear
        return torch.nn.functional.normalize(y)

    adam = torch.optim.Adam([linear, narrow, wide, bias], lr=3e-4 if hidden else 1e-3)
    for _ in range(steps):
        chosen = random.permutation(len(several))[:256]
        two = np.array([random.choice(several[person], 2, replace=False) for person in chosen])
        anchor, mate = change(vectors[two[:, 0]]), change(vectors[two[:, 1]])
        strangers = change(vectors[random.integers(0, len(vectors), 1024)])
        cosines = 30 * torch.cat([anchor @ mate.T, anchor @ strangers.T], dim=1)
        loss = torch.nn.functional.cross_entropy(cosines, torch.arange(len(two)))
        loss = loss + decay * ((linear - torch.eye(size)) ** 2).sum()
        adam.zero_grad()
        loss.backward()
        adam.step()
    return lambda x: change(torch.tensor(x)).detach().numpy()


def normalised_by_cohort(vectors: Matrix, label: Matrix, cohort: Matrix, nearest: int) -> tuple[Matrix, Matrix]:
    """AS-norm: how unusual a pair's cosine is for either side's nearest strangers; as a distance, mated and non-mated."""
    cosines = vectors @ vectors.T
    near = np.sort(vectors @ cohort.T, axis=1)[:, -nearest:]
    centre, spread = near.mean(axis=1), near.std(axis=1)
    score = ((cosines - centre[:, None]) / spread[:, None] + (cosines - centre[None]) / spread[None]) / 2
    first, second = np.triu_indices(len(label), 1)
    distance, same = 100 - score[first, second], label[first] == label[second]
    return distance[same], distance[~same]


def learned(faces: Faces) -> None:
    vectors, label = unit_length(faces.mirrored()), faces.label
    fold = np.random.default_rng(0).integers(0, 5, len(faces.people))[label]

    def centred(train: Matrix, _: Matrix) -> Change:
        mean = train.mean(axis=0)
        return lambda x: unit_length(x - mean)

    def whitened(train: Matrix, _: Matrix, shrink: float) -> Change:
        mean, map_ = train.mean(axis=0), whitening(np.cov(train.T), shrink)
        return lambda x: unit_length((x - mean) @ map_)

    def within(train: Matrix, people: Matrix, shrink: float) -> Change:
        map_ = whitening(within_covariance(train, people), shrink)
        return lambda x: unit_length(x @ map_)

    def discriminant(train: Matrix, people: Matrix, shrink: float) -> Change:
        mean = train.mean(axis=0)
        map_ = whitening(within_covariance(train - mean, people), shrink)
        values, axes = np.linalg.eigh(np.cov(((train - mean) @ map_).T))
        gain = np.sqrt(np.maximum(values - 1, 0) / np.maximum(values, 1))
        return lambda x: unit_length((x - mean) @ map_ @ axes * gain)

    def crowded(train: Matrix, people: Matrix, clusters: int, nearest: int, strength: float) -> Change:
        centres = crowd_of(train, people, clusters)
        return lambda x: stretch(x, centres, nearest, strength)

    ways: dict[str, Callable[[Matrix, Matrix], Change]] = {
        "nothing": lambda *_: lambda x: x,
        "mean subtracted": centred,
    }
    for shrink in (0.1, 0.3, 0.6, 0.9):
        ways[f"whitening {shrink}"] = lambda x, y, s=shrink: whitened(x, y, s)  # type: ignore[misc]
        ways[f"LDA {shrink}"] = lambda x, y, s=shrink: discriminant(x, y, s)  # type: ignore[misc]
        ways[f"within-person whitening {shrink}"] = lambda x, y, s=shrink: within(x, y, s)  # type: ignore[misc]
    for decay in (1e-3, 1e-2, 1e-1):
        ways[f"linear by gradient, decay {decay:g}"] = lambda x, y, d=decay: by_gradient(x, y, d, 0)  # type: ignore[misc]
    ways["residual network by gradient"] = lambda x, y: by_gradient(x, y, 0.1, 64)
    for clusters, nearest, strength in ((256, 3, 4), (256, 3, 5), (256, 8, 4), (512, 3, 4), (512, 6, 4)):
        name = f"crowd {clusters}, nearest {nearest}, × {strength}"
        ways[name] = lambda x, y, k=clusters, n=nearest, s=strength: crowded(x, y, k, n, s)  # type: ignore[misc]
    for name, way in ways.items():
        both = []
        for number in range(5):
            change = way(vectors[fold != number], label[fold != number])
            chosen = (fold == number) & faces.few
            both.append(all_pairs(change(vectors[chosen]).astype(np.float32), label[chosen]))
        show(name, *(np.concatenate(part) for part in zip(*both, strict=True)))
    for nearest in (20, 100, 400):
        both = []
        for number in range(5):
            cohort, chosen = one_each(vectors[fold != number], label[fold != number]), (fold == number) & faces.few
            both.append(normalised_by_cohort(vectors[chosen], label[chosen], cohort, nearest))
        show(f"AS-norm, nearest {nearest}", *(np.concatenate(part) for part in zip(*both, strict=True)))


def crowd(faces: Faces, work: Path) -> None:
    """Centres from one half of the people; the other half is left for a threshold."""
    vectors = unit_length(faces.mirrored())
    half = set(np.random.default_rng(1).permutation(len(faces.people))[: len(faces.people) // 2].tolist())
    inside = np.array([person in half for person in faces.label])
    centres = crowd_of(vectors[inside], faces.label[inside], 192)
    near = np.partition(vectors[~inside] @ centres.T, -3, axis=1)[:, -3:].mean(axis=1)
    usual = round(float(np.median(near)), 4)
    np.savez(work / "dlib-resnet-mirror.npz", centres=centres.astype(np.float16), nearest=3, strength=5.0, usual=usual)
    others = [name for person, name in enumerate(faces.people) if person not in half]
    counts = np.bincount(faces.label)
    lines = [f"{name}\t{counts[person]}" for person, name in enumerate(faces.people) if person not in half]
    (work / "people-not-in-the-crowd.txt").write_text("\n".join([str(len(others)), *lines]) + "\n")
    print(f"{len(centres)} centres, usual {usual}; calibrate with --people {work / 'people-not-in-the-crowd.txt'}")


def ranges(faces: Faces, work: Path) -> None:
    """0.1 % and 99.9 % quantiles over crops of each activation's smallest and largest value."""
    first = np.unique(faces.label, return_index=True)[1]
    chips = faces.chips[np.random.default_rng(0).permutation(first)[:1000]]
    source = locate(load_card("dlib-resnet"))[0]
    network = work / "watched.onnx"
    names = write_onnx(read_resnet(source.read_bytes(), source.name), network, watched=True)
    session, seen = Session(network), {name: [] for name in names}
    looks = np.concatenate([chips, chips[:, :, ::-1]])
    for start in range(0, len(looks), 8):
        values = session.run({"crops_rgb": np.ascontiguousarray(looks[start : start + 8])})[1:]
        for name, value in zip(names, values, strict=True):
            flat = value.reshape(len(value), -1)
            seen[name].append(np.stack([flat.min(axis=1), flat.max(axis=1)], axis=1))
    found = {}
    for name, parts in seen.items():
        ends = np.concatenate(parts)
        found[name] = (min(float(np.quantile(ends[:, 0], 0.001)), 0.0), float(np.quantile(ends[:, 1], 0.999)))
    (work / "dlib-resnet.json").write_text(json.dumps({"ranges": found}, indent=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("embed", "table", "learned", "crowd", "ranges"))
    parser.add_argument("lfw", type=Path)
    parser.add_argument("work", type=Path)
    options = parser.parse_args()
    if options.what == "embed":
        embed(options.lfw, options.work)
        return
    faces = Faces(options.lfw, options.work)
    if options.what in ("crowd", "ranges"):
        {"crowd": crowd, "ranges": ranges}[options.what](faces, options.work)
    else:
        {"table": table, "learned": learned}[options.what](faces)


if __name__ == "__main__":
    main()
