"""Embeddings per second: our fp32 and int8 networks, dlib's own, and how far each is from the machine's GEMM rate. All in one run.

    python benchmarks/bench_encoder.py [--json out.json] [--seconds 3] [--also MODEL …] [--only MODEL …] [--batches 1 8 32]

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
from sameface.models.graphs.converting import read_tidily
from sameface.models.networks import network_file
from sameface.models.registry import load_card, locate
from sameface.models.runtime import Session


def gflop(name: str) -> float:
    """Of one embedding: two for each multiply-add of convolutions and products in the publisher's network, for each view."""
    import onnx

    card = load_card(name)
    if card.network.startswith("dlib") or name.startswith("dlib"):
        return 0.5417 * len(card.views)
    model = read_tidily(locate(card)[0])
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    graph = onnx.shape_inference.infer_shapes(model).graph
    weights = {item.name: list(item.dims) for item in graph.initializer}
    shapes = {
        item.name: [side.dim_value for side in item.type.tensor_type.shape.dim]
        for item in (*graph.value_info, *graph.output)
    }
    multiply_adds = 0.0
    for node in graph.node:
        if node.op_type == "Conv":
            multiply_adds += np.prod(shapes[node.output[0]]) * np.prod(weights[node.input[1]][1:])
        elif node.op_type == "Gemm":
            multiply_adds += np.prod(weights[node.input[1]])
    return 2e-9 * float(multiply_adds) * len(card.views)


def median_seconds(work: Callable[[], object], seconds: float = 1.0) -> float:
    """Of runs that fill the time, after one that does not count."""
    work()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def rate(work: Callable[[], object], items: int, seconds: float) -> float:
    """Items a second."""
    return items / median_seconds(work, seconds)


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
    parser.add_argument("--only", nargs="*", default=[], help="measure these alone")
    parser.add_argument("--batches", nargs="*", type=int, default=[1, 8, 32])
    options = parser.parse_args()
    batches = options.batches
    chips = np.random.default_rng(0).integers(0, 256, (max(batches), 150, 150, 3)).astype(np.uint8)
    rows: list[dict[str, object]] = []
    gemm = {threads: gemm_rate(threads, options.seconds) for threads in (1, 2)}
    for threads, value in gemm.items():
        rows.append({"engine": "GEMM, ONNX Runtime", "threads": threads, "gflop_per_s": value})

    def add(engine: str, threads: int, batch: int, per_second: float, gflop_each: float) -> None:
        share = 100 * per_second * gflop_each / gemm[threads]
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
        for batch in () if options.only else batches:
            faces = [np.ascontiguousarray(chip) for chip in chips[:batch]]
            add(
                "dlib-bin wheel",
                1,
                batch,
                rate(lambda f=faces: theirs.compute_face_descriptor(f), batch, options.seconds),
                gflop("dlib-resnet"),
            )  # type: ignore[misc]
    usual = ["dlib-resnet", "dlib-resnet-mirror-unit", "dlib-resnet-mirror-unit-int8", "sface-2021dec-unit"]
    for name in options.only or [*usual, *options.also]:
        each = gflop(name)
        width, height = load_card(name).input_size_wh
        crops = np.ascontiguousarray(chips[:, :height, :width])
        for threads in (1, 2):
            encoder = load_encoder(name, threads=threads)
            for batch in batches:
                speed = rate(lambda e=encoder, f=crops[:batch]: e.encode(f), batch, options.seconds)  # type: ignore[misc]
                add(name, threads, batch, speed, each)
    network = network_file(load_card((options.only or ["sface-2021dec-unit"])[0]))
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
