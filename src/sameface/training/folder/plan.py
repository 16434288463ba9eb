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
#: What a fine-tuning is told where its user says nothing: it starts near its end.
FINE_TUNING: Final = TrainingSettings(
    steps=600, people=8, photos=4, learning_rate=2e-5, warmup=30, weight_decay=0.0, averaging=0.99,
    validate_every=100, save_every=100, patience=5,
)  # fmt: skip
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
            made with its settings where it is a class. None takes ``triplet``; with `weights` it takes ``none``: distillation alone.
        domain: augmentation: ``faces``, ``camera``, ``characters`` or ``none``; or ``package.module:attribute``. None takes ``faces``, with
            `weights` ``camera``.
        weights: fine-tune the layers of this encoder: an id, or the path of an ONNX file with its card beside it.
        freeze, norms_frozen, layer_decay: of `weights`, see `sameface.training.tuning.backbone.EncoderBackbone`.
        distill: of `weights`, how much its own embeddings of the undamaged pictures count as targets; 0 leaves them out.
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
    weights: str | None = None
    freeze: int = 0
    norms_frozen: bool = True
    layer_decay: float = 1.0
    distill: float = 1.0
    loss: str | None = None
    margin: float | None = None
    mining: str | None = None
    loss_settings: Mapping[str, Option] | None = None
    domain: str | None = None
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
        return self.detector if self.align or self.weights is not None or self.network == "head" else "none"

    @property
    def loss_name(self) -> str:
        """The loss, where none was named too."""
        return self.loss or ("none" if self.weights is not None else "triplet")

    @property
    def changes(self) -> str:
        """The augmentation, where none was named too."""
        return self.domain or ("camera" if self.weights is not None else "faces")

    def words(self) -> dict[str, Any]:
        """The plan as a file holds it, without what was left open."""
        return {key: value for key, value in asdict(self).items() if value not in (None, {}, ())}


def spec_of(plan: FolderPlan) -> NetworkSpec:
    """The network that a plan asks for."""
    if plan.weights is not None:
        return _of_encoder(plan, plan.weights)
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
    intake: IntakeKind = "ink" if plan.changes == "characters" else "centred"
    shrink = 2 if plan.changes == "characters" else 1
    if plan.network == "inception_resnet_v1" and plan.grey:
        raise SettingError(expected="colour for inception_resnet_v1", got="grey", advice="leave grey out")
    channels = 1 if plan.grey or plan.changes == "characters" else 3
    return NetworkSpec(
        plan.network, size, channels, plan.dimension, intake=intake, shrink=shrink, options=dict(plan.options)
    )


def _of_encoder(plan: FolderPlan, weights: str) -> NetworkSpec:
    """The network of an encoder that is fine-tuned: everything about its pictures is on its card."""
    from sameface.training.tuning.base import base_card

    given = {
        f"--network {plan.network}": plan.network != "convnet",
        f"--size {plan.size}": plan.size is not None,
        "--grey": plan.grey,
        "--network-setting": bool(plan.options),
        "--distill 0 without --loss": plan.distill == 0 and plan.loss_name == "none",
        f"--augment {plan.changes}": plan.changes in {"faces", "characters"},
    }
    if wrong := [what for what, holds in given.items() if holds]:
        raise SettingError(
            expected="beside --weights what fits an encoder that is there",
            got=wrong[0],
            advice="leave it out: the encoder's card says what its network takes; --augment is camera, none or your own",
        )
    card = base_card(weights)
    options: dict[str, Option] = {
        "weights": weights,
        "freeze": plan.freeze,
        "norms_frozen": plan.norms_frozen,
        "layer_decay": plan.layer_decay,
    }
    return NetworkSpec(
        "encoder",
        card.input_size_wh[0],
        3,
        card.dimension,
        unit_length=card.unit_length,
        intake="none",
        options=options,
    )
