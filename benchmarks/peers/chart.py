"""The table as three bar charts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

PANELS = (
    ("photo_ms", "photo file → embedding, ms\n640 × 480, one face (less is better)", "{:.0f}"),
    ("cold_s", "cold “same person?”, s\na whole process (less is better)", "{:.2f}"),
    ("embed_32", "embeddings a second\nbatch 32 (more is better)", "{:.0f}"),
)
OURS, THEIRS = "#2563a8", "#b0b0b0"


def draw(result: dict[str, Any], path: Path) -> None:
    """Write the chart; ours blue, theirs grey."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(PANELS), figsize=(15, 4.2), layout="constrained")
    for axis, (name, title, form) in zip(axes, PANELS, strict=True):
        shown = [row for row in result["rows"] if name in row["numbers"]][::-1]
        values = [row["numbers"][name] for row in shown]
        colours = [OURS if row["peer"].startswith("sameface") else THEIRS for row in shown]
        bars = axis.barh([row["title"] for row in shown], values, color=colours)
        axis.bar_label(bars, [form.format(value) for value in values], padding=3)
        axis.set_title(title, fontsize=11)
        axis.spines[["top", "right", "bottom"]].set_visible(False)
        axis.xaxis.set_visible(False)
        axis.margins(x=0.15)
    figure.text(
        0.5,
        -0.03,
        f"{result['when'][:10]}, {result['cpus']} cores, one run. Networks differ: SFace is 1.15 GFLOP a face, "
        "dlib's 0.54, FaceNet 2.8, MobileFaceNet 0.4.",
        ha="center",
        fontsize=9,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)
