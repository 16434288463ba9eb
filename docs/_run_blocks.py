"""Runs the code blocks of the documentation, and writes or compares the outputs that it shows.

    python docs/_run_blocks.py docs/tutorial.md --write

Two kinds of blocks run, top to bottom, in one empty folder per page with `examples/photos` in it:

- ``python``: in one namespace per page; what it prints goes into the ``text`` block that follows it, if one does.
- ``console``: lines that begin with ``$`` are run by bash, and the lines below them are their output. ``$ command &`` stays running
  until the page ends.

A page with the line ``<!-- data: NAME -->`` finds the research data of that name in its folder: from ``$SAMEFACE_DATA``, else ``../shared/data``.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

# A training gives other numbers on other numbers of threads: one, as the tests have, before anything is loaded that asks.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

ROOT = Path(__file__).resolve().parent.parent
#: Blocks that are shown, not run: outputs, file contents, drawings.
SHOWN = {"text", "json", "toml", "mermaid"}
_DATA = re.compile(r"^<!-- data: (\w+) -->$", re.M)
_NEEDS = re.compile(r"^<!-- needs: (\w+) -->$", re.M)
_TOLERANCE = re.compile(r"^<!-- numbers may differ by ([\d.]+) -->$", re.M)
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.M | re.S)
#: What differs from run to run: ids (whole, or their first eight digits), days and times, ports, keys.
_VOLATILE = re.compile(
    r"\b[0-9a-f]{12,64}\b|\b(?=[a-f]*\d)[0-9a-f]{8}\b|\d{4}-\d\d-\d\d([T ]\d\d:\d\d:\d\d[\d.+:Z]*)?|\b\d+(\.\d+)? m?s\b|sf_[\w-]+"
)
_NUMBER = re.compile(r"(?<![\w.])-?\d+\.\d+(?![\w.])")
#: A command of ours in which a shell has nothing to do but to part the words.
_PLAIN = re.compile(r"""sameface [^|&;<>()$`\\*?\[\]{}~#\n]*""")
_RULES = re.compile(r"[─━┏┓┗┛┃│┡┩╇┳┻╸╺\s]+")


@dataclass
class Block:
    language: str
    body: str
    start: int
    end: int


@dataclass
class Page:
    """A page being run: its folder, the names its Python made, the programs it left running.

    Attributes:
        running: how each is ended.
        ports: for each port that it names a free one, since on another page, or in another run beside this one, somebody may listen there.
    """

    path: Path
    folder: Path
    names: dict[str, object] = field(default_factory=lambda: {"__name__": "__main__"})
    running: list[Callable[[], object]] = field(default_factory=list)
    ports: dict[str, str] = field(default_factory=dict)

    def to_run(self, text: str) -> str:
        """Its words with the free ports."""
        for named, free in self.ports.items():
            text = text.replace(named, free)
        return text

    def as_written(self, text: str) -> str:
        """What came, with the ports of the page."""
        for named, free in self.ports.items():
            text = text.replace(free, named)
        return text


def free_ports(text: str) -> dict[str, str]:
    """For each port that a page starts a program on, one that is free now."""
    with contextlib.ExitStack() as held:
        ports = {}
        for named in re.findall(r"--port (\d+)", text):
            probe = held.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            ports[named] = str(probe.getsockname()[1])
    return ports


#: Runs a whole command, given its words, its surroundings and its folder: exit code and output. Tests put in one that is quicker.
run_ours: Callable[[list[str], Mapping[str, str], Path], tuple[int, str]] | None = None
#: Starts one that stays, given also the file for what it says or None: how it is ended.
start_ours: Callable[[list[str], Mapping[str, str], Path, Path | None], Callable[[], object]] | None = None


def blocks_of(text: str) -> list[Block]:
    return [Block(found[1], found[2], found.start(2), found.end(2)) for found in _FENCE.finditer(text)]


def data_of(text: str) -> list[Path]:
    """The research data that a page wants in its folder."""
    base = Path(os.environ.get("SAMEFACE_DATA", ROOT.parent / "shared" / "data"))
    return [base.resolve() / name for name in _DATA.findall(text)]


def needs_of(text: str) -> list[str]:
    """Modules without which a page does not run, as in ``<!-- needs: torch -->``."""
    return _NEEDS.findall(text)


def tolerance_of(text: str) -> float:
    """How far decimal numbers of a page may differ from machine to machine, as in ``<!-- numbers may differ by 0.1 -->``."""
    return max(map(float, _TOLERANCE.findall(text)), default=0.02)


def comparable(output: str) -> tuple[str, list[float]]:
    """An output without what differs from run to run: the words, and the decimal numbers."""
    output = _VOLATILE.sub("#", output)
    numbers = [float(found) for found in _NUMBER.findall(output)]
    return _RULES.sub(" ", _NUMBER.sub("#", output)).strip(), numbers


def alike(shown: str, given: str, tolerance: float = 0.02) -> bool:
    """Whether two outputs say the same; decimal numbers may differ by the rounding of another machine."""
    (words, numbers), (other_words, other_numbers) = comparable(shown), comparable(given)
    return words == other_words and all(
        abs(a - b) <= tolerance + 0.005 * abs(a) for a, b in zip(numbers, other_numbers, strict=True)
    )


def run_page(path: Path, pictures: Path | None = None) -> Iterator[tuple[Block, str]]:
    """Run a page; gives each block that shows an output, with the output that came.

    Args:
        path: of the page.
        pictures: where the PNG files that it made are copied to, as ``notebook-NAME.png``.

    Raises:
        RuntimeError: a block failed.
    """
    text = path.read_text(encoding="utf-8")
    blocks = blocks_of(text)
    with tempfile.TemporaryDirectory() as folder:
        page = Page(path, Path(folder), ports=free_ports(text))
        (page.folder / "examples").mkdir()
        shutil.copytree(ROOT / "examples" / "photos", page.folder / "examples" / "photos")
        for place in data_of(text):
            (page.folder / place.name).symlink_to(place)
        try:
            for index, block in enumerate(blocks):
                if block.language == "python":
                    printed = _run_python(page, block)
                    after = blocks[index + 1] if index + 1 < len(blocks) else None
                    if (
                        after
                        and after.language == "text"
                        and not text[block.end + 3 : after.start].split("```")[0].strip()
                    ):
                        yield after, printed
                elif block.language == "console":
                    yield block, _run_console(page, block)
                elif block.language not in SHOWN:
                    raise RuntimeError(f"{path}: a block of language {block.language!r} is neither run nor only shown")
            for made in page.folder.glob("*.png") if pictures is not None else ():
                shutil.copy(made, pictures / f"notebook-{made.name}")
        finally:
            for end in page.running:
                end()


def _run_python(page: Page, block: Block) -> str:
    printed = io.StringIO()
    line = page.path.read_text(encoding="utf-8")[: block.start].count("\n")
    code = compile("\n" * line + page.to_run(block.body), str(page.path), "exec")
    before = Path.cwd()
    os.chdir(page.folder)
    try:
        with contextlib.redirect_stdout(printed):
            exec(code, page.names)  # the page is ours
    except Exception as error:
        raise RuntimeError(f"{page.path}: {type(error).__name__}: {error}\n{block.body}") from error
    finally:
        os.chdir(before)
    return page.as_written(printed.getvalue())


def _run_console(page: Page, block: Block) -> str:
    said = []
    lines = iter(block.body.splitlines())
    for line in lines:
        if not line.startswith("$ "):
            continue
        command = line[2:]
        whole = [line]
        while command.endswith("\\"):
            whole.append(next(lines))
            command = command[:-1] + whole[-1].removeprefix("> ").strip()
        said.append("\n".join(whole) + "\n" + page.as_written(_run_command(page, page.to_run(command))))
    return "".join(said)


def _run_command(page: Page, command: str) -> str:
    environment = {
        **os.environ,
        "COLUMNS": "110",
        "TERMINAL_WIDTH": "110",
        "SAMEFACE_PROGRESS": "0",  # lines that come by the clock are on no page
        "PYTHONPATH": str(ROOT / "src"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    if command.endswith(" &"):
        page.running.append(_start(page, command[:-2], environment))
        return ""
    if run_ours is not None and _PLAIN.fullmatch(command):
        code, output = run_ours(shlex.split(command), environment, page.folder)
    else:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=page.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
        code, output = done.returncode, done.stdout
    if code not in (0, 1) or "Traceback" in output:  # 1 is a clean no; a program that a signal ended has a code below 0
        raise RuntimeError(f"{page.path}: {command}: exit code {code}\n{output}")
    return "\n".join(line.rstrip() for line in output.splitlines()) + ("\n" if output else "")


def _start(page: Page, command: str, environment: Mapping[str, str]) -> Callable[[], object]:
    """Start a program that stays; gives how it is ended."""
    ours, _, said = command.partition(" 2> ")
    if start_ours is not None and _PLAIN.fullmatch(ours):
        return start_ours(shlex.split(ours), environment, page.folder, page.folder / said if said else None)
    program = subprocess.Popen(
        ["bash", "-c", "exec " + command],
        cwd=page.folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def end() -> None:
        os.killpg(program.pid, signal.SIGTERM)
        program.wait(30)

    return end


def write(path: Path) -> None:
    """Put the outputs that came into the page."""
    text = path.read_text(encoding="utf-8")
    pictures = ROOT / "docs" / "img" if path.resolve().parent.name == "notebooks" else None
    for block, output in reversed(list(run_page(path, pictures))):
        text = text[: block.start] + output + text[block.end :]
    path.write_text(text, encoding="utf-8")


def differences(path: Path) -> list[str]:
    """What the page shows against what came, for each block that differs."""
    found = []
    tolerance = tolerance_of(path.read_text(encoding="utf-8"))
    for block, output in run_page(path):
        if not alike(block.body, output, tolerance):
            found.append(f"{path} shows:\n{block.body}\nbut this came:\n{output}")
    return found


def main() -> None:
    paths = [Path(argument) for argument in sys.argv[1:] if argument != "--write"]
    for path in paths:
        if "--write" in sys.argv:
            write(path)
        else:
            problems = differences(path)
            if problems:
                sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
