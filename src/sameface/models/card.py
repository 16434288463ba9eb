"""What a model is, needs, gives and may be used for: its card, a TOML file beside the weights.

An encoder's id covers weights *and* preprocessing: two cards may run the same network in different ways under
different ids.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from sameface.errors import ModelCardError

Kind = Literal["encoder", "detector", "landmarks", "liveness", "quality"]
CommercialUse = Literal["yes", "no", "unclear"]
LandmarkScheme = Literal["dlib5", "dlib68", "arcface5", "none"]

#: Pixel x in 0…255 to what the network takes, as ``(x - mean) / scale``. ``none`` where the network itself normalises.
NORMALISATIONS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {"none": (0.0, 1.0), "x/255": (0.0, 255.0), "(x-127.5)/127.5": (127.5, 127.5), "(x-127.5)/128": (127.5, 128.0)}
)
#: Further normalisation, by each picture's own mean and deviation: FaceNet's "prewhitening" of 2017.
PER_IMAGE: Final = "per-image"
#: Ways to look at a crop; the embeddings of several views are averaged.
VIEWS: Final = ("plain", "mirror")
_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}\Z")
_RIGHT = re.compile(r"(\d+) of (\d+) right")
_SHORT = re.compile(r"[0-9a-f]{8}\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


def is_id(text: str) -> bool:
    """Whether a text can be a model's id: lower-case letters, digits, dots and hyphens, 64 at most."""
    return bool(_ID.match(text))


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """One file of weights.

    Attributes:
        name: file name; inside `ModelCard.package` a path with ``/``.
        sha256: hex digest; "" for a file that a user added and did not pin, and where no publisher gives one: then that of the file
            that was fetched first is remembered (`sameface.models.remembered`).
        bytes: size, 0 when not known.
        url: where its publisher keeps it, "" when it can be fetched from a mirror only.
    """

    name: str
    sha256: str = ""
    bytes: int = 0
    url: str = ""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A result that was measured here, never copied from a paper.

    Attributes:
        data: data set and protocol.
        result: the number, in words.
        detector: what found the faces.
        note: anything that limits it.
        threshold: the most accurate τ on the data it was chosen on, None for a result without one. Another number than the τ of the
            `OperatingPoint` that verification uses, which keeps a stated false match rate.
    """

    data: str
    result: str
    detector: str = ""
    note: str = ""
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model's description. Everything that changes an embedding is in here, under one id.

    Attributes:
        id: lower-case letters, digits, dots and hyphens; behind an ``@``, the digest of an encoder that was given as a file
            (`sameface.models.identity`).
        kind: ``encoder``, ``detector``, ``landmarks``, ``liveness`` or ``quality``.
        title: one line for people.
        licence, commercial_use, licence_note: of the weights; ``unclear`` and ``no`` need a reason in the note.
        source: who published the weights.
        training_data: what they learned from, "" when not known.
        network: id of the model whose weights this one runs; "" means its own files.
        package: Python package that brings the files, "" when they are fetched or added. Its code is never run. A file that has an
            address as well may be fetched from there: whichever file has the card's digest is the one.
        package_version: the version that was read and tested.
        extra: extra of sameface that installs that package, "" when every install has it.
        files: the weights, in the order in which the reader wants them.
        input_size_wh: what the network takes, (width, height) in pixels; (0, 0) when any size goes.
        colour: channel order of the network's input. Crops are RGB everywhere else.
        normalisation: a key of `NORMALISATIONS`, ``per-image``, or ``mean-std`` with the next two fields.
        mean, std: by channel, in the network's own order, on 0…255.
        layout: axis order of the network's input.
        landmarks: which points the crop is aligned by. template: where they go.
        dimension: length d of the embedding.
        gflop: work of one embedding, all views: two for each multiply-add, in thousands of millions; 0 when not known.
        unit_length: whether embeddings are scaled to length 1.
        crowd: name of the typical strangers that embeddings are stretched near (`sameface.encoders.crowd`), "" for none;
            embeddings are scaled to length 1 before, so `unit_length` is false.
        views: the crop as it is, its mirror image, or both averaged.
        metric: always ``l2``.
        published_threshold: τ as its authors give it, None when they give none; one measured here is an
            `OperatingPoint`.
        quantised: how the weights were quantised, "" for float32.
        measured: results on public data.
    """

    id: str
    kind: Kind
    title: str
    licence: str
    commercial_use: CommercialUse
    licence_note: str = ""
    source: str = ""
    training_data: str = ""
    network: str = ""
    package: str = ""
    package_version: str = ""
    extra: str = ""
    files: tuple[WeightsFile, ...] = ()
    input_size_wh: tuple[int, int] = (0, 0)
    colour: Literal["rgb", "bgr"] = "rgb"
    normalisation: str = "none"
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    layout: Literal["nchw", "nhwc"] = "nchw"
    landmarks: LandmarkScheme = "none"
    template: str = "none"
    dimension: int = 0
    gflop: float = 0.0
    unit_length: bool = False
    crowd: str = ""
    views: tuple[str, ...] = ("plain",)
    metric: Literal["l2"] = "l2"
    published_threshold: float | None = None
    quantised: str = ""
    measured: tuple[Measurement, ...] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        name, _, digest = self.id.partition("@")
        self._check(
            is_id(name) and (not digest or bool(_SHORT.match(digest))),
            "an id of lower-case letters, digits, dots and hyphens",
            f"{self.id!r}",
        )
        self._check(
            self.commercial_use == "yes" or bool(self.licence_note.strip()),
            "a licence_note that says why commercial use is not a plain yes",
            "none",
        )
        self._check(
            self.package == "" or self.package.isidentifier(),
            "a package's own name, without dots",
            repr(self.package),
        )
        for file in self.files:
            self._check(
                not file.name.startswith("/") and ".." not in file.name.split("/") and bool(file.name),
                "a file name inside its folder",
                repr(file.name),
            )
            self._check(
                file.sha256 == "" or bool(_SHA256.match(file.sha256)), "a sha256 of 64 hex digits", repr(file.sha256)
            )
        if self.kind == "encoder":
            self._check_encoder()

    def _check_encoder(self) -> None:
        self._check(self.dimension > 0, "a dimension above 0", str(self.dimension))
        self._check(min(self.input_size_wh) > 0, "an input_size_wh above 0", str(self.input_size_wh))
        known = (*NORMALISATIONS, PER_IMAGE, "mean-std")
        self._check(self.normalisation in known, f"a normalisation among {', '.join(known)}", repr(self.normalisation))
        if self.normalisation == "mean-std":
            self._check(
                len(self.mean) == 3 and len(self.std) == 3 and min(self.std) > 0,
                "three numbers in mean and three above 0 in std",
                f"{self.mean}, {self.std}",
            )
        self._check(not (self.crowd and self.unit_length), "unit_length = false beside a crowd", "true")
        self._check(
            bool(self.views) and set(self.views) <= set(VIEWS) and len(set(self.views)) == len(self.views),
            f"one or more views among {', '.join(VIEWS)}, each once",
            str(self.views),
        )

    def _check(self, holds: bool, expected: str, got: str) -> None:
        if not holds:
            raise ModelCardError(
                expected=expected, got=f"{got} in the card {self.id!r}", advice="correct the model card"
            )

    @property
    def alignment_id(self) -> str:
        """Names everything that alters a crop: points, template and size.

        >>> card = ModelCard("x", "encoder", "X", "MIT", "yes", dimension=8, input_size_wh=(112, 112),
        ...                  landmarks="arcface5", template="arcface-112")
        >>> card.alignment_id
        'arcface5/arcface-112/112'
        """
        width, height = self.input_size_wh
        size = str(width) if width == height else f"{width}x{height}"
        return f"{self.landmarks}/{self.template}/{size}"

    @property
    def sha256(self) -> str:
        """Digest of the first weights file, "" when there is none."""
        return self.files[0].sha256 if self.files else ""

    @property
    def accuracy(self) -> float:
        """Share of LFW's View 1 that was right, measured here; 0 when it was not.

        >>> result = Measurement("LFW View 1, pairsDevTest", "989 of 999 right (99.0 %)")
        >>> round(ModelCard("x", "detector", "X", "MIT", "yes", measured=(result,)).accuracy, 4)
        0.99
        """
        counts = (_RIGHT.match(item.result) for item in self.measured if item.data.startswith("LFW View 1"))
        return max((int(found[1]) / int(found[2]) for found in counts if found), default=0.0)

    @property
    def bytes(self) -> int:
        """Size of all weights files together, 0 when not known."""
        return sum(file.bytes for file in self.files)
