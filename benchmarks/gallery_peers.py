"""Ours beside faiss, sqlite-vec and pgvector: speed, and the share of known people who are named right.

    pip install faiss-cpu sqlite-vec apsw   # the peers; pgvector comes with the test dependencies
    python benchmarks/gallery_peers.py --faces 100000 --out gallery_peers.json

Known people are probed with another photo at the mated distance given; an engine names somebody right when its nearest is that person. Indexes are at
their defaults unless the row says otherwise. An engine that is not installed is left out, and said so.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))
from gallery_scale import DIMENSION, SPACE, faces, probes_of

from sameface.gallery import NewPerson, open_store
from sameface.gallery.exact.scan import Scan
from sameface.types import Template

Answer = Callable[[np.ndarray], int]


def row(
    engine: str, answer: Answer, probes: np.ndarray, known: np.ndarray, build_s: float, **more: object
) -> dict[str, object]:
    answer(probes[0])
    times, right = [], 0
    for probe, expected in zip(probes, known, strict=True):
        begin = time.perf_counter()
        found = answer(probe)
        times.append(time.perf_counter() - begin)
        right += found == expected
    result = {
        "engine": engine,
        "build_s": build_s,
        "median_ms": 1e3 * float(np.median(times)),
        "p99_ms": 1e3 * float(np.quantile(times, 0.99)),
    }
    result |= {"named_right": right / len(probes), **more}
    print(
        f"| {engine} | {build_s:.1f} | {result['median_ms']:.2f} | {result['p99_ms']:.2f} | {100 * right / len(probes):.1f} % |",
        flush=True,
    )
    return result


def ours(folder: Path, matrix: np.ndarray, probes: np.ndarray, known: np.ndarray) -> list[dict[str, object]]:
    path = folder / "ours.db"
    with open_store(path, space=SPACE, dimension=DIMENSION) as store:
        begin = time.perf_counter()
        store.add_many(NewPerson(str(i), [Template(v)]) for i, v in enumerate(matrix))
        store.warm()
        build = time.perf_counter() - begin
    found = []
    for scan in get_args(Scan):
        with open_store(path, scan=scan) as store:
            name = f"sameface, SQLite, exact, {scan} scan"
            found.append(
                row(name, lambda probe, store=store: int(store.search(probe)[0][0].name), probes, known, build)
            )
    return found


def faiss_rows(matrix: np.ndarray, probes: np.ndarray, known: np.ndarray) -> list[dict[str, object]]:
    import faiss

    half = faiss.IndexScalarQuantizer(DIMENSION, faiss.ScalarQuantizer.QT_fp16)
    eight = faiss.IndexScalarQuantizer(DIMENSION, faiss.ScalarQuantizer.QT_8bit)
    found = []
    for name, index in (
        ("faiss Flat", faiss.IndexFlatL2(DIMENSION)),
        ("faiss SQfp16", half),
        ("faiss SQ8", eight),
        ("faiss SQfp16 + exact re-rank of 10", faiss.IndexRefineFlat(half)),
        ("faiss HNSW32, defaults", faiss.IndexHNSWFlat(DIMENSION, 32)),
    ):
        begin = time.perf_counter()
        if "re-rank" in name:
            index = faiss.IndexRefineFlat(faiss.IndexScalarQuantizer(DIMENSION, faiss.ScalarQuantizer.QT_fp16))
            index.k_factor = 10
        index.train(matrix)
        index.add(matrix)
        build = time.perf_counter() - begin
        found.append(
            row(name, lambda probe, index=index: int(index.search(probe[None], 1)[1][0, 0]), probes, known, build)
        )
    return found


def sqlite_vec_rows(folder: Path, matrix: np.ndarray, probes: np.ndarray, known: np.ndarray) -> list[dict[str, object]]:
    import apsw  # Python's own sqlite3 is often built without extensions
    import sqlite_vec

    connection = apsw.Connection(str(folder / "vec.db"))
    connection.enable_load_extension(True)
    connection.load_extension(sqlite_vec.loadable_path())
    begin = time.perf_counter()
    connection.execute("BEGIN")
    connection.execute(f"CREATE VIRTUAL TABLE faces USING vec0(embedding float[{DIMENSION}])")
    connection.executemany(
        "INSERT INTO faces (rowid, embedding) VALUES (?, ?)", ((i, v.tobytes()) for i, v in enumerate(matrix))
    )
    connection.execute("COMMIT")
    build = time.perf_counter() - begin

    def answer(probe: np.ndarray) -> int:
        query = "SELECT rowid FROM faces WHERE embedding MATCH ? ORDER BY distance LIMIT 1"
        return int(connection.execute(query, (probe.tobytes(),)).fetchone()[0])

    found = [row("sqlite-vec vec0", answer, probes[:100], known[:100], build)]
    connection.close()
    return found


def pgvector_rows(matrix: np.ndarray, probes: np.ndarray, known: np.ndarray) -> list[dict[str, object]]:
    from tests.gallery.postgres_server import Server

    server = Server()
    found = []
    try:
        with open_store(server.new_schema(), space=SPACE, dimension=DIMENSION) as store:
            begin = time.perf_counter()
            store.add_many(NewPerson(str(i), [Template(v)]) for i, v in enumerate(matrix))
            build = time.perf_counter() - begin

            def answer(probe: np.ndarray) -> int:
                return int(store.search(probe)[0][0].name)

            found.append(row("sameface, PostgreSQL, exact", answer, probes[:50], known[:50], build))
            begin = time.perf_counter()
            index = store.tune_search(0.99)
            build = time.perf_counter() - begin
            label = f"sameface, PostgreSQL, HNSW chosen by recall (ef_search {index.ef_search}, {index.recall:.3f} measured)"
            found.append(row(label, answer, probes, known, build, ef_search=index.ef_search, recall=index.recall))
            connections = store._connections  # type: ignore[attr-defined]
            query = (
                "SELECT p.name FROM sameface_template t JOIN sameface_person p USING (person_id) "
                f"ORDER BY t.embedding::halfvec({DIMENSION}) <-> %s::halfvec({DIMENSION}) LIMIT 1"
            )
            plain = row(
                "pgvector HNSW at its defaults (m 16, ef_search 40)",
                lambda probe: int(
                    connections.read(lambda connection: connection.execute(query, (probe,)).fetchone())[0]
                ),
                probes,
                known,
                build,
            )
            found.append(plain)
    finally:
        server.remove()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--probes", type=int, default=500)
    parser.add_argument("--mated", type=float, default=0.7, help="about how far apart two photos of one person lie")
    parser.add_argument("--only", nargs="+", choices=["ours", "faiss", "sqlite-vec", "pgvector"])
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    matrix = faces(given.faces)
    known = np.random.default_rng(3).choice(given.faces, given.probes, replace=False)
    probes = probes_of(matrix[known], given.mated)
    exact = np.mean([int(np.argmax(matrix @ probe)) == number for probe, number in zip(probes, known, strict=True)])
    print(
        f"{given.faces:,} faces, {given.probes} probes at about {given.mated}; a plain loop names {100 * exact:.1f} % right"
    )
    print("| engine | build, s | median, ms | p99, ms | named right |\n|---|---|---|---|---|")
    results: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engines: dict[str, Callable[[], list[dict[str, object]]]] = {
            "ours": lambda: ours(folder, matrix, probes, known),
            "faiss": lambda: faiss_rows(matrix, probes, known),
            "sqlite-vec": lambda: sqlite_vec_rows(folder, matrix, probes, known),
            "pgvector": lambda: pgvector_rows(matrix, probes, known),
        }
        for engine, measured in engines.items():
            if given.only and engine not in given.only:
                continue
            try:
                results += measured()
            except ImportError as error:
                print(f"| {engine}: left out, no module {error.name} |")
    if given.out:
        given.out.write_text(
            json.dumps({"faces": given.faces, "exact_named_right": float(exact), "rows": results}, indent=1)
        )


if __name__ == "__main__":
    main()
