"""What `sameface train` says of a training that ended, and what to type next."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

import typer

from sameface.cli.app import INTERRUPTED
from sameface.cli.output import note, print_json, print_line
from sameface.defaults import DEFAULT_DETECTOR
from sameface.metrics.percent import percent
from sameface.training.folder import FolderResult

#: Where the printed commands put a gallery, beside the encoder: a folder of its own, for `serve` to show.
GALLERIES: Final = "galleries"


def say(result: FolderResult, out: Path, json: bool) -> None:
    """Say how a training ended, as a table or as JSON, and what to type next.

    Raises:
        typer.Exit: it was interrupted.
    """
    training = result.training
    for warning in training.warnings:
        note(warning)
    for item in result.skipped[:5]:
        note(f"skipped {item.path}: {item.reason}")
    if len(result.skipped) > 5:
        note(f"… {len(result.skipped)} skipped in all, listed in {out / 'skipped.txt'}")
    if training.stopped == "interrupted":
        note(f"stopped at step {training.steps}; go on with --resume")
        raise typer.Exit(128 + training.signal if training.signal else INTERRUPTED)
    if result.encoder is None:
        return
    if json:
        print_json(
            {
                "encoder": str(result.encoder),
                "stopped": training.stopped,
                "steps": training.steps,
                "best_step": training.best_step,
                "validation": training.validation._asdict() if training.validation else None,
                "people": result.people,
                "photos": result.photos,
                "held_out": result.held_out,
                "skipped": [{"path": str(item.path), "reason": item.reason} for item in result.skipped],
                "cpu_seconds": training.cpu_seconds,
                "wall_seconds": training.wall_seconds,
                "device": training.compute,
                "onnx_difference": result.onnx_difference,
                "unchanged": result.unchanged,
                "operating_point": None if result.operating_point is None else str(result.operating_point),
            }
        )
        return
    for line in _held_out(result):
        print_line(line)
    print_line(f"{result.encoder}: {training.steps} steps in {training.wall_seconds:.0f} s, then")
    (result.encoder.parent / GALLERIES).mkdir(exist_ok=True)  # a gallery is made in a folder that is there
    for command in next_commands(result.encoder, result.detector, calibrated=result.operating_point is not None):
        print_line(f"  {command}")


def _held_out(result: FolderResult) -> list[str]:
    """What the people held out say of it."""
    training, people = result.training, f"{result.held_out} people never trained on"
    found = training.validation
    if found is None:
        return []
    if found.missed is None or found.missed_undamaged is None:
        return [
            f"on {people}: EER {percent(found.eer, digits=1)} %, "
            f"one-shot error {percent(found.one_shot_error, digits=1)} % (weights of step {training.best_step})"
        ]
    rows = [
        (f"weights of step {training.best_step}", found),
        *([("before", training.before)] if training.before else []),
    ]
    lines = [f"on {people}, missed at a false match rate of 0.1 %:"]
    lines += [
        f"  {percent(row.missed, digits=1)} % damaged on purpose, {percent(row.missed_undamaged, digits=1)} % undamaged ({name})"
        for name, row in reversed(rows)
        if row.missed is not None and row.missed_undamaged is not None
    ]
    if result.unchanged:
        lines.append("no better: this is the encoder unchanged, under another name")
    if result.operating_point is not None:
        lines.append(f"{result.operating_point}: a threshold for FMR 0.1 %, from those people")
    return lines


def next_commands(encoder: Path, detector: str, *, calibrated: bool = False) -> list[str]:
    """What to type next with a trained encoder; words in capitals stand for the reader's own folders and photos.

    Args:
        encoder: the ONNX file.
        detector: what found its faces in training, ``none`` for whole pictures.
        calibrated: whether it has a threshold already, which one on other people may replace.
    """
    made = shlex.quote(str(encoder))
    with_it = f"--encoder {made}" + ("" if detector == DEFAULT_DETECTOR else f" --detector {shlex.quote(detector)}")
    point = shlex.quote(str(encoder.with_suffix(".json")))
    galleries = shlex.quote(str(encoder.parent / GALLERIES))
    gallery = shlex.quote(str(encoder.parent / GALLERIES / "people.db"))
    return [
        f"sameface calibrate OTHER_PEOPLE {with_it} --out {point}" + (" --overwrite" if calibrated else ""),
        f"sameface enroll PEOPLE {with_it} --gallery {gallery}",
        f"sameface identify PHOTO --gallery {gallery} --operating-point {point}",
        f"sameface verify A B {with_it} --operating-point {point}",
        f"sameface serve {galleries} --operating-point {point}",
    ]
