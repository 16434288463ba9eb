"""Two thousand random calls of every command: no traceback, no exit code outside the table, JSON where it was asked for.

python benchmarks/fuzz_cli.py [--count 2000] [--seed 0] [--first 0] [--rows calls.jsonl]

Says every 50 calls how far it is. With ``--rows`` each call is a line of JSON, written before and after it: a run that is cut tells what it found
and where it stood; ``--first`` goes on from there.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
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
#: Calls between two words about how far it is.
SAY = 50


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="go on from this call of the seed")
    parser.add_argument("--rows", type=Path, help="a file that gets a line for each call, added to what it has")
    options = parser.parse_args()
    codes: collections.Counter[object] = collections.Counter()
    commands: collections.Counter[str] = collections.Counter()
    faults, slow = [], []
    with contextlib.ExitStack() as ends:
        place = ends.enter_context(tempfile.TemporaryDirectory())
        rows = ends.enter_context(options.rows.open("a", encoding="utf-8")) if options.rows else None

        def note(**row: object) -> None:
            if rows:
                print(json.dumps({"seed": options.seed, **row}), file=rows, flush=True)

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
            note(begins=number, arguments=arguments, variables=variables)
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
            note(ended=number, code=code, seconds=round(seconds, 2), fault=fault)
            if fault:
                faults.append(line)
                print(f"{line}\n{fault}\n", flush=True)
            if (number + 1) % SAY == 0:
                print(f"{number + 1} of {options.count}: {len(faults)} faults, exit codes {dict(codes)}", flush=True)
    print("exit codes", dict(codes))
    print("commands", dict(commands.most_common(20)))
    for line in slow:
        print("slow:", line)
    print(f"{sum(codes.values())} calls, {len(faults)} faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
