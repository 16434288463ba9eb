"""The models on this machine: what is here, fetch, check, remove."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from sameface.errors import DownloadError, ModelInUseError, SettingError
from sameface.files import sha256_of
from sameface.models.cache import forget_converted
from sameface.models.card import ModelCard, WeightsFile
from sameface.models.download import Patience, fetch, said
from sameface.models.registry import (
    added_ids,
    cards,
    load_card,
    locate,
    mirror_url,
    missing,
    models_folder,
    network_card,
    own_place,
    place_of,
    places_of,
)
from sameface.models.remembered import forget, remember
from sameface.progress import Tally

Presence = Literal["built in", "by package", "here", "missing"]
State = Literal["well", "not pinned", "missing", "damaged"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check of one weights file found.

    Attributes:
        model: id of the card that was asked about.
        path: where the file is or belongs.
        state: ``well``; ``not pinned`` when there is no digest to compare with; ``missing``; ``damaged``.
    """

    model: str
    path: str
    state: State


_KINDS: Final = ("encoder", "detector", "landmarks", "quality", "liveness")
_USES: Final = ("yes", "unclear", "no")


def by_use(models: Iterable[ModelCard]) -> list[ModelCard]:
    """Sorted by what one may do with them: kind, commercial use, measured accuracy, work, id."""
    return sorted(
        models,
        key=lambda card: (
            _KINDS.index(card.kind),
            _USES.index(card.commercial_use),
            -card.accuracy,
            card.gflop or float("inf"),
            card.id,
        ),
    )


def presence(card: ModelCard) -> Presence:
    """Whether a model's weights are on this machine; nothing is read or hashed."""
    owner = network_card(card)
    if not owner.files:
        return "built in"
    there = [place_of(owner, file) for file in owner.files]
    if not all(path.is_file() for path in there):
        return "missing"
    fetched = [own_place(owner, file) for file in owner.files]
    return "here" if there == fetched else "by package"


def pull(card: ModelCard, *, progress: Tally | None = None, patience: Patience | None = None) -> list[Path]:
    """Fetch a model's weights into the folder of models.

    The only function that uses the network. A file that is here with the right digest, by package or fetched before, is left. Others come
    from ``$SAMEFACE_MODELS`` where that is a URL (the file's name is appended), else from the address on the card; the digest on the card
    is checked either way.

    Args:
        card: what to fetch; a card that runs another model's network fetches that.
        progress: told (bytes so far, bytes in all) of the file at hand.
        patience: how long to wait for the server.

    Returns:
        The files' paths, also of those that were here already.

    Raises:
        DownloadError: no address is known, or as `fetch`.
        ModelMissingError, ModelDamagedError: the model comes by package only, which is not installed or altered.
        StorageFullError, SettingError: as `fetch`.
    """
    owner = network_card(card)
    paths = []
    for file in owner.files:
        path = place_of(owner, file)
        if not (path.is_file() and file.sha256 and sha256_of(path) == file.sha256):  # what has no digest comes again
            address = _address(owner, file)
            path = own_place(owner, file)
            wanted = None if file.url and not file.sha256 else file.sha256
            fetch(address, path, sha256=wanted, size=file.bytes, progress=progress, patience=patience)
            if wanted is None:
                remember(path)
        paths.append(path)
    return paths


def _address(owner: ModelCard, file: WeightsFile) -> str:
    mirror = mirror_url()
    if mirror is not None:
        return f"{mirror}/{own_place(owner, file).name}"
    if owner.package and not file.url:
        if place_of(owner, file).is_file():
            locate(owner)  # says which digest it has
        raise missing(owner, file)
    if not file.url:
        raise DownloadError(
            expected=f"an address for {file.name}",
            got=f"none: {owner.source} offers no file of this digest at a stable address",
            advice=f"put the file into {models_folder()}, or set SAMEFACE_MODELS to a mirror that has it",
        )
    return file.url


def source_of(card: ModelCard) -> str:
    """Where a pull would fetch from, for people; without secrets."""
    owner = network_card(card)
    if not owner.files:
        return "built in"
    if presence(owner) == "by package":
        return f"the package {owner.package}"
    mirror = mirror_url()
    if mirror is not None:
        return said(mirror)
    if owner.files[0].url:
        return said(owner.files[0].url)
    return f"the package {owner.package}" if owner.package else "no public address"


def verify(card: ModelCard) -> list[Finding]:
    """Hash a model's weights and compare with the card."""
    owner = network_card(card)
    findings = []
    for file in owner.files:
        path = place_of(owner, file)
        if not path.is_file():
            findings.append(Finding(card.id, file.name, "missing"))
            continue
        state: State = "not pinned"
        if file.sha256:
            state = "well" if sha256_of(path) == file.sha256 else "damaged"
        findings.append(Finding(card.id, str(path), state))
    return findings


def remove(card: ModelCard, *, needed_by: Sequence[str] = ()) -> list[Path]:
    """Delete a fetched or added model: its weights, and its card where a user added it.

    Args:
        card: which.
        needed_by: galleries that hold templates of this model; any stops the removal.

    Returns:
        What was deleted.

    Raises:
        ModelInUseError: a gallery or another card needs it.
        SettingError: it comes by package or is built in.
    """
    if not card.files and not card.network:
        raise SettingError(
            expected="a model that was fetched or added", got=f"{card.id}, which is built in", advice="leave it"
        )
    paths = [own_place(card, file) for file in card.files]
    if card.package and not any(path.is_file() for path in paths):
        raise SettingError(
            expected="a model that was fetched or added",
            got=f"{card.id}, which comes with the package {card.package}",
            advice=f"uninstall {card.package}",
        )
    users = [other.id for other in cards() if other.network == card.id and other.id != card.id]
    if needed_by or any(name in added_ids() for name in users):
        raise ModelInUseError(
            expected=f"nothing that needs {card.id}",
            got=", ".join([*needed_by, *users]),
            advice="remove or re-enroll those first; without the model their templates cannot be compared with new photos",
        )
    if card.id in added_ids():
        paths.append(models_folder() / f"{card.id}.toml")
    gone = [path for path in paths if path.is_file()]
    for path in gone:
        path.unlink()
        forget(path)
    if card.sha256 and not any(path.is_file() for file in card.files for path in places_of(card, file)):
        forget_converted(f"{card.id}-{card.sha256[:16]}-")
    return gone


def with_networks(models: Iterable[str]) -> set[str]:
    """These models and the networks that they run; ids that are not known here stay in."""
    needed = set()
    for name in models:
        needed.add(name)
        with suppress(LookupError):
            needed.add(network_card(load_card(name.partition("@")[0])).id)
    return needed
