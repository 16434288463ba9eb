"""Parts of one's own that a plan names: ``package.module:attribute``, found from the current folder too."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from sameface.errors import SettingError
from sameface.training.augment import Augmentation, augmentation
from sameface.training.loop.callbacks import Callback
from sameface.training.loop.settings import TrainingSettings
from sameface.training.losses import BatchLossLike, make_loss
from sameface.training.networks.by_name import NetworkSpec, from_here
from sameface.training.pictures import Pictures, as_pictures
from sameface.training.sampling import Sampler


def named(text: str, what: str) -> Any:
    """The object of ``package.module:attribute``.

    Raises:
        SettingError: it cannot be imported.
    """
    import importlib

    module, _, attribute = text.partition(":")
    try:
        with from_here():
            return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError, TypeError, SyntaxError) as error:
        raise SettingError(
            expected=f"{what} {attribute} in module {module}",
            got=str(error),
            advice="check that it can be imported from here",
        ) from error


def made(text: str, what: str, **offered: Any) -> Any:
    """The object itself, or, of a class or a function of settings, what it makes of those of the offered arguments that it takes.

    Raises:
        SettingError: it cannot be imported or made.
    """
    thing = named(text, what)
    if not inspect.isclass(thing):
        return thing
    return _called(thing, text, offered)


def _called(maker: Callable[..., Any], text: str, offered: Mapping[str, Any]) -> Any:
    taken = inspect.signature(maker).parameters
    try:
        return maker(**{name: value for name, value in offered.items() if name in taken})
    except TypeError as error:
        raise SettingError(
            expected=f"{text} to be made from {', '.join(offered) or 'nothing'}",
            got=str(error),
            advice="give its other arguments defaults",
        ) from error


def loss_of(
    name: str,
    *,
    dimension: int,
    people: int,
    margin: float | None,
    mining: str | None,
    settings: Mapping[str, object] | None,
) -> BatchLossLike:
    """The loss of a plan: one that `make_loss` knows, or one's own. A class is made with its settings, and with ``dimension`` and ``people``
    where it takes them; a function is taken as it is."""
    if ":" not in name:
        return make_loss(name, dimension=dimension, people=people, margin=margin, mining=mining, settings=settings)
    loss: BatchLossLike = made(name, "a loss", dimension=dimension, people=people, **dict(settings or {}))
    return loss


def augmentation_of(name: str, size: int) -> Augmentation | Callable[[Any], Any]:
    """The augmentation of a plan: a domain, or one's own class (made with ``size`` where it takes that) or function of a picture."""
    if ":" not in name:
        return augmentation(name, size)
    own: Augmentation | Callable[[Any], Any] = made(name, "an augmentation", size=size)
    return own


def sampler_of(name: str | None, pictures: Pictures, settings: TrainingSettings) -> Sampler | None:
    """The sampler of a plan: None for people × photos, or what one's own class makes of ``labels``, ``people``, ``photos`` and ``seed``."""
    if name is None:
        return None
    sampler: Sampler = made(
        name,
        "a sampler",
        labels=pictures.labels,
        people=settings.people,
        photos=settings.photos,
        seed=settings.seed,
    )
    return sampler


def callbacks_of(names: tuple[str, ...]) -> list[Callback]:
    """The callbacks of a plan, each a class without arguments, or an object.

    Raises:
        SettingError: one is no `Callback`.
    """
    found = [made(name, "a callback") for name in names]
    for name, callback in zip(names, found, strict=True):
        if not isinstance(callback, Callback):
            raise SettingError(
                expected=f"{name} to be a sameface.training.Callback",
                got=type(callback).__name__,
                advice="derive it from that class",
            )
    return found


def dataset_of(name: str, spec: NetworkSpec) -> Pictures:
    """The pictures of a dataset of PyTorch: an object, or what a class or function without arguments makes.

    Raises:
        SettingError: there is none, or its pictures are not what the network takes.
    """
    thing = named(name, "a dataset")
    pictures = as_pictures(_called(thing, name, {}) if inspect.isclass(thing) or inspect.isfunction(thing) else thing)
    shape = tuple(pictures.pixels.shape[1:])
    if spec.size and shape != (spec.channels, spec.picture_side, spec.picture_side):
        raise SettingError(
            expected=f"pictures of {spec.channels} x {spec.picture_side} x {spec.picture_side} for {spec.name}",
            got=f"{' x '.join(map(str, shape))} from {name}",
            advice="make them alike: --size is the side, --grey takes one channel",
        )
    return pictures
