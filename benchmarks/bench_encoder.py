"""Embeddings per second: our fp32 and int8 networks, dlib's own, and how far each is from the machine's GEMM rate. All in one run.

    python benchmarks/bench_encoder.py [--json out.json] [--seconds 3] [--also MODEL …]

The chips are noise: speed does not depend on what they show. Medians over repeated runs; run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sameface.encoders import load_encoder
from sameface.models.networks import network_file
from sameface.models.registry import load_card, locate
from sameface.models.runtime import Session

GFLOP = 0.5417  # of one pass of the network, two per multiply-add


def rate(work: Callable[[], object], items: int, seconds: float) -> float:
    """Items a second: the median over runs that fill the time."""
    work()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return items / statistics.median(times)


def gemm_rate(threads: int, seconds: float, size: int = 2048) -> float:
    """GFLOP/s of a float32 matrix product by ONNX Runtime."""
    import onnx
    from onnx import TensorProto, helper

    make = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["a", "b"], ["c"])],
        "gemm",
        [make("a", TensorProto.FLOAT, [size, size]), make("b", TensorProto.FLOAT, [size, size])],
        [make("c", TensorProto.FLOAT, [size, size])],
    )
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])
    onnx.checker.check_model(model)
    session = Session(model.SerializeToString(), threads=threads)
    matrix = np.random.default_rng(0).normal(size=(size, size)).astype(np.float32)
    return rate(lambda: session.run({"a": matrix, "b": matrix}), 1, seconds) * 2 * size**3 / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--also", nargs="*", default=[], help="ids of further encoders to measure beside")
    options = parser.parse_args()
    chips = np.random.default_rng(0).integers(0, 256, (32, 150, 150, 3)).astype(np.uint8)
    rows: list[dict[str, object]] = []
    gemm = {threads: gemm_rate(threads, options.seconds) for threads in (1, 2)}
    for threads, value in gemm.items():
        rows.append({"engine": "GEMM, ONNX Runtime", "threads": threads, "gflop_per_s": value})

    def add(engine: str, threads: int, batch: int, per_second: float) -> None:
        share = 100 * per_second * GFLOP / gemm[threads]
        rows.append({"engine": engine, "threads": threads, "batch": batch, "images_per_s": per_second, "gemm_%": share})
        print(
            f"{engine:34} {threads} threads  batch {batch:2}  {per_second:8.1f} images/s  {share:5.0f} % of GEMM",
            flush=True,
        )

    print(f"GEMM: {gemm[1]:.0f} GFLOP/s on one thread, {gemm[2]:.0f} on two")
    try:
        import dlib
    except ImportError:
        print("dlib is not installed: no comparison")
    else:
        theirs = dlib.face_recognition_model_v1(str(locate(load_card("dlib-resnet"))[0]))
        for batch in (1, 8, 32):
            faces = [np.ascontiguousarray(chip) for chip in chips[:batch]]
            add(
                "dlib-bin wheel",
                1,
                batch,
                rate(lambda f=faces: theirs.compute_face_descriptor(f), batch, options.seconds),
            )  # type: ignore[misc]
    names = ["dlib-resnet", "dlib-resnet-mirror-unit", "dlib-resnet-mirror-unit-int8", *options.also]
    for name in names:
        for threads in (1, 2):
            encoder = load_encoder(name, threads=threads)
            for batch in (1, 8, 32):
                add(name, threads, batch, rate(lambda e=encoder, b=batch: e.encode(chips[:b]), batch, options.seconds))  # type: ignore[misc]
    network = network_file(load_card("dlib-resnet"))
    starts = []
    for _ in range(5):
        start = time.perf_counter()
        Session(network)
        starts.append(time.perf_counter() - start)
    print(f"session from the cached network: {1000 * statistics.median(starts):.0f} ms")
    rows.append({"engine": "session creation", "seconds": statistics.median(starts)})
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
