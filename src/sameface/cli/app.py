"""The command line: which commands there are, and how errors leave the program.

A command's module is imported only when that command is typed, so `sameface --help` and `sameface verify` stay quick.
"""

from __future__ import annotations

import gc
import io
import sys
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from sameface import __version__
from sameface.errors import OutputError, SamefaceError, outcome_of

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
    "train": ("sameface.cli.train", "Train a Siamese network and export it."),
    "models": ("sameface.cli.models", "List, show, add, fetch and quantize models."),
    "index": ("sameface.cli.index", "Encode every face of a folder of photos, searchable by example."),
    "cluster": ("sameface.cli.cluster", "Group the photos of a folder by person."),
    "watch": ("sameface.cli.watch", "Name the faces of a video or camera, steadily."),
    "serve": ("sameface.cli.serve", "Run the service and its page."),
    "keys": ("sameface.cli.keys", "Make, list and revoke keys of the service."),
    "doctor": ("sameface.cli.doctor", "Say what is installed, what runs, and what is wrong."),
}

INTERRUPTED: Final = 130


class LazyCommands(TyperGroup):
    """A group that knows its commands by name and imports one when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module, short = COMMANDS[cmd_name]
        command = typer.main.get_command(import_module(module).APPS[cmd_name])
        command.name = cmd_name
        command.short_help = short
        return command

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
    """Run the program; every known error becomes one message and its exit code, without a traceback."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that lacks a character gets its number, not a traceback
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app(standalone_mode=True)
    except SamefaceError as error:
        sys.stderr.write(f"sameface: {error}\n")
        sys.exit(outcome_of(type(error)).exit_code)
    except SystemExit as end:
        if end.code == INTERRUPTED:  # Ctrl-C, which typer hears first
            sys.stderr.write("sameface: stopped; what was acknowledged is kept\n")
        raise
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:  # a file or folder that nothing else looked at first
        failure = OutputError(
            expected="to read and write files", got=str(error), advice="check the path, its permissions and the disk"
        )
        sys.stderr.write(f"sameface: {failure}\n")
        sys.exit(outcome_of(type(failure)).exit_code)
    finally:
        gc.freeze()  # the process ends: looking for cycles among all that it loaded would take 60 ms
