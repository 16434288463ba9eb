"""The command line: which commands there are, and how errors leave the program.

A command's module is imported only when that command is typed, so `sameface --help` and `sameface verify` stay quick.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperGroup

from sameface import __version__
from sameface.cli.once import each_once
from sameface.errors import OutputError, SamefaceError, SettingError, did_you_mean, outcome_of, without_passwords

#: Command → (module that holds its `app`, one line for --help).
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "verify": ("sameface.cli.verify", "Are two photos the same person? Is this the claimed person?"),
    "enroll": ("sameface.cli.enroll", "Make a person known by one photo or more."),
    "identify": ("sameface.cli.identify", "Who is in this photo? One answer per face, or nobody."),
    "forget": ("sameface.cli.people", "Erase a person and say what was erased."),
    "people": ("sameface.cli.people", "List, rename or merge the people of a gallery."),
    "gallery": ("sameface.cli.gallery", "Check, copy, export, import and compact a gallery."),
    "evaluate": ("sameface.cli.evaluate", "Measure accuracy on labelled photos."),
    "calibrate": ("sameface.cli.calibrate", "Choose a threshold for a stated false match rate."),
    "liveness": ("sameface.cli.liveness", "Does a photo look like a living face? How often is that wrong?"),
    "train": ("sameface.cli.train", "Train a Siamese network and export it."),
    "models": ("sameface.cli.models", "List, show, add, fetch and quantize models."),
    "index": ("sameface.cli.index", "Encode every face of a folder of photos, searchable by example."),
    "cluster": ("sameface.cli.cluster", "Group the photos of a folder by person."),
    "watch": ("sameface.cli.watch", "Name the faces of a video or camera, steadily."),
    "serve": ("sameface.cli.serve", "Run the service and its page."),
    "keys": ("sameface.cli.keys", "Make, list and revoke keys of the service."),
    "doctor": ("sameface.cli.doctor", "Say what is installed, what runs, and what is wrong."),
}

#: Two words that people type, and the command that they mean.
TWO_WORDS: Final[dict[str, list[str]]] = {
    "evaluate liveness": ["liveness", "evaluate"],
    "calibrate liveness": ["liveness", "calibrate"],
}
#: Words that people guess, and the command that they mean.
GUESSED: Final[dict[str, str]] = {
    **dict.fromkeys(("delete", "remove", "erase", "rm", "unenroll"), "forget"),
    **dict.fromkeys(("search", "recognize", "recognise", "find", "who", "name", "lookup", "query"), "identify"),
    **dict.fromkeys(("detect", "annotate", "draw"), "identify PHOTO --annotate OUT.jpg"),
    **dict.fromkeys(("list", "ls", "show", "names", "persons", "users", "rename", "merge"), "people"),
    **dict.fromkeys(("compare", "match", "check", "same", "distance", "authenticate"), "verify"),
    **dict.fromkeys(("add", "register", "enrol", "learn", "new"), "enroll"),
    **dict.fromkeys(("group", "sort", "album", "organize", "organise"), "cluster"),
    **dict.fromkeys(("server", "web", "start", "run", "ui", "gui", "page", "api"), "serve"),
    **dict.fromkeys(("camera", "video", "webcam", "stream", "live"), "watch"),
    **dict.fromkeys(("threshold", "tune"), "calibrate"),
    **dict.fromkeys(("test", "benchmark", "measure", "accuracy"), "evaluate"),
    **dict.fromkeys(("download", "model", "install"), "models"),
    **dict.fromkeys(("backup", "export", "import", "encrypt", "stats"), "gallery"),
    **dict.fromkeys(("version", "info", "status"), "doctor"),
    "spoof": "liveness",
}
INTERRUPTED: Final = 130
#: As of a program that the system ends because nobody reads what it writes (128 + SIGPIPE): neither yes nor no.
NOBODY_READS: Final = 141


class _NobodyReadsError(Exception):
    """Standard output is closed. Not an `OSError`: typer makes 1 of those, which here means a clean no."""


@contextlib.contextmanager
def _told_from_a_no() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise _NobodyReadsError from error


@cache
def _command(name: str) -> Any:
    """A command, made by typer the first time it is asked for: completion and tests ask again and again."""
    module, short = COMMANDS[name]
    command = typer.main.get_command(import_module(module).APPS[name])
    command.name = name
    command.short_help = short
    return each_once(command)


class LazyCommands(TyperGroup):
    """A group that knows its commands by name and imports one when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return _command(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is typed; for another word the nearest ones."""
        args = [*TWO_WORDS.get(" ".join(args[:2]), args[:2]), *args[2:]]
        word = args[0] if args else ""
        if word and word not in COMMANDS and not word.startswith("-") and not ctx.resilient_parsing:
            meant = GUESSED.get(word.casefold())
            hint = (
                f"did you mean `{ctx.command_path} {meant}`?"
                if meant
                else did_you_mean(word, COMMANDS, f"see `{ctx.command_path} --help`")
            )
            ctx.fail(f"No such command {word!r}: {hint}")
        return super().resolve_command(ctx, args)

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """Read a command line; `--help` and `--version` write while they are read."""
        with _told_from_a_no():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with _told_from_a_no():
            return super().invoke(ctx)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list of --help, written from the table without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in COMMANDS.items()])


app = typer.Typer(
    name="sameface",
    cls=LazyCommands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Face verification and recognition. One photo is enough; who is not known stays unknown.\n\n"
    "Exit codes: 0 yes or done, 1 a clean no, 2 and up an error by class.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sameface {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Say the version and stop.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Before any command: whatever model it needs first is seen being converted."""
    from sameface.cli.output import conversion
    from sameface.models.cache import announce_conversions

    announce_conversions(conversion)


def main() -> None:
    """Run the program; every known error becomes one message and its exit code, without a traceback.

    With ``--json`` standard output holds one JSON document in any case: the answer, or ``{"error": …}``.
    """
    _make_writable()
    json = wants_json(sys.argv[1:])
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code or 0)
    except SamefaceError as error:
        _fail(error, json)
    except _usage_error() as error:
        if json:
            _fail(_usage(error), json)
        shown = io.StringIO()
        error.show(shown)  # type: ignore[attr-defined]  # typer's own, found by its name above
        sys.stderr.write(without_passwords(shown.getvalue()))
        sys.exit(outcome_of(SettingError).exit_code)
    except typer.Abort:  # a question that nobody answers
        sys.stderr.write("sameface: nothing was changed\n")
        sys.exit(1)
    except SystemExit as end:
        if end.code == INTERRUPTED:  # Ctrl-C, which typer hears first
            sys.stderr.write("sameface: stopped; what was acknowledged is kept\n")
        raise
    except (BrokenPipeError, _NobodyReadsError):
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  nothing more can be written, nor flushed
        sys.exit(NOBODY_READS)
    except OSError as error:  # a file or folder that nothing else looked at first
        _fail(
            OutputError(
                expected=f"to use {_path_of(error)}",
                got=error.strerror or str(error),
                advice="check the path, its permissions and the disk",
            ),
            json,
        )


def _path_of(error: OSError) -> str:
    """The file or folder that an error of the system is about, with the folder it lies in."""
    from sameface.files import path_as_text

    named = error.filename2 or error.filename
    if not isinstance(named, (str, bytes, os.PathLike)):
        return "files"
    return path_as_text(Path(os.fsdecode(named)).absolute())


def _usage_error() -> type[Exception]:
    """What typer raises about a command line: the root of its errors, wherever this version of typer keeps it."""
    kinds = {kind.__name__: kind for kind in typer.BadParameter.__mro__ if issubclass(kind, Exception)}
    return kinds["ClickException"]


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for JSON; after ``--`` everything is a name or a path.

    >>> wants_json(["people", "--json"]), wants_json(["forget", "--", "--json"])
    (True, False)
    """
    return "--json" in itertools.takewhile(lambda word: word != "--", arguments)


def _usage(error: Any) -> SettingError:
    command = error.ctx.command_path if getattr(error, "ctx", None) else "sameface"
    return SettingError(
        expected=f"a command line that {command} takes",
        got=error.format_message().rstrip("."),
        advice=f"see `{command} --help`",
    )


def _fail(error: SamefaceError, json: bool) -> NoReturn:
    """Say an error, and end."""
    if json:
        from sameface.cli.output import print_json
        from sameface.recognizer.wire import problem

        with contextlib.suppress(OSError):
            print_json({"error": problem(error)})
            sys.stdout.flush()
    sys.stderr.write(f"sameface: {error}\n")
    sys.exit(outcome_of(type(error)).exit_code)


def _make_writable() -> None:
    """Names that are not Unicode, terminals that are not, and closed outputs end no command."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123  for the life of the process
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
