"""A foreign network is tried in a process of its own, with an end to its time and its memory.

An ONNX file is a program: a loop in it may never end, a constant of a few bytes may ask for gigabytes. Whatever it does, it does to a
process that can be ended. What comes back is text.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from sameface import errors
from sameface.errors import ModelCardError, ModelDamagedError, ModelMissingError, SamefaceError
from sameface.models.card import ModelCard
from sameface.models.card_file import read_card, write_card
from sameface.models.inspecting import NetworkFacts, inspect_network

_GIB: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a foreign network may use while it is tried.

    Attributes:
        seconds: of wall-clock time.
        memory: bytes of address space, beside `times_its_size` of the file.
        times_its_size: for the copies that reading and optimising make.
    """

    seconds: float = 120.0
    memory: int = 4 * _GIB
    times_its_size: int = 10


USUAL: Final = Bounds()


def inspect_apart(network: Path, bounds: Bounds = USUAL) -> NetworkFacts:
    """`inspect_network`, in a process of its own.

    Raises:
        ModelMissingError, ModelCardError: as `inspect_network`.
        ModelDamagedError: as `inspect_network`; or it took too long, too much memory, or ended the process.
    """
    facts = _apart({"network": str(network)}, network, bounds)
    facts["input_size_wh"] = tuple(facts["input_size_wh"]) if facts["input_size_wh"] else None
    return NetworkFacts(**facts)


def try_apart(network: Path, card: ModelCard, bounds: Bounds = USUAL) -> None:
    """Encode noise as a card says, in a process of its own.

    Raises:
        ModelCardError: the card does not fit the network, or different crops give the same embedding.
        ModelMissingError, ModelDamagedError: as `inspect_apart`.
    """
    with TemporaryDirectory(prefix="sameface-try-") as folder:  # made here: whoever is ended tidies up nothing
        _apart({"network": str(network), "card": write_card(card), "folder": folder}, network, bounds)


def _apart(task: dict[str, str], network: Path, bounds: Bounds) -> dict[str, Any]:
    if not network.is_file():
        raise ModelMissingError(expected=f"a network at {network}", got="nothing there", advice="check the path")
    memory = bounds.memory + bounds.times_its_size * network.stat().st_size
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__, str(memory)],
            input=json.dumps(task),
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=bounds.seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise _too_much(f"more than {bounds.seconds:g} seconds", bounds, memory) from late
    try:
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        raise _too_much(f"a process that ended with code {done.returncode}", bounds, memory) from None
    if "error" in answer:
        if answer["error"] == "MemoryError":
            raise _too_much("more memory", bounds, memory)
        kind: type[SamefaceError] = getattr(errors, answer["error"])
        raise kind(expected=answer["expected"], got=answer["got"], advice=answer["advice"])
    return answer


def _too_much(got: str, bounds: Bounds, memory: int) -> ModelDamagedError:
    return ModelDamagedError(
        expected=f"a network that answers within {bounds.seconds:g} seconds and {memory / _GIB:.1f} GiB",
        got=got,
        advice="do not use it unless you know why it does so",
    )


def _try(network: Path, card: ModelCard, folder: Path) -> None:
    import numpy as np

    from sameface.encoders.onnx_encoder import OnnxEncoder
    from sameface.models.graphs.converting import write_converted

    width, height = card.input_size_wh
    noise = np.random.default_rng(0).integers(0, 256, (2, height, width, 3)).astype(np.uint8)
    write_converted(network, folder / "tried.onnx", card.input_size_wh)
    first, second = OnnxEncoder(folder / "tried.onnx", card).encode(noise)
    if np.array_equal(first, second):
        raise ModelCardError(
            expected="different embeddings for different crops",
            got="the same twice",
            advice="check the network and its card",
        )


def main() -> None:
    """In the process of its own: a task on standard input, the answer on the last line of standard output."""
    if sys.platform != "win32":  # a system without such limits: time alone is bounded
        import resource

        memory = int(sys.argv[1])
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    task = json.loads(sys.stdin.read())
    answer: dict[str, Any] = {}
    try:
        if "card" in task:
            _try(Path(task["network"]), read_card(task["card"], name="the card"), Path(task["folder"]))
        else:
            answer = dataclasses.asdict(inspect_network(Path(task["network"])))
    except SamefaceError as error:
        answer = {"error": type(error).__name__, "expected": error.expected, "got": error.got, "advice": error.advice}
    except MemoryError:
        answer = {"error": "MemoryError"}
    sys.stdout.write(f"\n{json.dumps(answer)}\n")


if __name__ == "__main__":
    main()
