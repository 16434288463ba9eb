"""A detector's id and its settings, both ways: what was written into a gallery loads again.

An id names the network first and then, between slashes, the settings that move a box. Each setting has a word of its own (``t0.6``,
``side640``, ``min20``), so that a setting can be added without changing the ids of those who do not use it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Final

from sameface.errors import SettingError, UnknownModelError, did_you_mean
from sameface.faces.spec_words import NUMBER, Word, number_word, shortest

_DIGEST: Final = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True)
class DetectorSpec:
    """Which detector, with which settings. Equal specs have equal ids, and equal ids give equal specs.

    Attributes:
        name: what a user types.
        models: what ids can begin with, each with the card that brings the weights ("" for none); the first is the usual one.
        words: the settings that ids tell, in their order.
        model: what this one's id begins with.
    """

    name: ClassVar[str]
    models: ClassVar[Mapping[str, str]]
    words: ClassVar[tuple[Word, ...]] = ()

    model: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        if not self.model:
            object.__setattr__(self, "model", next(iter(self.models)))
        if self.model not in self.models:
            raise UnknownModelError(
                expected=f"a model among {', '.join(self.models)}", got=repr(self.model), advice="choose one of those"
            )
        self.check()

    def check(self) -> None:
        """Look at the values.

        Raises:
            SettingError: one that cannot be.
        """

    @property
    def id(self) -> str:
        """Names the weights and every setting that moves a box."""
        usual = {each.name: each.default for each in fields(self)}
        told = [(word, getattr(self, word.field)) for word in self.words]
        return "/".join(
            [self.model, *(word.write(value) for word, value in told if word.always or value != usual[word.field])]
        )

    @property
    def card(self) -> str:
        """Id of the model card that brings the weights; "" where there are none."""
        return self.models[self.model]

    @staticmethod
    def parse(text: str) -> DetectorSpec:
        """A name or an id as a spec. Words may be left out and may come in any order.

        Raises:
            UnknownModelError: no such detector, or a word that it does not know.
            SettingError: a value that cannot be.

        >>> DetectorSpec.parse("yunet").id, DetectorSpec.parse("mtcnn/min20").id
        ('yunet-2023mar-int8bq/t0.6/side640', 'mtcnn/min20')
        """
        head, *said = text.split("/")
        for kind in KINDS:
            if head == kind.name or head in kind.models:
                settings = dict(_read(kind, word, text) for word in said)
                if len(settings) < len(said):
                    raise SettingError(expected="each setting once", got=repr(text), advice="leave one of them out")
                return kind(model=head if head in kind.models else "", **settings)
        raise UnknownModelError(
            expected=f"a detector among {', '.join(kind.name for kind in KINDS)}",
            got=repr(text),
            advice=did_you_mean(
                text, [kind.name for kind in KINDS], "choose one of those, or give the whole id that a gallery names"
            ),
        )


@dataclass(frozen=True)
class WholePictureSettings(DetectorSpec):
    """No detector: there is nothing to set."""

    name: ClassVar[str] = "none"
    models: ClassVar[Mapping[str, str]] = {"none": ""}


@dataclass(frozen=True)
class MtcnnSettings(DetectorSpec):
    """Everything that moves a box of MTCNN.

    Attributes:
        smallest_face: pixels of the smallest face that is looked for; faces of three quarters of that are mostly found
            too (docs/benchmarks.md, "Detectors").
        thresholds: face probability that each of the three networks asks for.
        search_side: pixels of the longer side of the first searched scale, at most: in photos larger than
            ``smallest_face / 12`` times that (1,280 pixels), the smallest face grows with the photo: 48 pixels at 1,920,
            100 at 4,000. 0 sets no bound.
        second_look: probability that the second and the third network ask for where nothing was found at first: see
            `Mtcnn.detect`. None does without.

    >>> MtcnnSettings(smallest_face=20, second_look=None).id
    'mtcnn/min20/once'
    """

    name: ClassVar[str] = "mtcnn"
    models: ClassVar[Mapping[str, str]] = {"mtcnn": "mtcnn"}
    words: ClassVar[tuple[Word, ...]] = (
        number_word("min", "smallest_face", int),
        Word(
            "thresholds",
            f"t{NUMBER}-{NUMBER}-{NUMBER}",
            lambda word: tuple(float(value) for value in re.findall(NUMBER, word)),
            lambda values: "t" + "-".join(shortest(value) for value in values),
        ),
        number_word("side", "search_side", int),
        Word(
            "second_look",
            f"once|again{NUMBER}",
            lambda word: None if word == "once" else float(word.removeprefix("again")),
            lambda value: "once" if value is None else f"again{shortest(value)}",
        ),
    )

    smallest_face: int = 32
    thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7)
    search_side: int = 480
    second_look: float | None = 0.8

    def check(self) -> None:
        """See `DetectorSpec.check`."""
        _whole("smallest_face", self.smallest_face, 1)
        _whole("search_side", self.search_side, 0)
        if len(self.thresholds) != 3:
            raise SettingError(
                expected="three thresholds, one for each network",
                got=str(self.thresholds),
                advice="give three probabilities",
            )
        for value in (*self.thresholds, *(() if self.second_look is None else (self.second_look,))):
            _share("threshold", value)


@dataclass(frozen=True)
class OnePassSettings(DetectorSpec):
    """What the one-pass detectors (YuNet, SCRFD) share.

    Attributes:
        threshold: least score.
        overlap: of two boxes that share more of their union than this, the surer one stays.
        longest_side: larger photos are scaled down to this; what is found in smaller ones is found at their own size.
        smallest_face: pixels of the smallest face that is looked for: larger photos are searched in tiles too, until such faces are seen.
            0 takes those that show in the whole: 24 pixels in photos up to `longest_side`, more in larger ones (`tiles.smallest_in`).
        weights: the first eight digits of the sha256 of a weights file of one's own; "" for the card's.
    """

    words: ClassVar[tuple[Word, ...]] = (
        number_word("t", "threshold", float, always=True),
        number_word("side", "longest_side", int, always=True),
        number_word("o", "overlap", float),
        number_word("min", "smallest_face", int),
        Word("weights", _DIGEST.pattern, str, str),
    )

    threshold: float = 0.5
    overlap: float = 0.4
    longest_side: int = 640
    smallest_face: int = 0
    weights: str = ""

    def check(self) -> None:
        """See `DetectorSpec.check`."""
        _share("threshold", self.threshold)
        _share("overlap", self.overlap)
        _whole("longest_side", self.longest_side, 1)
        _whole("smallest_face", self.smallest_face, 0)
        if self.weights and not _DIGEST.fullmatch(self.weights):
            raise SettingError(
                expected="the first eight digits of a sha256", got=repr(self.weights), advice="leave it empty"
            )


@dataclass(frozen=True)
class YunetSettings(OnePassSettings):
    """Everything that moves a box of YuNet; its score is the geometric mean of "a face" and "an object here".

    >>> YunetSettings(longest_side=960).id
    'yunet-2023mar-int8bq/t0.6/side960'
    """

    name: ClassVar[str] = "yunet"
    #: The file by package has its weights in blocks of 8 bits; the float32 original puts boxes elsewhere, by half a pixel in the middle.
    models: ClassVar[Mapping[str, str]] = {"yunet-2023mar-int8bq": "yunet", "yunet-2023mar": "yunet-2023mar"}

    threshold: float = 0.6
    overlap: float = 0.3


@dataclass(frozen=True)
class ScrfdSettings(OnePassSettings):
    """Everything that moves a box of SCRFD.

    >>> ScrfdSettings(threshold=0.4).id
    'scrfd-500m/t0.4/side640'
    """

    name: ClassVar[str] = "scrfd"
    models: ClassVar[Mapping[str, str]] = {"scrfd-500m": "scrfd-500m"}


#: Every detector, by its settings; the first is the one that errors name first.
KINDS: Final[tuple[type[DetectorSpec], ...]] = (MtcnnSettings, YunetSettings, ScrfdSettings, WholePictureSettings)


def card_of(detector: str) -> str:
    """The card behind a detector's id; the id itself where it is one of a newer sameface.

    >>> card_of("yunet-2023mar-int8bq/t0.6/side640"), card_of("none")
    ('yunet', 'none')
    """
    try:
        return DetectorSpec.parse(detector).card or detector
    except UnknownModelError:
        return detector


def _read(kind: type[DetectorSpec], said: str, text: str) -> tuple[str, Any]:
    for word in kind.words:
        if re.fullmatch(word.pattern, said):
            return word.field, word.read(said)
    raise UnknownModelError(
        expected=f"a detector id of {kind.name}",
        got=f"{text!r}, in which {said!r} says nothing known here",
        advice="correct it; if a gallery names it, a newer sameface wrote that gallery",
    )


def _share(what: str, value: float) -> None:
    if not 0 < value < 1:
        raise SettingError(expected=f"a {what} between 0 and 1", got=str(value), advice="0.6 is a usual one")


def _whole(what: str, value: int, least: int) -> None:
    if int(value) != value or value < least:
        raise SettingError(
            expected=f"a {what} that is a whole number of at least {least}",
            got=str(value),
            advice="give that many pixels",
        )
