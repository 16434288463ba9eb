"""Where faces crowd together, distances are stretched.

Blurred, dark and half-turned faces all resemble each other: their embeddings lie close to those of many strangers, and there a small
distance means little. A vector that is near the crowd is made longer, one that stands alone shorter, so that one threshold fits both.
What comes out is still a plain vector under a plain L2 distance: it can be stored, indexed and searched.

Source: the idea of score normalisation by a cohort (AS-norm, Matějka et al. 2017), turned from a rule for pairs into a property of each
vector; measured in docs/decisions/default-encoder.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from sameface.errors import ModelDamagedError, ModelMissingError
from sameface.types import Embeddings

_FOLDER: Final = Path(__file__).parent.parent / "models" / "crowds"


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """Typical strangers.

    Attributes:
        centres: ``(k, d)`` float32 of length 1: each the mean of several people, none of a single one.
        nearest: how many of them count for a face.
        strength: how much a face near the crowd is stretched.
        usual: mean cosine to the nearest centres that leaves a vector's length at 1.
    """

    centres: Embeddings
    nearest: int
    strength: float
    usual: float

    def stretch(self, unit: Embeddings) -> Embeddings:
        """Scale each vector by ``exp(strength · (s − usual))``, s its mean cosine to its nearest centres.

        Args:
            unit: ``(m, d)`` of length 1.

        Returns:
            ``(m, d)`` float32 in the same directions.

        >>> crowd = Crowd(np.array([[1.0, 0.0]], np.float32), nearest=1, strength=2.0, usual=0.0)
        >>> crowd.stretch(np.array([[0.0, 1.0], [1.0, 0.0]], np.float32)).round(3).tolist()
        [[0.0, 1.0], [7.388999938964844, 0.0]]
        """
        cosines = unit @ self.centres.T
        near = np.partition(cosines, -self.nearest, axis=1)[:, -self.nearest :].mean(axis=1)
        return np.asarray(unit * np.exp(self.strength * (near - self.usual))[:, None], dtype=np.float32)


def load_crowd(name: str, dimension: int) -> Crowd:
    """A crowd that comes with sameface.

    Raises:
        ModelMissingError, ModelDamagedError: no such crowd; another dimension.
    """
    path = _FOLDER / f"{name}.npz"
    if not path.is_file():
        raise ModelMissingError(
            expected=f"the crowd {name!r}", got="none of that name", advice="correct the model card"
        )
    with np.load(path, allow_pickle=False) as stored:
        centres = stored["centres"].astype(np.float32)
        nearest, strength, usual = int(stored["nearest"]), float(stored["strength"]), float(stored["usual"])
    if centres.ndim != 2 or centres.shape[1] != dimension or not 1 <= nearest <= len(centres):
        raise ModelDamagedError(
            expected=f"centres of dimension {dimension}", got=f"shape {centres.shape}", advice="install sameface again"
        )
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    return Crowd(centres, nearest, strength, usual)
