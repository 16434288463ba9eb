"""A training in one TOML file: what to train on, with what; written beside every result, and run again by ``sameface train --config``."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

import msgspec

from sameface.errors import SettingError, did_you_mean
from sameface.files import atomic_write, path_as_text
from sameface.plain import known
from sameface.training.folder.plan import FolderPlan


@dataclass(frozen=True)
class PlanFile:
    """What the file holds.

    Attributes:
        data: what to train on, relative to the file's folder; or ``module:attribute``, a dataset of PyTorch or a function that makes one.
        name: of the encoder.
        plan: everything else.
    """

    data: str
    name: str = "my-encoder"
    plan: FolderPlan = field(default_factory=FolderPlan)

    def source(self, file: Path) -> Path | str:
        """The data: a path, relative to where the file lies, or the words of an import."""
        return self.data if is_import(self.data) else file.parent / self.data


def is_import(text: str) -> bool:
    """Whether a text names a Python object: ``package.module:attribute``.

    >>> is_import("mine:Shake"), is_import("photos"), is_import("C:\\\\photos")
    (True, False, False)
    """
    module, _, attribute = text.partition(":")
    return attribute.isidentifier() and all(part.isidentifier() for part in module.split("."))


def read_plan(file: Path) -> PlanFile:
    """Read one.

    Raises:
        SettingError: no such file, no TOML, or a setting that is none; a mistyped name too, which would leave a default in its place.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        plan = msgspec.convert(content, known(PlanFile), strict=True)
        unknown = _unknown(content, plan)
        if not unknown:
            return plan
        got = f"{unknown}, which is no setting"
    except OSError as error:
        got = error.strerror or str(error)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        got = str(error)
    raise SettingError(
        expected=f"a training in {path_as_text(file)}: data, name, [plan] and [plan.settings]",
        got=got,
        advice="start from the training.toml that every run leaves in its folder",
    )


def _unknown(content: Mapping[str, Any], into: Any) -> str:
    """The first name in a table that nothing is called by, with what it may mean; "" where all are known."""
    known = {item.name: getattr(into, item.name) for item in fields(into)}
    for name, value in content.items():
        if name not in known:
            near = did_you_mean(name, known, "")
            return f"{name} ({near})" if near else name
        if is_dataclass(known[name]) and (inner := _unknown(value, known[name])):
            return inner
    return ""


def write_plan(file: Path, data: Path | str, name: str, plan: FolderPlan) -> None:
    """Write one; the path of the data is kept relative to the file where that can be."""
    import tomli_w

    place = data
    if isinstance(data, Path):
        try:
            place = os.path.relpath(data.absolute(), file.parent.absolute())
        except ValueError:  # another drive of Windows
            place = data.absolute()
    content: dict[str, Any] = {"data": path_as_text(place), "name": name, "plan": plan.words()}
    with atomic_write(file, everybody=True) as part:
        part.write_text(tomli_w.dumps(content), encoding="utf-8")
