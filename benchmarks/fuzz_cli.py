"""Two thousand random calls of every command: no traceback, no exit code outside the table, JSON where it was asked for.

python benchmarks/fuzz_cli.py [--count 2000] [--seed 0] [--first 0]
"""

from __future__ import annotations

import argparse
import collections
import os
import shlex
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.cli.calls import Calls, World, call  # noqa: E402

#: Calls between two buildings of the folder that they work in.
AFRESH = 20


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="go on from this call of the seed")
    options = parser.parse_args()
    codes: collections.Counter[object] = collections.Counter()
    commands: collections.Counter[str] = collections.Counter()
    faults, slow = [], []
    with tempfile.TemporaryDirectory() as place:
        os.environ.setdefault("SAMEFACE_MODELS", str(Path(place, "models")))
        world = World(Path(place, "world"))
        world.build(ROOT / "examples" / "photos")
        calls = Calls(world, options.seed)
        for number in range(options.count):
            arguments, variables = calls.one()
            if number < options.first:
                continue
            if number % AFRESH == 0:
                world.build(ROOT / "examples" / "photos")
            started = time.monotonic()
            code, _, _, fault = call(arguments, variables, world.folder)
            seconds = time.monotonic() - started
            codes[code] += 1
            commands[" ".join(arguments[:1])] += 1
            line = f"{number}: {variables or ''} sameface {shlex.join(arguments)}".encode(
                "utf-8", "backslashreplace"
            ).decode()
            if seconds > 20:
                slow.append(f"{seconds:.0f} s  {line}")
            if fault:
                faults.append(line)
                print(f"{line}\n{fault}\n", flush=True)
    print("exit codes", dict(codes))
    print("commands", dict(commands.most_common(20)))
    for line in slow:
        print("slow:", line)
    print(f"{sum(codes.values())} calls, {len(faults)} faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
