"""Checkpoints: everything a training needs to go on to the same result.

Batches, augmentation and dropout are functions of the seed and the step, so no random state is stored. Written whole
or not at all: a full disk leaves the last checkpoint as it was. Read with ``weights_only``: a checkpoint can hold
tensors and numbers, no code.
"""

from __future__ import annotations

import json
import pickle
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import torch
from torch import Tensor

from sameface.errors import CheckpointError, StorageFullError
from sameface.files import atomic_write
from sameface.training.loop.settings import TrainingSettings
from sameface.training.networks.by_name import NetworkSpec

FORMAT: Final = 1


@dataclass
class Checkpoint:
    """The state between two steps.

    Attributes:
        spec: the network in words.
        step: steps done.
        network, averaged, loss: weights; `averaged` is the running average, `loss` the loss's own weights.
        optimizer: its state.
        best: weights of the best validation, None before the first.
        best_error, best_step: that validation; `since_best` validations have passed since.
        settings: what the training was told, for the record and for resuming.
        pictures: digest of what was trained and validated on; empty where it was not kept.
    """

    spec: NetworkSpec
    step: int
    network: dict[str, Tensor]
    averaged: dict[str, Tensor]
    loss: dict[str, Tensor]
    optimizer: dict[str, Any]
    best: dict[str, Tensor] | None = None
    best_error: float = float("inf")
    best_step: int = 0
    since_best: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    pictures: str = ""

    def require_pictures(self, digest: str) -> None:
        """Refuse to go on with other pictures, or with another split of their people.

        Raises:
            CheckpointError: who is validated on now may have been trained on then.
        """
        if self.pictures not in {"", digest}:
            raise CheckpointError(
                expected="a checkpoint of these pictures, divided as they are now",
                got="one of other pictures, or of another split of people",
                advice="give the folder, the encoder, the seed and the share held out that it was started with, or start again",
            )

    def changes(self, settings: TrainingSettings) -> tuple[str, ...]:
        """What a training that goes on with these settings should be told."""
        now = asdict(settings)
        others = {name: value for name, value in self.settings.items() if now.get(name, value) != value}
        if not others:
            return ()
        changed = ", ".join(f"{name} {now[name]} (was {value})" for name, value in others.items())
        return (f"resumed with other settings than it was started with: {changed}",)


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all.

    Raises:
        StorageFullError: no room; what lay there before is untouched.
    """
    words = {"spec": asdict(checkpoint.spec), "settings": checkpoint.settings, "pictures": checkpoint.pictures}
    content = {
        "sameface_checkpoint": FORMAT,
        "words": json.dumps(words),
        **{key: getattr(checkpoint, key) for key in ("step", "network", "averaged", "loss", "optimizer", "best")},
        **{key: getattr(checkpoint, key) for key in ("best_error", "best_step", "since_best")},
    }
    try:
        with atomic_write(path) as part, part.open("wb") as file:
            _write(content, file)
    except StorageFullError as error:
        raise StorageFullError(
            expected=f"room for {path.name} in {path.parent}",
            got=f"a full disk at step {checkpoint.step}",
            advice="free some space and go on with --resume"
            if path.is_file()
            else "free some space, or write to another folder",
        ) from error


def _write(content: dict[str, Any], file: IO[bytes]) -> None:
    try:
        torch.save(content, file)
    except RuntimeError as error:
        # PyTorch's zip writer reports a failed write as its own RuntimeError, with the OSError behind it.
        cause = error.__context__ or error.__cause__
        if isinstance(cause, OSError):
            raise cause from error
        raise


def load_checkpoint(path: Path, expect: NetworkSpec | None = None) -> Checkpoint:
    """Read a checkpoint.

    Args:
        path: the file.
        expect: the network it must be of; None takes any.

    Raises:
        CheckpointError: no such file, damaged, or of another network.
    """
    if not path.is_file():
        raise CheckpointError(expected=f"a checkpoint at {path}", got="nothing there", advice="check the path")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch wonders aloud about foreign pickles before it refuses them
            content = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(content, dict) or content.get("sameface_checkpoint") != FORMAT:
            raise CheckpointError(
                expected=f"a checkpoint of format {FORMAT}",
                got=f"another file: {path}",
                advice="give a checkpoint that `sameface train` wrote",
            )
        words = json.loads(content.pop("words"))
        del content["sameface_checkpoint"]
        options = {
            key: tuple(value) if isinstance(value, list) else value for key, value in words["spec"]["options"].items()
        }
        spec = NetworkSpec(**{**words["spec"], "options": options})
        found = Checkpoint(spec=spec, settings=words["settings"], pictures=words.get("pictures", ""), **content)
    except CheckpointError:
        raise
    except (RuntimeError, OSError, EOFError, KeyError, TypeError, ValueError, pickle.UnpicklingError) as error:
        raise CheckpointError(
            expected="a whole checkpoint",
            got=f"{path}, which cannot be read: {(str(error) or type(error).__name__).splitlines()[0][:200]}",
            advice="use an earlier checkpoint or start again",
        ) from error
    if expect is not None and found.spec != expect:
        raise CheckpointError(
            expected=f"a checkpoint of {expect}",
            got=f"one of {found.spec}",
            advice="resume with the options it was started with",
        )
    return found
