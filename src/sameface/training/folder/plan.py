"""What to train on a folder of people, and the network that this asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from sameface.defaults import DEFAULT_DETECTOR
from sameface.errors import SettingError
from sameface.models.card import LandmarkScheme
from sameface.training.intake import IntakeKind
from sameface.training.loop.settings import TrainingSettings
from sameface.training.networks import NetworkSpec
from sameface.training.networks.by_name import Option

#: Sides of the pictures that networks take, where the user names none.
SIDES: Final = {"convnet": 64, "inception_resnet_v1": 160, "head": 0}
#: How aligned crops are made: dlib's chips, as the default encoder takes them.
LANDMARKS: Final[LandmarkScheme] = "dlib5"
TEMPLATE: Final = "dlib-chip-0.25"


@dataclass(frozen=True)
class FolderPlan:
    """What to train on a folder of people.

    Attributes:
        network: ``convnet``, ``inception_resnet_v1``, ``head``, or ``package.module:Class``.
        size: side of the network's pictures; None takes the network's usual one.
        grey: whether pictures are turned to grey first.
        dimension: d of the embedding (a head keeps its encoder's).
        options: further arguments of the network's class.
        loss, margin, mining, loss_settings: see `sameface.training.losses.make_loss`; or ``package.module:attribute``, a loss of one's own,
            made with its settings where it is a class.
        domain: augmentation: ``faces``, ``characters`` or ``none``; or ``package.module:attribute``.
        align: find and align the face nearest the middle; else pictures are taken whole.
        detector: finds faces, for `align` and for heads.
        encoder: the pretrained encoder below a head.
        validation: share of people held out to validate on.
        sampler: ``package.module:Class`` of one's own, made with labels, people, photos and seed; None draws people × photos.
        callbacks: ``package.module:Class`` each.
        device, precision, compiled: see `sameface.training.loop.device.choose_compute`.
        settings: steps, batches, rates.
    """

    network: str = "convnet"
    size: int | None = None
    grey: bool = False
    dimension: int = 128
    options: Mapping[str, Option] = field(default_factory=dict)
    loss: str = "triplet"
    margin: float | None = None
    mining: str | None = None
    loss_settings: Mapping[str, Option] | None = None
    domain: str = "faces"
    align: bool = False
    detector: str = DEFAULT_DETECTOR
    encoder: str = "dlib-resnet-mirror-unit"
    validation: float = 0.2
    sampler: str | None = None
    callbacks: tuple[str, ...] = ()
    device: str | None = None
    precision: str = "mixed"
    compiled: bool = False
    settings: TrainingSettings = field(default_factory=TrainingSettings)

    @property
    def finds_by(self) -> str:
        """What finds the faces; ``none`` where pictures are taken whole."""
        return self.detector if self.align or self.network == "head" else "none"

    def words(self) -> dict[str, Any]:
        """The plan as a file holds it, without what was left open."""
        return {key: value for key, value in asdict(self).items() if value not in (None, {}, ())}


def spec_of(plan: FolderPlan) -> NetworkSpec:
    """The network that a plan asks for."""
    if plan.network == "head":
        from sameface.models.registry import load_card

        base = load_card(plan.encoder)
        if base.crowd or base.id == "pixels":
            raise SettingError(
                expected="a head on an encoder whose embeddings are what its network gives",
                got=f"{base.id}, which works on them afterwards" if base.crowd else "pixels, which has no network",
                advice="put the head on dlib-resnet-mirror-unit",
            )
        return NetworkSpec("head", 0, 0, base.dimension, intake="none", options=dict(plan.options))
    size = SIDES.get(plan.network, 64) if plan.size is None else plan.size
    intake: IntakeKind = "ink" if plan.domain == "characters" else "centred"
    shrink = 2 if plan.domain == "characters" else 1
    if plan.network == "inception_resnet_v1" and plan.grey:
        raise SettingError(expected="colour for inception_resnet_v1", got="grey", advice="leave grey out")
    channels = 1 if plan.grey or plan.domain == "characters" else 3
    return NetworkSpec(
        plan.network, size, channels, plan.dimension, intake=intake, shrink=shrink, options=dict(plan.options)
    )
