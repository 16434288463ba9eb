"""How long forgetting in time takes, and what changing a key does to clients that ask meanwhile.

    python benchmarks/gallery_rights.py expire --people 10000 --among 50000
    python benchmarks/gallery_rights.py rotate --templates 100000 --clients 4 --kills 3

`expire`: so many people whose time is over, among others; the seconds of one `expire`, and whether any of two other processes names one of them.
`rotate`: an encrypted gallery; clients search and read somebody's templates all the time, by the old key; the change of the key is killed some times
and begun again. Printed: seconds, questions asked, errors, and what a reading of every row by the new key alone found.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from sameface.gallery import NewPerson, new_key, open_store, retire_key
from sameface.types import EmbeddingSpace, Template

SPACE = EmbeddingSpace("bench", "bench", "bench")
PAST = "2020-01-01T00:00:00+00:00"
CLIENT = """
import os, sys, time
import numpy as np
from sameface.gallery import open_store

faces = np.load(sys.argv[2], mmap_mode="r")
asked = wrong = 0
longest = 0.0
with open_store(sys.argv[1], create=False) as store:
    store.warm()
    print("ready", flush=True)
    while not os.path.exists(sys.argv[3]):
        at = (asked * 7919) % len(faces)
        begun = time.perf_counter()
        try:
            found = store.search(faces[at])[0]
            own = store.templates_of(found[0].name)[0].template.embedding if found else None
            wrong += not found or (found[0].name == f"p{at}" and own.tobytes() != faces[at].tobytes())
            wrong += sys.argv[4] == "nobody" and bool(found) and int(found[0].name[1:]) < int(sys.argv[5])
        except Exception as error:
            print(type(error).__name__, error, file=sys.stderr)
            wrong += 1
        longest = max(longest, time.perf_counter() - begun)
        asked += 1
print(asked, wrong, f"{longest:.2f}")
"""
ROTATE = "import sys; from sameface.gallery import rotate_key; print(rotate_key(sys.argv[1], sys.argv[2]).ok)"


def faces_of(count: int, dimension: int) -> np.ndarray:
    made = np.random.default_rng(0).standard_normal((count, dimension)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def clients_on(path: Path, faces: Path, end: Path, count: int, *rest: str) -> list[subprocess.Popen[str]]:
    command = [sys.executable, "-c", CLIENT, str(path), str(faces), str(end), *rest]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    for client in started:
        assert client.stdout is not None
        assert client.stdout.readline() == "ready\n"
    return started


def said_by(clients: list[subprocess.Popen[str]], end: Path) -> None:
    end.touch()
    for number, client in enumerate(clients, 1):
        asked, wrong, longest = client.communicate()[0].split()
        print(f"client {number}: {asked} questions, {wrong} wrong or failed, longest {longest} s")


def expire(folder: Path, people: int, among: int, dimension: int) -> None:
    path, faces = folder / "people.db", faces_of(among, dimension)
    np.save(folder / "faces.npy", faces[:people])
    with open_store(path, space=SPACE, dimension=dimension) as store:
        store.add_many(
            NewPerson(f"p{i}", [Template(face)], keep_until=PAST if i < people else "") for i, face in enumerate(faces)
        )
        end = folder / "end"
        clients = clients_on(path, folder / "faces.npy", end, 2, "nobody", str(people))
        time.sleep(2)
        begun = time.perf_counter()
        done = store.expire()
        print(f"{len(done.people)} of {among} people forgotten in {time.perf_counter() - begun:.2f} s")
        time.sleep(1)
        said_by(clients, end)
        print("check:", "all is well" if store.check().ok else "damaged")


def rotate(folder: Path, templates: int, clients: int, kills: int, dimension: int) -> None:
    path, faces = folder / "people.db", faces_of(templates, dimension)
    np.save(folder / "faces.npy", faces)
    os.environ["SAMEFACE_GALLERY_KEY"] = new_key()
    with open_store(path, space=SPACE, dimension=dimension) as store:
        store.add_many(NewPerson(f"p{i}", [Template(face)]) for i, face in enumerate(faces))
    end, fresh = folder / "end", new_key()
    asking = clients_on(path, folder / "faces.npy", end, clients, "all", "0")
    command, begun = [sys.executable, "-c", ROTATE, str(path), fresh], time.perf_counter()
    for number in range(kills):
        stopped = subprocess.Popen(command)
        time.sleep(2 + number)
        stopped.send_signal(signal.SIGKILL)
        stopped.wait()
    print("every row by the new key alone:", subprocess.check_output(command, text=True).strip())
    print(f"{templates} templates, {kills} kills: {time.perf_counter() - begun:.1f} s beside {clients} clients")
    said_by(asking, end)
    retire_key(path, key=fresh)
    with open_store(path, key=fresh) as store:
        print("check by the new key:", "all is well" if store.check().ok else "damaged")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("expire", "rotate"))
    for name, number in (("people", 10_000), ("among", 50_000), ("templates", 100_000), ("clients", 4), ("kills", 3)):
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--dimension", type=int, default=128)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        if given.what == "expire":
            expire(Path(place), given.people, given.among, given.dimension)
        else:
            rotate(Path(place), given.templates, given.clients, given.kills, given.dimension)


if __name__ == "__main__":
    main()
