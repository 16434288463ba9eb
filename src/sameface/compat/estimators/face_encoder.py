"""A transformer: photos or crops → embeddings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin

from sameface.defaults import DEFAULT_DETECTOR, DEFAULT_ENCODER
from sameface.encoders import Encoder, load_encoder
from sameface.encoders.loading import state_of
from sameface.errors import NotComparableError, SamefaceError, SettingError
from sameface.faces.choose import Choice, as_choice
from sameface.imaging import ImageSource
from sameface.imaging.sources import label_of
from sameface.recognizer import Recognizer
from sameface.recognizer.domain import require_comparable
from sameface.recognizer.found import EncodedFace
from sameface.types import CropsRGB, Embeddings


class FaceEncoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn brings no types
    """Photos or face crops → embeddings ``(n, d)``; learns nothing, so `fit` only checks.

    Args:
        encoder: name of an encoder, or the path of an ONNX file with a model card.
        detector: name of the detector that finds the face of each photo; None takes the input as face crops that are aligned already.
        choose: which face of a photo that shows several: ``centre``, ``largest``, or ``only``, which refuses.
        missing: what a photo without a usable face becomes: ``raise`` its error, or a row of ``nan``, so that rows and labels stay together.
        outside: what a face becomes that is not comparable (`sameface.recognizer.domain`): ``missing`` counts it as a photo without a usable
            face; ``keep`` encodes it all the same. `standings` tells which are.
        device: where networks run.
        threads: threads per run, None for one per core.

    Networks are loaded when first needed and shared by all instances with the same settings; clones and pickles carry names only.

    >>> import numpy as np
    >>> FaceEncoder(encoder="pixels", detector=None).fit_transform(np.zeros((2, 160, 160, 3), np.uint8)).shape
    (2, 76800)
    """

    def __init__(
        self,
        encoder: str = DEFAULT_ENCODER,
        *,
        detector: str | None = DEFAULT_DETECTOR,
        choose: Choice = "centre",
        missing: Literal["raise", "nan"] = "raise",
        outside: Literal["missing", "keep"] = "missing",
        device: str = "cpu",
        threads: int | None = None,
    ) -> None:
        self.encoder = encoder
        self.detector = detector
        self.choose = choose
        self.missing = missing
        self.outside = outside
        self.device = device
        self.threads = threads

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the settings and that the networks are there.

        Raises:
            SettingError: an unknown value of `missing`, `outside` or `choose`.
            ModelError: a network that is unknown, missing or damaged.
        """
        if self.missing not in ("raise", "nan"):
            raise SettingError(
                expected="missing='raise' or 'nan'", got=repr(self.missing), advice="choose one of the two"
            )
        if self.outside not in ("missing", "keep"):
            raise SettingError(
                expected="outside='missing' or 'keep'", got=repr(self.outside), advice="choose one of the two"
            )
        as_choice(self.choose)
        card = self._network().card if self.detector is None else self._recognizer().card
        self._n_features_out = card.dimension
        return self

    def transform(self, X: Sequence[ImageSource] | CropsRGB) -> Embeddings:
        """Encode.

        Args:
            X: a sequence of photos (paths, bytes, `PIL.Image`, RGB arrays, mixed as you like); without a detector aligned face
                crops, ``(n, h, w, 3)`` uint8 RGB or a sequence of photos that each show one crop of one size.

        Returns:
            ``(n, d)`` float32, in the order of X.

        Raises:
            ImageError, FaceError: with ``missing="raise"``, for the first photo that cannot be encoded.
            NotComparableError: likewise, for the first face that is not comparable, unless it is kept.
        """
        if not hasattr(self, "_n_features_out"):
            self.fit(X)
        if self.detector is None:
            return self._network().encode(as_crops(X))
        return self._encode_photos(list(X))

    def standings(self, X: Sequence[ImageSource]) -> npt.NDArray[Any]:
        """Where the faces of photos stand: what the `standing` of `OneShotClassifier.predict` takes.

        Returns:
            ``(n,)`` of ``usual``, ``unknown``, ``poor``, ``outside``; ``unknown`` also for a photo without a usable face, and without a detector.
        """
        if self.detector is None:
            return np.full(len(X), "unknown", dtype="<U7")
        recognizer = self._recognizer()
        faces = recognizer.encode_photos(list(X), self.choose)
        return np.array(
            ["unknown" if isinstance(face, SamefaceError) else recognizer.judge(face).standing for face in faces],
            dtype="<U7",
        )

    def __sklearn_is_fitted__(self) -> bool:
        return True  # nothing is learnt

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False  # one column of photos, not numbers
        tags.input_tags.string = True
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _encode_photos(self, photos: Sequence[ImageSource]) -> Embeddings:
        rows: list[npt.NDArray[np.float32]] = []
        gap = np.full(self._n_features_out, np.nan, dtype=np.float32)
        for found in self._usable(photos):
            if not isinstance(found, SamefaceError):
                rows.append(found.embedding)
            elif self.missing == "nan":
                rows.append(gap)
            else:
                raise found
        return np.stack(rows) if rows else np.empty((0, self._n_features_out), dtype=np.float32)

    def _usable(self, photos: Sequence[ImageSource]) -> Iterator[EncodedFace | SamefaceError]:
        """The face of each photo, or why there is none that can be used."""
        recognizer = self._recognizer()
        for source, face in zip(photos, recognizer.encode_photos(photos, self.choose), strict=True):
            if self.outside == "missing" and not isinstance(face, SamefaceError):
                try:
                    require_comparable(recognizer.judge(face), photo=label_of(source))
                except NotComparableError as error:
                    yield error
                    continue
            yield face

    def _network(self) -> Encoder:
        return _encoder(self.encoder, self.device, self.threads, state_of(self.encoder))

    def _recognizer(self) -> Recognizer:
        return _recognizer(self.encoder, str(self.detector), self.device, self.threads, state_of(self.encoder))


def as_crops(X: Sequence[ImageSource] | CropsRGB) -> CropsRGB:
    """Crops as one array; pictures of one size are stacked."""
    if isinstance(X, np.ndarray) and X.ndim == 4:
        return X
    from sameface.imaging import load_image

    pictures = [load_image(item) for item in X]
    if not pictures:
        return np.empty((0, 1, 1, 3), dtype=np.uint8)
    if len({picture.shape for picture in pictures}) > 1:
        raise SettingError(
            expected="face crops of one size where there is no detector",
            got="pictures of several sizes",
            advice="scale them first, or name a detector",
        )
    return np.stack(pictures)


# A loaded network is kept with the state of its file, so that one that is trained again under the same name is loaded again.
@lru_cache(maxsize=4)
def _encoder(name: str, device: str, threads: int | None, state: tuple[object, ...]) -> Encoder:
    return load_encoder(name, device=device, threads=threads)


@lru_cache(maxsize=4)
def _recognizer(encoder: str, detector: str, device: str, threads: int | None, state: tuple[object, ...]) -> Recognizer:
    return Recognizer(encoder=encoder, detector=detector, device=device, threads=threads)
