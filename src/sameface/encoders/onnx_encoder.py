"""Any ONNX network with a model card, as an encoder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.encoders.crops import check_crops, scale_crops
from sameface.encoders.crowd import load_crowd
from sameface.encoders.encoder import Encoded
from sameface.encoders.normalising import network_input
from sameface.errors import DeviceUnavailableError, ModelCardError, ModelDamagedError
from sameface.matching import unit_length
from sameface.models.card import ModelCard
from sameface.models.runtime import Session
from sameface.types import CropsRGB, Embeddings

#: Views in one run of the network, for each thread: with more, what lies between two layers leaves the processor's cache; with fewer,
#: large layers read their weights for each face (docs/decisions/prelu.md).
_BATCH_A_THREAD: Final = 4
_BATCH_ELSEWHERE: Final = 32
_FLOAT, _BYTE = "tensor(float)", "tensor(uint8)"


class OnnxEncoder:
    """Runs a network the way its card says. Safe to use from several threads at once.

    Args:
        network: path of the ONNX file.
        card: how to feed it and what to expect.
        device, threads: as for `sameface.encoders.load_encoder`.

    Raises:
        ModelCardError: the card does not fit the network.
        ModelMissingError, ModelDamagedError, DeviceUnavailableError: as `Session`.
    """

    def __init__(self, network: Path, card: ModelCard, *, device: str = "cpu", threads: int | None = None) -> None:
        if card.quantised and device != "cpu":
            # CUDA and OpenVINO round elsewhere: up to 0.14 and 0.025 from the processor's embeddings. It would be another encoder.
            raise DeviceUnavailableError(
                expected=f"the device cpu for {card.id}, an encoder of 8 bits",
                got=repr(device),
                advice=f"use a float32 encoder on {device}; `sameface models list` names them",
            )
        self._card = card
        self._session = Session(network, device=device, threads=threads)
        self._input, self._as_bytes, self._fixed_batch = self._check_input()
        self._output_index = self._check_output()
        per_run = _BATCH_A_THREAD * (threads or os.cpu_count() or 1) if device == "cpu" else _BATCH_ELSEWHERE
        self._step = max(1, per_run // len(card.views))
        self._crowd = load_crowd(card.crowd, card.dimension) if card.crowd else None

    @property
    def card(self) -> ModelCard:
        return self._card

    @property
    def device(self) -> str:
        """Where the network runs."""
        return self._session.device

    def encode(self, crops_rgb: CropsRGB) -> Embeddings:
        """Encode aligned crops; see `Encoder.encode`."""
        return self.encode_measured(crops_rgb).embeddings

    def encode_measured(self, crops_rgb: CropsRGB) -> Encoded:
        """See `Encoder.encode_measured`.

        Each view of a crop goes through the network, the embeddings are averaged, then scaled to length 1 where the
        card says so.
        """
        crops = scale_crops(check_crops(crops_rgb), self._card.input_size_wh)
        embeddings = np.empty((len(crops), self._card.dimension), dtype=np.float32)
        views = self._card.views
        step = self._step
        for start in range(0, len(crops), step):
            part = crops[start : start + step]
            seen = np.concatenate([part[:, :, ::-1] if view == "mirror" else part for view in views])
            answers = self._run(seen).reshape(len(views), len(part), self._card.dimension)
            embeddings[start : start + step] = answers.mean(axis=0) if len(views) > 1 else answers[0]
        if not np.isfinite(embeddings).all():
            raise ModelDamagedError(
                expected=f"finite embeddings from {self._card.id}",
                got="NaN or infinity",
                advice="check the network and the normalisation on its card",
            )
        lengths = np.linalg.norm(embeddings, axis=1).astype(np.float32)
        if not len(embeddings):
            return Encoded(embeddings, lengths)
        if self._crowd is not None:
            return Encoded(self._crowd.stretch(unit_length(embeddings)), lengths)
        return Encoded(unit_length(embeddings) if self._card.unit_length else embeddings, lengths)

    def _run(self, crops_rgb: CropsRGB) -> npt.NDArray[np.float32]:
        count, size = len(crops_rgb), self._fixed_batch
        if size is None:
            return self._checked(self._forward(crops_rgb), count)
        parts = []
        for start in range(0, count, size):
            part = crops_rgb[start : start + size]
            filled = np.concatenate([part, np.repeat(part[-1:], size - len(part), axis=0)])
            parts.append(self._checked(self._forward(filled), size)[: len(part)])
        return np.concatenate(parts)

    def _forward(self, crops_rgb: CropsRGB) -> npt.NDArray[np.float32]:
        pixels = network_input(crops_rgb, self._card, as_bytes=self._as_bytes)
        return self._session.run({self._input: pixels})[self._output_index]

    def _checked(self, answers: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.float32]:
        flat = answers.reshape(count, -1) if answers.size == count * self._card.dimension else answers
        if flat.shape != (count, self._card.dimension):
            raise self._misfit(f"a dimension of {self._card.dimension}", f"an output of shape {answers.shape}")
        return flat.astype(np.float32, copy=False)

    def _check_input(self) -> tuple[str, bool, int | None]:
        """The input's name, whether it takes bytes, and its batch size where that is fixed."""
        if len(self._session.inputs) != 1:
            raise self._misfit("a network with one input", f"{len(self._session.inputs)} inputs")
        ((name, shape),) = self._session.inputs.items()
        width, height = self._card.input_size_wh
        wanted: list[Any] = [3, height, width] if self._card.layout == "nchw" else [height, width, 3]
        fits = len(shape) == 4 and all(
            not isinstance(found, int) or found == want for found, want in zip(shape[1:], wanted, strict=True)
        )
        if not fits:
            raise self._misfit(f"an input of (m, {', '.join(map(str, wanted))})", f"{shape}")
        kind = self._session.input_types[name]
        if kind not in (_FLOAT, _BYTE):
            raise self._misfit("an input of float32 or uint8", kind)
        if kind == _BYTE and self._card.normalisation != "none":
            raise self._misfit("normalisation 'none' for a network that takes bytes", repr(self._card.normalisation))
        return name, kind == _BYTE, shape[0] if isinstance(shape[0], int) and shape[0] > 0 else None

    def _check_output(self) -> int:
        """Which output is the embedding: the only one, or the only one of the card's dimension."""
        shapes = list(self._session.outputs.values())
        fitting = [
            index
            for index, shape in enumerate(shapes)
            if not shape or not isinstance(shape[-1], int) or self._card.dimension in shape[1:]
        ]
        if len(fitting) != 1:
            raise self._misfit(f"one output of dimension {self._card.dimension}", f"outputs {shapes}")
        return fitting[0]

    def _misfit(self, expected: str, got: str) -> ModelCardError:
        return ModelCardError(
            expected=f"{expected}, as the card {self._card.id!r} says",
            got=f"{got} in the network",
            advice="correct the card, or use the network it belongs to",
        )
