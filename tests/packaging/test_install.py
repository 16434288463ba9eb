"""The wheel and the sdist, installed in an empty environment with the sources out of reach: the README works to the letter."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONG = 900  # seconds; a weights package of 100 MB is unpacked


def run(*command: object, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")} | environment,
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Wheel and sdist, built from what git would hand out."""
    base = tmp_path_factory.mktemp("built")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    source = base / "source"
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", base / "dist", source, cwd=base)
    return {"wheel": next((base / "dist").glob("*.whl")), "sdist": next((base / "dist").glob("*.tar.gz"))}


def test_the_wheel_holds_the_program_and_nothing_else(archives):
    with zipfile.ZipFile(archives["wheel"]) as wheel:
        names = wheel.namelist()
    outside = [name for name in names if not name.startswith(("sameface/", "sameface-"))]
    assert outside == []
    for needed in (
        "sameface/py.typed",
        "sameface/models/cards/dlib-resnet.toml",
        "sameface/models/operating_points/dlib-resnet-mirror-unit+mtcnn.json",
        "sameface/service/page/index.html",
    ):
        assert needed in names
    assert not [name for name in names if name.endswith((".jpg", ".png", ".dat", ".onnx"))]
    assert archives["wheel"].stat().st_size <= 1_500_000  # weights come by packages of their own


def test_the_documentation_lists_every_extra():
    page = (ROOT / "docs" / "how-to" / "install.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert sorted(listed) == sorted(project["optional-dependencies"])


@pytest.mark.parametrize("place", ["Makefile", ".github/workflows/tests.yml"])
def test_the_tests_are_run_with_every_extra(place):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (listed,) = re.findall(r"^\s*EXTRAS:?\s*:?=?\s*([\w,]+)$", (ROOT / place).read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed.split(",")) == sorted(project["optional-dependencies"])


def test_the_sdist_holds_what_a_packager_needs(archives):
    with tarfile.open(archives["sdist"]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"pyproject.toml", "LICENSE", "NOTICE", "README.md", "CHANGELOG.md", "src/sameface/__init__.py"} <= names
    assert "examples/photos/ORIGIN.md" in names
    assert not [name for name in names if name.startswith((".ci", ".venv"))]


@pytest.mark.timeout(2 * LONG)
def test_readme_in_an_empty_environment(archives, tmp_path, monkeypatch):
    monkeypatch.setenv("SAMEFACE_CACHE", str(tmp_path / "cache"))  # what other tests converted is not there
    environment = tmp_path / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=tmp_path)  # to install pip takes seconds
    python, programs = environment / "bin" / "python", environment / "bin"
    pip = (sys.executable, "-m", "pip", "--python", python, "--quiet", "--disable-pip-version-check")
    run(*pip, "install", "--no-compile", archives["wheel"], cwd=tmp_path)  # what is run is compiled then
    work = tmp_path / "work"
    (work / "examples").mkdir(parents=True)
    (work / "examples" / "photos").symlink_to(ROOT / "examples" / "photos")
    where = run(python, "-c", "import sameface; print(sameface.__file__)", cwd=work)
    assert str(environment) in where
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", readme, re.M | re.S)
    python_blocks = [body for language, body in blocks if language == "python"]
    assert python_blocks
    for body in python_blocks:
        run(python, "-c", body, cwd=work)
    commands = [line for _, body in blocks for line in body.splitlines() if line.startswith("sameface ")]
    assert len(commands) >= 5
    (work / "people.db").unlink(missing_ok=True)
    for command in commands:
        said = subprocess.run(
            ["bash", "-c", command],
            cwd=work,
            env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=LONG,
            check=False,
        )
        assert said.returncode in (0, 1), f"{command}\n{said.stdout}{said.stderr}"  # 1 is a clean no
        assert "Traceback" not in said.stderr
    # Parts that were not installed say which extra they need.
    missing = subprocess.run(
        [python, "-c", "import sameface.compat.estimators"], cwd=work, capture_output=True, text=True, check=False
    )
    assert 'pip install "sameface[evaluate]"' in missing.stderr
    detection = subprocess.run(
        [programs / "sameface-face-detection", "examples/photos/obama.jpg"],
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 'pip install "sameface[dlib]"' in detection.stderr


@pytest.mark.parametrize(
    "name", ["CITATION.cff", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", ".pre-commit-config.yaml", "mkdocs.yml"]
)
def test_files_of_the_project(name):
    assert (ROOT / name).stat().st_size > 100


def test_one_version_everywhere():
    import tomllib

    import yaml

    import sameface

    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert sameface.__version__ == declared
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"] == declared
    for template in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        assert yaml.safe_load(template.read_text(encoding="utf-8"))
