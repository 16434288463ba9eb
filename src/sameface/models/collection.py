"""The models on this machine: what is here, fetch, check, remove."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sameface.errors import DownloadError, ModelInUseError, ModelMissingError, SettingError
from sameface.files import sha256_of
from sameface.models.card import ModelCard, WeightsFile
from sameface.models.download import Patience, fetch, said
from sameface.models.registry import added_ids, cards, load_card, mirror_url, models_folder, network_card, place_of
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


def presence(card: ModelCard) -> Presence:
    """Whether a model's weights are on this machine; nothing is read or hashed."""
    owner = network_card(card)
    if not owner.files:
        return "built in"
    if not all(_exists(owner, file) for file in owner.files):
        return "missing"
    return "by package" if owner.package else "here"


def pull(card: ModelCard, *, progress: Tally | None = None, patience: Patience | None = None) -> list[Path]:
    """Fetch a model's weights into the folder of models.

    The only function that uses the network. From ``$SAMEFACE_MODELS`` where that is a URL (the file's name is appended), else from
    the address on the card; the digest on the card is checked either way.

    Args:
        card: what to fetch; a card that runs another model's network fetches that.
        progress: told (bytes so far, bytes in all) of the file at hand.
        patience: how long to wait for the server.

    Returns:
        The files' paths, also of those that were here already.

    Raises:
        DownloadError: no address is known, or as `fetch`.
        ModelMissingError: the model comes by a package that is not installed.
        StorageFullError, SettingError: as `fetch`.
    """
    owner = network_card(card)
    if owner.package:
        paths = [place_of(owner, file) for file in owner.files]
        if not all(path.is_file() for path in paths):
            raise ModelMissingError(
                expected=f"the weights of {owner.id} in the package {owner.package}",
                got="some are missing",
                advice=f"install {owner.package} again",
            )
        return paths
    paths = []
    for file in owner.files:
        target = place_of(owner, file)
        fetch(_address(owner, file), target, sha256=file.sha256, size=file.bytes, progress=progress, patience=patience)
        paths.append(target)
    return paths


def _address(owner: ModelCard, file: WeightsFile) -> str:
    mirror = mirror_url()
    if mirror is not None:
        return f"{mirror}/{file.name}"
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
    if owner.package:
        return f"the package {owner.package}"
    mirror = mirror_url()
    if mirror is not None:
        return said(mirror)
    return said(owner.files[0].url) if owner.files[0].url else "no public address"


def verify(card: ModelCard) -> list[Finding]:
    """Hash a model's weights and compare with the card."""
    owner = network_card(card)
    findings = []
    for file in owner.files:
        if not _exists(owner, file):
            findings.append(Finding(card.id, file.name, "missing"))
            continue
        path = place_of(owner, file)
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
    if card.package or (not card.files and not card.network):
        raise SettingError(
            expected="a model that was fetched or added",
            got=f"{card.id}, which {f'comes with the package {card.package}' if card.package else 'is built in'}",
            advice=f"uninstall {card.package}" if card.package else "leave it",
        )
    users = [other.id for other in cards() if other.network == card.id and other.id != card.id]
    if needed_by or any(name in added_ids() for name in users):
        raise ModelInUseError(
            expected=f"nothing that needs {card.id}",
            got=", ".join([*needed_by, *users]),
            advice="remove or re-enroll those first; without the model their templates cannot be compared with new photos",
        )
    paths = [models_folder() / file.name for file in card.files]
    if card.id in added_ids():
        paths.append(models_folder() / f"{card.id}.toml")
    gone = [path for path in paths if path.is_file()]
    for path in gone:
        path.unlink()
    return gone


def with_networks(models: Iterable[str]) -> set[str]:
    """These models and the networks that they run; ids that are not known here stay in."""
    needed = set()
    for name in models:
        needed.add(name)
        with suppress(LookupError):
            needed.add(network_card(load_card(name)).id)
    return needed


def _exists(owner: ModelCard, file: WeightsFile) -> bool:
    try:
        return place_of(owner, file).is_file()
    except ModelMissingError:
        return False
