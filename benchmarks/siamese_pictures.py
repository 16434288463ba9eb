"""Makes the pictures and numbers of siamese.md from ORL, as points and numbers only; no face is drawn.

python benchmarks/siamese_pictures.py --data ../shared/data/orl --threads 2
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import nn
from torch.nn import functional

from sameface.errors import TrainingError
from sameface.training.augment import FaceAugmentation
from sameface.training.distances import sq_distances_within
from sameface.training.intake import Intake
from sameface.training.loop.device import choose_compute
from sameface.training.loop.settings import TrainingSettings
from sameface.training.loop.trainer import Trainer, seeded
from sameface.training.losses import make_loss
from sameface.training.mining import triplet_miner
from sameface.training.networks import ConvNet, NetworkSpec, build_network
from sameface.training.pictures import Pictures
from sameface.training.recipes.orl import SIDE, embeddings_of, one_shot_trials, read_orl, split_of
from sameface.training.sampling import PeopleTimesPhotos

mpl.use("agg")
from matplotlib import pyplot as plt

IMG = Path(__file__).resolve().parents[1] / "docs" / "img"
WIDTHS = (16, 32, 64, 64)
COLOURS = plt.get_cmap("tab10").colors
plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 150})


def train(
    pictures: Pictures, *, loss: str, dimension: int = 128, steps: int = 250, unit_length: bool = True, **options: Any
) -> tuple[Trainer, list[tuple[int, Mapping[str, float]]]]:
    """A small network from 30 people; the numbers of every tenth step."""
    rate = options.pop("learning_rate", 1e-3)
    spec = NetworkSpec(
        "convnet", SIDE, 1, dimension, unit_length=unit_length, intake="per-image", options={"widths": WIDTHS}
    )
    settings = TrainingSettings(
        steps=steps,
        people=20,
        photos=4,
        learning_rate=rate,
        averaging=0.95,
        report_every=5,
        save_every=0,
        warmup=options.pop("warmup", 20),
    )
    trainer = Trainer(
        seeded(0, lambda: build_network(spec)),
        make_loss(loss, dimension=dimension, people=30, **options),
        pictures,
        settings,
        augmentation=FaceAugmentation(blur=0),
        compute=choose_compute("cpu", "float32"),
    )
    history: list[tuple[int, Mapping[str, float]]] = []
    try:
        trainer.run(lambda step, numbers: history.append((step, dict(numbers))))
    except TrainingError as error:
        print("said:", error)
    return trainer, history


def error_of(vectors: np.ndarray, strangers: Pictures) -> float:
    """One-shot error in percent."""
    wrong, trials = one_shot_trials(vectors, strangers.labels)
    return 100 * wrong / trials


def dots(axes: Any, points: np.ndarray, strangers: Pictures, title: str) -> None:
    """Points by person."""
    for person in range(len(strangers.people)):
        chosen = points[strangers.labels == person]
        axes.scatter(chosen[:, 0], chosen[:, 1], s=12, color=COLOURS[person], linewidths=0)
    axes.set_title(title, loc="left")
    axes.set_xticks([])
    axes.set_yticks([])


def before_and_after(known: Pictures, strangers: Pictures, numbers: dict[str, Any]) -> Trainer:
    """Ten people never trained on, as pixels, in an untrained and in a trained network."""
    trained, history = train(known, loss="triplet", mining="semi-hard")
    untrained, _ = train(known, loss="triplet", mining="semi-hard", steps=1, learning_rate=1e-12)
    views = {
        "raw pixels": strangers.pixels.flatten(1).numpy().astype(np.float64),
        "untrained network": embeddings_of(untrained.embed, strangers),
        "trained on 30 others": embeddings_of(trained.embed, strangers),
    }
    figure, panels = plt.subplots(1, 3, figsize=(9, 3.1))
    for axes, (name, vectors) in zip(panels, views.items(), strict=True):
        error = error_of(vectors, strangers)
        numbers[f"one-shot error, {name}"] = error
        dots(axes, PCA(2).fit_transform(vectors), strangers, f"{name}\none-shot error {error:.1f} %")
    figure.tight_layout()
    figure.savefig(IMG / "siamese-before-after.png")
    curves(known, history, numbers)
    return trained


def curves(known: Pictures, good: list[tuple[int, Mapping[str, float]]], numbers: dict[str, Any]) -> None:
    """Loss, active share and spread: a training that works beside one that collapses."""
    _, bad = train(known, loss="triplet", mining="hard", learning_rate=0.03, warmup=0, steps=250)
    figure, panels = plt.subplots(1, 3, figsize=(9, 2.7))
    for axes, key, title in zip(
        panels,
        ("loss", "active_share", "spread"),
        ("loss of active triplets", "share of active triplets", "spread"),
        strict=True,
    ):
        for history, name, colour in (
            (good, "semi-hard, rate 0.001", COLOURS[0]),
            (bad, "hard, rate 0.03", COLOURS[3]),
        ):
            axes.plot([step for step, _ in history], [row[key] for _, row in history], color=colour, label=name)
        axes.set_title(title, loc="left")
        axes.set_xlabel("step")
        axes.set_ylim(bottom=0)
    panels[0].axhline(0.2, color="0.6", linewidth=0.8, linestyle=":")
    panels[0].legend(frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(IMG / "siamese-curves.png")
    numbers["collapse"] = (
        {"steps": bad[-1][0], "loss": bad[-1][1]["loss"], "spread": bad[-1][1]["spread"]} if bad else {}
    )


def what_miners_pick(known: Pictures, numbers: dict[str, Any]) -> None:
    """One batch early in training; each dot a picked triplet."""
    trainer, _ = train(known, loss="triplet", mining="semi-hard", steps=60)
    rows = PeopleTimesPhotos(known.labels, people=20, photos=4, seed=9).batch(0)
    with torch.no_grad():
        d = sq_distances_within(trainer.embed(known.pixels[torch.from_numpy(rows)]))
    labels = torch.from_numpy(known.labels[rows])
    same = labels[:, None] == labels[None, :]
    a, p, n = (same[:, :, None] & ~torch.eye(80, dtype=torch.bool)[:, :, None] & ~same[:, None, :]).nonzero(
        as_tuple=True
    )
    names = ["all", "hard", "semi-hard", "batch-hard", "distance-weighted"]
    figure, panels = plt.subplots(1, 5, figsize=(11, 2.7), sharex=True, sharey=True)
    torch.manual_seed(0)
    for axes, name in zip(panels, names, strict=True):
        if name == "all":
            x, y = d[a, p], d[a, n]
        else:
            picked = triplet_miner(name, margin=0.2)(d, labels)
            x, y = d[picked.anchors, picked.positives], d[picked.anchors, picked.negatives]
        active = float((x - y + 0.2 > 0).float().mean())
        numbers[f"mined, {name}"] = {"triplets": len(x), "active share": active}
        axes.scatter(
            x, y, s=2 if name == "all" else 5, alpha=0.08 if name == "all" else 0.6, color=COLOURS[0], linewidths=0
        )
        axes.plot([0, 2], [0, 2], color="0.4", linewidth=0.8)
        axes.plot([0, 2], [0.2, 2.2], color="0.4", linewidth=0.8, linestyle="--")
        axes.set_title(f"{name}\n{len(x):,} triplets, {active:.0%} active", loc="left", fontsize=8)
        axes.set_xlabel("‖A − P‖²")
    panels[0].set_ylabel("‖A − N‖²")
    figure.tight_layout()
    figure.savefig(IMG / "siamese-miners.png")


def softmax_beside_siamese(siamese: Trainer, strangers: Pictures, numbers: dict[str, Any]) -> None:
    """A classifier trained on one photo each, beside embeddings of the same photo, asked about the same others."""
    wrong = trials = siamese_wrong = 0
    vectors = embeddings_of(siamese.embed, strangers)
    seconds = []
    intake = Intake("per-image", 1)
    augment = FaceAugmentation(blur=0)
    for enrolled in (0, 4, 9):
        rows = np.array([np.flatnonzero(strangers.labels == label)[enrolled] for label in range(10)])
        probes = np.setdiff1d(np.arange(len(strangers)), rows)
        start = time.process_time()
        network = seeded(
            enrolled, lambda: nn.Sequential(ConvNet(size=SIDE, widths=WIDTHS), nn.ReLU(), nn.Linear(128, 10))
        )
        optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
        one_each = intake(strangers.pixels[torch.from_numpy(rows)]).repeat_interleave(4, dim=0)
        answers = torch.arange(10).repeat_interleave(4)
        network.train()
        for step in range(150):
            pictures = augment(one_each, 4, torch.Generator().manual_seed(step))
            loss = functional.cross_entropy(network(pictures), answers)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        seconds.append(time.process_time() - start)
        network.eval()
        with torch.no_grad():
            said = network(intake(strangers.pixels[torch.from_numpy(probes)])).argmax(dim=1).numpy()
        wrong += int((said != strangers.labels[probes]).sum())
        nearest = np.linalg.norm(vectors[probes][:, None] - vectors[rows][None], axis=2).argmin(axis=1)
        siamese_wrong += int((nearest != strangers.labels[probes]).sum())
        trials += len(probes)
    numbers["siamese on the same photos, error"] = 100 * siamese_wrong / trials
    numbers["softmax on one photo each, error"] = 100 * wrong / trials
    numbers["softmax, CPU seconds to add a person"] = float(np.median(seconds))
    start = time.process_time()
    for _ in range(20):
        embeddings_of(siamese.embed, replace(strangers, pixels=strangers.pixels[:1], labels=strangers.labels[:1]))
    numbers["siamese, CPU seconds to add a person"] = (time.process_time() - start) / 20


def learned_reduction(known: Pictures, strangers: Pictures, numbers: dict[str, Any]) -> None:
    """Contrastive loss from 128 dimensions down to 2, against principal components of the pixels."""
    dimensions = [2, 4, 8, 16, 32, 64, 128]
    flat = {name: part.pixels.flatten(1).numpy() / 255 for name, part in (("known", known), ("strangers", strangers))}
    ours, theirs, plane = [], [], None
    for dimension in dimensions:
        trainer, _ = train(known, loss="contrastive", mining="all", dimension=dimension, unit_length=False)
        vectors = embeddings_of(trainer.embed, strangers)
        ours.append(error_of(vectors, strangers))
        components = PCA(dimension, svd_solver="full").fit(flat["known"])
        theirs.append(error_of(components.transform(flat["strangers"]), strangers))
        if dimension == 2:
            plane = (vectors, components.transform(flat["strangers"]))
        print(dimension, ours[-1], theirs[-1], flush=True)
    numbers["dimensions"] = {"d": dimensions, "contrastive": ours, "PCA": theirs}
    figure, panels = plt.subplots(1, 3, figsize=(9, 3.1))
    panels[0].plot(dimensions, ours, "o-", color=COLOURS[0], label="contrastive loss")
    panels[0].plot(dimensions, theirs, "s--", color="0.5", label="principal components")
    panels[0].set_xscale("log", base=2)
    panels[0].set_xticks(dimensions, [str(dimension) for dimension in dimensions])
    panels[0].set_ylim(bottom=0)
    panels[0].set_xlabel("dimensions")
    panels[0].set_title("one-shot error, %", loc="left")
    panels[0].legend(frameon=False, fontsize=8)
    assert plane is not None
    dots(panels[1], plane[1], strangers, "two principal components")
    dots(panels[2], plane[0], strangers, "two dimensions by contrastive loss")
    figure.tight_layout()
    figure.savefig(IMG / "siamese-dimensions.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="JSON with every number")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    IMG.mkdir(exist_ok=True)
    pictures = read_orl(arguments.data)
    known, strangers = (pictures.of_people(part) for part in split_of(0))
    numbers: dict[str, Any] = {}
    start = time.process_time()
    siamese = before_and_after(known, strangers, numbers)
    what_miners_pick(known, numbers)
    softmax_beside_siamese(siamese, strangers, numbers)
    learned_reduction(known, strangers, numbers)
    numbers["CPU seconds"] = time.process_time() - start
    print(json.dumps(numbers, indent=1))
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(numbers, indent=1))


if __name__ == "__main__":
    main()
