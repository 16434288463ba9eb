"""What `sameface train` says of a training that ended, and what to type next."""

from __future__ import annotations

import shlex
from pathlib import Path

import typer

from sameface.cli.app import INTERRUPTED
from sameface.cli.output import note, print_json, print_line
from sameface.defaults import DEFAULT_DETECTOR
from sameface.metrics.percent import percent
from sameface.training.folder import FolderResult


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
            }
        )
        return
    if training.validation is not None:
        print_line(
            f"on {result.held_out} people never trained on: EER {percent(training.validation.eer, digits=1)} %, "
            f"one-shot error {percent(training.validation.one_shot_error, digits=1)} % (weights of step {training.best_step})"
        )
    print_line(f"{result.encoder}: {training.steps} steps in {training.wall_seconds:.0f} s, then")
    for command in next_commands(result.encoder, result.detector):
        print_line(f"  {command}")


def next_commands(encoder: Path, detector: str) -> list[str]:
    """What to type next with a trained encoder; words in capitals stand for the reader's own folders and photos.

    Args:
        encoder: the ONNX file.
        detector: what found its faces in training, ``none`` for whole pictures.
    """
    made = shlex.quote(str(encoder))
    with_it = f"--encoder {made}" + ("" if detector == DEFAULT_DETECTOR else f" --detector {shlex.quote(detector)}")
    point = shlex.quote(str(encoder.with_suffix(".json")))
    galleries = shlex.quote(str(encoder.parent / "galleries"))
    gallery = shlex.quote(str(encoder.parent / "galleries" / "people.db"))
    return [
        f"sameface calibrate OTHER_PEOPLE {with_it} --out {point}",
        f"sameface enroll PEOPLE {with_it} --gallery {gallery}",
        f"sameface identify PHOTO --gallery {gallery} --operating-point {point}",
        f"sameface verify A B {with_it} --operating-point {point}",
        f"sameface serve {galleries} --operating-point {point}",
    ]
