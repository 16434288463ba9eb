"""What a GPU changes: the same embeddings, how many a second, its memory, and the settings that were chosen. The processor beside it, in one run.

    python benchmarks/gpu.py [--device cuda] [--json gpu.json] [--also NETWORK.onnx …]

The crops are noise: speed does not depend on what they show. Medians over repeated runs. What is compared on faces are the example photos.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from bench_encoder import median_seconds

from sameface.encoders import load_encoder, onnx_encoder
from sameface.models import devices
from sameface.models.networks import network_file
from sameface.models.registry import load_card
from sameface.models.runtime import Session
from sameface.recognizer import Recognizer

PHOTOS = Path(__file__).resolve().parents[1] / "examples" / "photos"
ENCODERS = ("sface-2021dec-unit", "sface-2021dec-unit-int8")
BATCHES = (1, 8, 32, 128, 512)


def memory_mb() -> float | None:
    """Of this process on the GPU; None without nvidia-smi."""
    try:
        said = subprocess.run(
            ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    return float(said.split()[0])


def encoders(device: str) -> list[dict[str, object]]:
    """Embeddings a second by batch, and how far they lie from the processor's."""
    rows: list[dict[str, object]] = []
    for name in ENCODERS:
        width, height = load_card(name).input_size_wh
        crops = np.random.default_rng(0).integers(0, 256, (max(BATCHES), height, width, 3)).astype(np.uint8)
        here, there = load_encoder(name), load_encoder(name, device=device)
        apart = np.linalg.norm(here.encode(crops[:128]) - there.encode(crops[:128]), axis=1)
        rows.append({"encoder": name, "largest_l2": float(apart.max())})
        print(f"{name}: at most {apart.max():.2e} apart", flush=True)
        for batch in BATCHES:
            for where, encoder in (("cpu", here), (device, there)):
                if where == "cpu" and batch > 128:
                    continue
                onnx_encoder_step(encoder, batch if where == device else None)
                speed = batch / median_seconds(partial(encoder.encode, crops[:batch]))
                rows.append({"encoder": name, "device": where, "batch": batch, "a_second": speed})
                print(f"{name} {where:5} batch {batch:4}: {speed:9.0f} a second", flush=True)
    return rows


def onnx_encoder_step(encoder: Any, batch: int | None) -> None:
    """Let a batch go through in one run: what the encoder cuts it into is what is to be chosen."""
    if batch is not None and isinstance(encoder, onnx_encoder.OnnxEncoder):
        encoder._step = batch


def settings(device: str) -> list[dict[str, object]]:
    """Ways to tell the provider: speed on one size, and on 40 sizes of pictures that come for the first time."""
    if device != "cuda":
        return []
    rows: list[dict[str, object]] = []
    shipped = devices._OPTIONS
    encoder, detector = network_file(load_card(ENCODERS[0])), network_file(load_card("yunet"))
    crops = np.random.default_rng(0).uniform(0, 255, (32, 3, 112, 112)).astype(np.float32)
    sizes = [(32 * int(a), 32 * int(b)) for a, b in np.random.default_rng(1).integers(8, 30, (40, 2))]
    for search in ("HEURISTIC", "DEFAULT", "EXHAUSTIVE"):
        for tf32 in ("0", "1"):
            devices._OPTIONS = {"cuda": {"use_tf32": tf32, "cudnn_conv_algo_search": search}}  # type: ignore[misc]
            session = Session(encoder, device=device)
            (name,) = session.inputs
            fast = {batch: median_seconds(partial(session.run, {name: crops[:batch]})) for batch in (1, 32)}
            answer = session.run({name: crops})[0]
            looks = Session(detector, device=device)
            (seen,) = looks.inputs
            start = time.perf_counter()
            for height, width in sizes:
                looks.run({seen: np.zeros((1, 3, height, width), np.float32)})
            first = (time.perf_counter() - start) / len(sizes)
            start = time.perf_counter()
            for height, width in sizes:
                looks.run({seen: np.zeros((1, 3, height, width), np.float32)})
            again = (time.perf_counter() - start) / len(sizes)
            devices._OPTIONS = {}  # type: ignore[misc]
            exact = Session(encoder).run({name: crops})[0]
            unit = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in (answer, exact)]
            row: dict[str, object] = {
                "search": search,
                "tf32": tf32,
                "ms_batch_1": 1000 * fast[1],
                "ms_batch_32": 1000 * fast[32],
                "largest_l2": float(np.linalg.norm(unit[0] - unit[1], axis=1).max()),
                "ms_new_size": 1000 * first,
                "ms_known_size": 1000 * again,
            }
            rows.append(row)
            print(row, flush=True)
    devices._OPTIONS = shipped  # type: ignore[misc]
    return rows


def placement(device: str) -> dict[str, dict[str, int]]:
    """How many operators of each network run where, by ONNX Runtime's own profile."""
    import onnxruntime as ort

    found: dict[str, dict[str, int]] = {}
    for name in (*ENCODERS, "yunet"):
        options = ort.SessionOptions()
        options.enable_profiling, options.log_severity_level = True, 3
        options.profile_file_prefix = str(Path(tempfile.gettempdir()) / "sameface-profile")
        session = ort.InferenceSession(
            str(network_file(load_card(name))), options, providers=devices.providers(device), enable_fallback=0
        )
        (entry,) = session.get_inputs()
        given = load_card(name).input_size_wh[0] if name in ENCODERS else 160
        shape = [
            side if isinstance(side, int) else (1 if place == 0 else given) for place, side in enumerate(entry.shape)
        ]
        kind = np.uint8 if entry.type == "tensor(uint8)" else np.float32
        session.run(None, {entry.name: np.zeros(shape, kind)})
        path = Path(session.end_profiling())
        counts: dict[str, int] = {}
        for event in json.loads(path.read_text(encoding="utf-8")):
            provider = event.get("args", {}).get("provider")
            if provider and event["name"].endswith("_kernel_time"):
                key = provider.removesuffix("ExecutionProvider")
                if key == "CPU":
                    key += " " + event["args"].get("op_name", "")
                counts[key] = counts.get(key, 0) + 1
        path.unlink()
        found[name] = counts
        print(name, counts, flush=True)
    return found


def embed(over: Callable[..., Any], recognizer: Recognizer, paths: Sequence[Path]) -> list[Any]:
    """The largest face of each photo, by `map` or a pool's."""
    return list(over(lambda path: recognizer.encode_photo(path, "largest"), paths))


def photos(device: str) -> list[dict[str, object]]:
    """Photo to embedding, file to vector: one after the other, and by as many threads as there are cores."""
    paths = sorted(path for path in PHOTOS.iterdir() if path.suffix in (".jpg", ".png"))
    rows: list[dict[str, object]] = []
    answers: dict[str, Sequence[Any]] = {}
    for where in ("cpu", device):
        start = time.perf_counter()
        recognizer = Recognizer(device=where)
        recognizer.encode_photo(paths[0], "largest")
        first = time.perf_counter() - start
        answers[where] = embed(map, recognizer, paths)
        one = len(paths) / median_seconds(partial(embed, map, recognizer, paths), 2)
        many = paths * 16
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            threaded = len(many) / median_seconds(partial(embed, pool.map, recognizer, many), 2)
        rows.append({"device": where, "first_s": first, "photos_a_second": one, "by_threads": threaded})
        print(rows[-1], flush=True)
    apart = max(
        float(np.linalg.norm(a.embedding - b.embedding)) for a, b in zip(answers["cpu"], answers[device], strict=True)
    )
    rows.append({"largest_l2": apart})
    print(f"example photos: embeddings at most {apart:.2e} apart", flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    start = time.perf_counter()
    devices.refuse_missing(given.device)
    found: dict[str, object] = {
        "start_seconds": time.perf_counter() - start,
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_mb_started": memory_mb(),
    }
    for name, part in (("photos", photos), ("settings", settings), ("placement", placement), ("encoders", encoders)):
        try:
            found[name] = part(given.device)
        except Exception as error:  # noqa: BLE001  # what one part meets is a finding, and the others are measured all the same
            traceback.print_exc()
            found[name] = f"{type(error).__name__}: {error}"
        found[f"memory_mb_after_{name}"] = memory_mb()
        if given.json:
            given.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(json.dumps({key: value for key, value in found.items() if not isinstance(value, list)}, indent=1))


if __name__ == "__main__":
    main()
