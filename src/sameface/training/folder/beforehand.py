"""What can be known before any picture is read: that a plan can be meant, and that no finished training is in its way."""

from __future__ import annotations

import math
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import torch

from sameface.errors import ExtraMissingError, OutputError, SettingError
from sameface.training.folder.named import augmentation_of, callbacks_of, loss_of, named
from sameface.training.folder.plan import FolderPlan
from sameface.training.loop.device import choose_compute
from sameface.training.networks import NetworkSpec, build_network

#: What a training leaves in its folder.
_MARKS: Final = ("checkpoint.pt", "log.csv", "result.json", "*.onnx")


def keep_finished(out: Path, *, resume: bool, overwrite: bool) -> None:
    """Refuse to write into the folder of another training.

    Raises:
        OutputError: it holds one, which is neither to be gone on with nor to be replaced; or no folder can be there.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(expected=f"a folder at {out}", got="a file there", advice="choose another name")
    above = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
        raise OutputError(
            expected=f"to write in {out}", got=f"no way to in {above}", advice="choose another place for --out"
        )
    if resume or overwrite or not out.is_dir():
        return
    found = sorted(path.name for mark in _MARKS for path in out.glob(mark))
    if found:
        raise OutputError(
            expected=f"a folder without a training at {out}",
            got=f"{', '.join(found[:4])} there",
            advice="choose another folder, go on with --resume, or add --overwrite",
        )


def check_pieces(plan: FolderPlan, spec: NetworkSpec, *, tensorboard: bool) -> None:
    """Build the network, the loss and the rest once, empty: whatever cannot be built is said now.

    Raises:
        SettingError, DeviceUnavailableError: as the pieces say.
        ExtraMissingError: a package that is needed at the end, or while it runs, is not installed.
    """
    if not 0 <= plan.validation < 1:  # NaN too
        raise SettingError(
            expected="a share of people held out from 0 to under 1", got=f"{plan.validation:g}", advice="give 0.2"
        )
    settings = dict(plan.loss_settings or {})
    if not all(math.isfinite(value) for value in settings.values() if isinstance(value, float)):
        raise SettingError(expected="finite loss settings", got=str(settings), advice="check them")
    for module in ("onnxscript", *(("tensorboard",) if tensorboard else ())):
        if find_spec(module) is None:
            raise ExtraMissingError(
                expected=f"{module}, which training ends in" if module == "onnxscript" else f"{module}, for these logs",
                got="an installation without it",
                advice='run `pip install "sameface[train]"`',
            )
    choose_compute(plan.device, plan.precision)
    augmentation_of(plan.changes, max(spec.size, 1))
    callbacks_of(plan.callbacks)
    if plan.sampler is not None:
        named(plan.sampler, "a sampler")
    with torch.random.fork_rng(devices=[]):
        if plan.loss_name != "none":
            loss_of(
                plan.loss_name,
                dimension=spec.dimension,
                people=2,
                margin=plan.margin,
                mining=plan.mining,
                settings=settings,
            )
        elif plan.weights is None:
            raise SettingError(expected="a loss", got="none", advice="none goes with --weights, which distils")
        build_network(spec)
