"""`sameface keys`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from sameface.cli.options import JsonOption

app = typer.Typer(
    rich_markup_mode=None, add_completion=False, no_args_is_help=True, help="Make, list and revoke keys of the service."
)

KeysOption = Annotated[
    Path | None,
    typer.Option("--keys", help="The file of keys.  [default: $SAMEFACE_KEYS, else ./keys.json]", show_default=False),
]


def keys_path(option: Path | None) -> Path:
    """Where keys are: the option, else ``$SAMEFACE_KEYS``, else ``keys.json`` here."""
    import os

    return option or Path(os.environ.get("SAMEFACE_KEYS") or "keys.json")


@app.command()
def add(
    role: Annotated[
        str,
        typer.Argument(
            help="read: lists; identify: also verify and identify; enroll: also enroll and forget; admin: everything."
        ),
    ],
    gallery: Annotated[
        list[str] | None,
        typer.Option("--gallery", "-g", help="Only for this gallery; repeat for more.", show_default=False),
    ] = None,
    note: Annotated[str, typer.Option("--note", help="Whom it is for.")] = "",
    keys: KeysOption = None,
    json: JsonOption = False,
) -> None:
    """Make a key and show it, once."""
    from sameface.cli.output import note as say
    from sameface.cli.output import print_json, print_line
    from sameface.service.keys import ALL_GALLERIES, KeyFile

    path = keys_path(keys)
    key, stored = KeyFile(path).add(role, tuple(gallery) if gallery else ALL_GALLERIES, note)
    if json:
        print_json({"key": key, "id": stored.id, "role": stored.role, "galleries": stored.galleries})
        return
    say(f"{path} holds its hash; the key itself is shown this once:")
    print_line(key)


@app.command("list")
def list_keys(keys: KeysOption = None, json: JsonOption = False) -> None:
    """List the keys; the keys themselves are not stored."""
    from sameface.cli.output import print_json, print_table
    from sameface.service.keys import KeyFile

    stored = KeyFile(keys_path(keys)).keys()
    if json:
        print_json(
            [{name: getattr(item, name) for name in item.__struct_fields__ if name != "sha256"} for item in stored]
        )
        return
    print_table(
        ("id", "role", "galleries", "made", "note"),
        ([item.id, item.role, ", ".join(item.galleries), item.created[:19], item.note] for item in stored),
    )


@app.command()
def revoke(
    identity: Annotated[str, typer.Argument(metavar="ID", help="As `sameface keys list` shows it.")],
    keys: KeysOption = None,
) -> None:
    """Take a key away; running services refuse it from the next request on."""
    from sameface.cli.output import print_line
    from sameface.service.keys import KeyFile

    KeyFile(keys_path(keys)).revoke(identity)
    print_line(f"{identity} is revoked")


APPS: Final = {"keys": app}
