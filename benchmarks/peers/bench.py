"""Every peer in one run, in turns: embeddings, detection, photo → embedding, cold start, memory, size.

    make bench        (or: python benchmarks/peers/bench.py [--prepare] [--rounds 5] [--chart docs/img/bench.png] [--json out.json])

Makes each peer's own virtual environment under the cache folder the first time (minutes, 3 GB); then about five minutes.
A peer that cannot be installed is left out, and the table says why. Nothing else is fetched: where a peer's own
weights would be, random ones of the same shape are. Everything runs on two cores. Numbers are medians over rounds;
in each round all peers have their turn, so that a slow minute hits all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from environments import PEERS, ROOT, InstallError, packages_mb, prepare, python_of, weights
from flops import gflop
from PIL import Image, ImageOps
from runner import timed

sys.path.append(str(Path(__file__).resolve().parent.parent))
from whole_process import whole_process

from sameface.models.registry import load_card

HERE = Path(__file__).resolve().parent
PHOTOS = ROOT / "examples" / "photos"
DATA = Path(os.environ.get("SAMEFACE_DATA", ROOT.parent / "shared" / "data"))
BATCHES = (1, 8, 32)
DLIB_GFLOP = 0.5417  # of dlib's ResNet at 150 × 150; counted over its convolutions as flops.py does


@dataclass
class Row:
    """One line of the table: which runner's tasks it shows."""

    title: str
    peer: str
    embed: str = ""  # name of the task before the batch size
    detect: str = ""
    photo: str = ""
    cold: tuple[str, ...] = ()
    gflop: float | None = None  # per embedding
    why_not: str = ""
    numbers: dict[str, float] = field(default_factory=dict)


def rows(models: Path, deepface: Path) -> list[Row]:
    facenet = gflop(deepface) if deepface.exists() else None
    mobile, sface = gflop(models / "mobilefacenet_y1.onnx"), load_card("sface-2021dec").gflop
    ours, same = ("verify",), "dlib-resnet"
    int8 = (*ours, "--encoder", "sface-2021dec-unit-int8")
    make = Row
    return [
        make("sameface (default)", "sameface", "default/embed", "yunet/detect", "default/photo", ours, sface),
        make("sameface, int8", "sameface", "int8/embed", "", "int8/photo", int8, sface),
        make(
            "sameface, dlib-resnet, mtcnn",
            "sameface-dlib",
            f"{same}/embed",
            "mtcnn/detect",
            f"{same}/photo",
            (),
            DLIB_GFLOP,
        ),
        make("DeepFace, ONNX, yunet", "deepface", "embed", "detect", "photo", ("cold",), facenet),
        make("InsightFace", "insightface", "embed", "detect", "photo", ("cold",), mobile),
        make("OpenCV, YuNet + SFace", "opencv", "embed", "detect", "photo", ("cold",), sface),
        make("face_recognition, dlib-bin", "face_recognition", "embed", "detect", "photo", ("cold",), DLIB_GFLOP),
        make("facenet-pytorch, network", "facenet-pytorch", "embed", gflop=facenet),
    ]


def script_of(peer: str) -> Path:
    """The runner of a peer; sameface's two environments share one."""
    return HERE / f"run_{'sameface' if peer.startswith('sameface') else peer.replace('-', '_')}.py"


class Runner:
    """A peer's process, started once, asked in turns."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  as long as the process
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True, env=environment
        )
        self.tasks: list[str] = self._answer()

    def ask(self, task: str, seconds: float) -> list[float]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"task": task, "seconds": seconds}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._said.seek(0)
            raise RuntimeError((self._said.read().strip().splitlines() or ["it said nothing"])[-1])
        return json.loads(line)


@contextmanager
def one_face_photo(size_wh: tuple[int, int]) -> Iterator[Path]:
    """A shipped portrait, cut and enlarged to the size, as a JPEG."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "face.jpg"
        with Image.open(PHOTOS / "obama.jpg") as photo:
            ImageOps.fit(photo.convert("RGB"), size_wh, centering=(0.5, 0.3)).save(path, quality=92)
        yield path


def gemm(size: int = 2048) -> Callable[[], object]:
    """A float32 matrix product by NumPy's BLAS, the arithmetic limit."""
    matrix = np.random.default_rng(0).normal(size=(size, size)).astype(np.float32)
    return lambda: matrix @ matrix


def install(cache: Path) -> dict[str, str]:
    """Make all environments; why not, by peer."""
    failed: dict[str, str] = {}
    for peer in PEERS:
        print(f"environment: {peer.title} …", flush=True)
        try:
            prepare(peer, cache)
        except InstallError as error:
            failed[peer.name] = f"not installed: {error}"
            print(f"  {failed[peer.name]}")
    return failed


def lay_weights(cache: Path, failed: dict[str, str]) -> None:
    """Put every network where its peer looks; a peer without is left out, for none may be fetched."""
    try:
        weights(cache, DATA / "models")
    except InstallError as error:
        failed["deepface"] = f"no weights: {error}"


def measure(
    cache: Path,
    failed: dict[str, str],
    *,
    size_wh: tuple[int, int],
    photo_only: bool,
    rounds: int,
    seconds: float,
    cold_rounds: int,
) -> dict[str, Any]:
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")},
        "SAMEFACE_CACHE": str(cache / "sameface-cache"),
        "SAMEFACE_MODELS": str(DATA / "models"),
        "DEEPFACE_HOME": str(cache / "deepface-home"),
        "DEEPFACE_BACKEND_ENGINE": "onnx",
        "INSIGHTFACE_HOME": str(cache / "insightface-home"),
        "YUNET": str(DATA / "models" / "face_detection_yunet_2023mar.onnx"),
        "SFACE": str(cache / "opencv-home" / "sface.onnx"),
        "ORT_DISABLE_TELEMETRY": "1",
        "PYTHONWARNINGS": "ignore",
        "HF_HUB_OFFLINE": "1",
    }
    table = rows(DATA / "models", cache / "deepface-home" / ".deepface" / "weights" / "facenet_weights.onnx")
    runners: dict[str, Runner] = {}
    times: dict[tuple[str, str], list[float]] = {}
    multiply = gemm()
    multiply()
    gemm_seconds: list[float] = []

    def give_up(peer: str, reason: object) -> None:
        failed[peer] = f"failed: {reason}"
        print(f"  {peer} {failed[peer]}", flush=True)

    with one_face_photo(size_wh) as photo:
        for peer in PEERS:
            if peer.name in failed:
                continue
            print(f"start: {peer.title} …", flush=True)
            script = script_of(peer.name)
            try:
                runners[peer.name] = Runner([str(python_of(cache, peer.name)), str(script), str(photo)], environment)
            except (RuntimeError, OSError) as error:
                give_up(peer.name, error)
        units = [(peer, task) for peer, runner in runners.items() for task in runner.tasks]
        if photo_only:
            units = [unit for unit in units if unit[1].endswith("photo")]
        units.sort(key=lambda unit: unit[1].split("/")[-1])  # the same question to all of them, one after the other
        for turn in range(rounds):
            print(f"round {turn + 1} of {rounds}", flush=True)
            gemm_seconds += timed(multiply, seconds)
            for peer, task in units:
                if peer not in failed:
                    try:
                        times.setdefault((peer, task), []).extend(runners[peer].ask(task, seconds))
                    except (RuntimeError, OSError) as error:
                        give_up(peer, error)
        for runner in runners.values():
            runner.close()
    cold_runs = cold(table, cache, failed, environment, cold_rounds) if cold_rounds else {}
    gemm_rate = 2 * 2048**3 / statistics.median(gemm_seconds) / 1e9
    for row in table:
        row.why_not = failed.get(row.peer, "")
        if not row.why_not:
            fill(row, times, cold_runs, gemm_rate, packages_mb(cache, row.peer))
    return {
        "when": time.strftime("%Y-%m-%d %H:%M"),
        "cpus": len(os.sched_getaffinity(0)),
        "load_average": os.getloadavg()[0],
        "gemm_gflop_per_s": gemm_rate,
        "rows": [asdict(row) for row in table],
    }


Cold = dict[str, list[tuple[float, float]]]


def cold(table: list[Row], cache: Path, failed: dict[str, str], environment: dict[str, str], rounds: int) -> Cold:
    """Whole processes in turns, by the row's title; the first, which may convert or compile things once, is left out."""
    pair = [str(PHOTOS / "obama.jpg"), str(PHOTOS / "obama2.jpg")]
    commands: dict[str, list[str]] = {}
    for row in table:
        if row.cold and row.peer not in failed:
            python = python_of(cache, row.peer)
            if row.peer == "sameface":
                verb, *more = row.cold
                commands[row.title] = [str(python.with_name("sameface")), verb, *pair, *more]
            else:
                script = script_of(row.peer)
                commands[row.title] = [str(python), str(script), *row.cold, *pair]
    runs: Cold = {title: [] for title in commands}
    broken: set[str] = set()
    for turn in range(rounds + 1):
        print(f"cold processes, {turn} of {rounds}", flush=True)
        for title, command in commands.items():
            if title in broken:
                continue
            try:
                done = whole_process(command, environment)
            except RuntimeError as error:
                print(f"  {error}")
                broken.add(title)
                continue
            if turn:
                runs[title].append(done)
    return {title: done for title, done in runs.items() if title not in broken}


def fill(
    row: Row, times: dict[tuple[str, str], list[float]], cold_runs: Cold, gemm_rate: float, size_mb: float
) -> None:
    """Medians of what was timed for a row."""
    for batch in BATCHES:
        if row.embed and (row.peer, f"{row.embed} {batch}") in times:
            row.numbers[f"embed_{batch}"] = batch / statistics.median(times[row.peer, f"{row.embed} {batch}"])
    if row.gflop and "embed_32" in row.numbers:
        row.numbers["gemm_percent"] = 100 * row.numbers["embed_32"] * row.gflop / gemm_rate
    for name, task in (("detect_ms", row.detect), ("photo_ms", row.photo)):
        if task and (row.peer, task) in times:
            row.numbers[name] = 1000 * statistics.median(times[row.peer, task])
    if row.title in cold_runs:
        row.numbers["cold_s"] = statistics.median(seconds for seconds, _ in cold_runs[row.title])
        row.numbers["cold_mb"] = statistics.median(memory for _, memory in cold_runs[row.title])
    row.numbers["packages_mb"] = size_mb


COLUMNS = (
    ("embed_1", "emb/s, batch 1", 0),
    ("embed_8", "8", 0),
    ("embed_32", "32", 0),
    ("gflop", "GFLOP each", 2),
    ("gemm_percent", "% of GEMM", 0),
    ("detect_ms", "detection, ms", 1),
    ("photo_ms", "photo → embedding, ms", 1),
    ("photo_ratio", "× default", 2),
    ("cold_s", "cold “same person?”, s", 2),
    ("cold_ratio", "× default", 2),
    ("cold_mb", "its peak, MB", 0),
    ("packages_mb", "site-packages, MB", 0),
)


def markdown(result: dict[str, Any]) -> str:
    """The table; what was not measured is a dash, a peer left out says why below."""
    first = result["rows"][0]["numbers"]
    lines = ["| | " + " | ".join(title for _, title, _ in COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for row in result["rows"]:
        numbers = {**row["numbers"], **({"gflop": row["gflop"]} if row["gflop"] else {})}
        for kind in ("photo_ms", "cold_s"):
            if kind in numbers and kind in first:
                numbers[kind.split("_")[0] + "_ratio"] = numbers[kind] / first[kind]
        cells = [f"{numbers[name]:.{digits}f}" if name in numbers else "–" for name, _, digits in COLUMNS]
        lines.append(f"| {row['title']}{' (left out)' if row['why_not'] else ''} | " + " | ".join(cells) + " |")
    lines += [f"\n{row['title']}: {row['why_not']}" for row in result["rows"] if row["why_not"]]
    lines.append(
        f"\n{result['when']}, {result['cpus']} cores, GEMM (NumPy, float32) {result['gemm_gflop_per_s']:.0f} GFLOP/s, "
        f"load average at the end {result['load_average']:.1f}"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prepare", action="store_true", help="only make the environments")
    parser.add_argument("--no-install", action="store_true", help="take the environments as they are")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "sameface-bench")
    parser.add_argument(
        "--size", type=int, nargs=2, default=(640, 480), metavar=("WIDTH", "HEIGHT"), help="of the photo"
    )
    parser.add_argument("--photo-only", action="store_true", help="only photo → embedding")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.6, help="per question and round")
    parser.add_argument("--cold-rounds", type=int, default=7)
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--chart", type=Path)
    options = parser.parse_args()
    if options.no_install:
        ready = (options.cache / "{}" / ".installed").as_posix()
        failed = {peer.name: "not installed" for peer in PEERS if not Path(ready.format(peer.name)).exists()}
    else:
        options.cache.mkdir(parents=True, exist_ok=True)
        failed = install(options.cache)
    lay_weights(options.cache, failed)
    if options.prepare:
        return
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cpus])  # the peers inherit it
    result = measure(
        options.cache,
        failed,
        size_wh=tuple(options.size),
        photo_only=options.photo_only,
        rounds=options.rounds,
        seconds=options.seconds,
        cold_rounds=0 if options.photo_only else options.cold_rounds,
    )
    print(markdown(result))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))
    if options.chart:
        from chart import draw

        draw(result, options.chart)
        print(f"drawn: {options.chart}")


if __name__ == "__main__":
    sys.exit(main())
