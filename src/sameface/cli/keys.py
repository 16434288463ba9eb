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

    from sameface.defaults import DEFAULT_KEYS
    from sameface.errors import SettingError

    path = option or Path(os.environ.get("SAMEFACE_KEYS") or DEFAULT_KEYS)
    if path.exists() and not path.is_file():
        raise SettingError(
            expected="a file of keys", got=f"{path}, which is none", advice="name a file: --keys keys.json"
        )
    return path


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
    expires: Annotated[
        str, typer.Option("--expires", help="When it ends: 90d, 12h, or a date like 2027-12-31.", show_default=False)
    ] = "",
    rate: Annotated[
        float | None,
        typer.Option("--rate", help="Requests per second, instead of the service's own.", show_default=False),
    ] = None,
    burst: Annotated[
        int | None, typer.Option("--burst", help="Requests at once, instead of the service's own.", show_default=False)
    ] = None,
    keys: KeysOption = None,
    json: JsonOption = False,
) -> None:
    """Make a key and show it, once."""
    from sameface.cli.moments import moment_of
    from sameface.cli.output import note as say
    from sameface.cli.output import print_json, print_line
    from sameface.service.key_file import KeyFile
    from sameface.service.keys import ALL_GALLERIES

    path = keys_path(keys)
    key, stored = KeyFile(path).add(
        role,
        tuple(gallery) if gallery else ALL_GALLERIES,
        note,
        expires=moment_of(expires) if expires else None,
        rate=rate,
        burst=burst,
    )
    if json:
        print_json(
            {
                "key": key,
                "id": stored.id,
                "role": stored.role,
                "galleries": stored.galleries,
                "expires": stored.expires,
            }
        )
        return
    say(f"{path} holds its hash; the key itself is shown this once:")
    print_line(key)


@app.command("list")
def list_keys(keys: KeysOption = None, json: JsonOption = False) -> None:
    """List the keys; the keys themselves are not stored."""
    from sameface.cli.output import print_json, print_table
    from sameface.service.key_file import KeyFile
    from sameface.service.key_use import KeyUse

    path = keys_path(keys)
    stored, used = KeyFile(path).keys(), KeyUse(path).last()
    if json:
        print_json(
            [
                {name: getattr(item, name) for name in item.__struct_fields__ if name != "sha256"}
                | {"last_use": used.get(item.id, "")}
                for item in stored
            ]
        )
        return
    print_table(
        ("id", "role", "galleries", "expires", "last use", "note"),
        (
            [
                item.id,
                item.role,
                ", ".join(item.galleries),
                item.expires[:10],
                used.get(item.id, "")[:10],
                item.note,
            ]
            for item in stored
        ),
        shorten=("galleries", "note"),
    )


@app.command()
def rotate(
    identity: Annotated[str, typer.Argument(metavar="ID", help="As `sameface keys list` shows it.")],
    overlap: Annotated[str, typer.Option("--overlap", help="How long the old key still works: 24h, 7d.")] = "24h",
    keys: KeysOption = None,
    json: JsonOption = False,
) -> None:
    """Make a new key like an old one, and let the old one end after a while."""
    from sameface.cli.moments import span_of
    from sameface.cli.output import note as say
    from sameface.cli.output import print_json, print_line
    from sameface.service.key_file import KeyFile

    key, stored = KeyFile(keys_path(keys)).rotate(identity, span_of(overlap))
    if json:
        print_json({"key": key, "id": stored.id, "role": stored.role, "galleries": stored.galleries})
        return
    say(f"{identity} ends in {overlap}; the new key is shown this once:")
    print_line(key)


@app.command("check-audit")
def check_audit(
    trail: Annotated[Path, typer.Argument(help="An audit trail, of the service or of the keys.")],
    json: JsonOption = False,
) -> None:
    """Check that no line of an audit trail was changed, taken out or put in."""
    from sameface.cli.output import print_json, print_line
    from sameface.errors import DataError
    from sameface.service.audit import check_trail

    if trail.exists() and not trail.is_file():
        raise DataError(expected="an audit trail", got=f"{trail}, which is no file", advice="check the path")
    try:
        found = check_trail(trail)
    except OSError as error:
        raise DataError(expected="an audit trail", got=f"{trail}: {error.strerror}", advice="check the path") from error
    if json:
        print_json({"lines": found.lines, "broken_at": found.broken_at, "head": found.head})
    elif found.broken_at is None:
        print_line(f"{found.lines} lines, each follows from the one before it; the last has the digest {found.head}")
    else:
        print_line(f"line {found.broken_at} does not follow from the one before it")
    if found.broken_at is not None:
        raise typer.Exit(1)


@app.command()
def revoke(
    identity: Annotated[str, typer.Argument(metavar="ID", help="As `sameface keys list` shows it.")],
    keys: KeysOption = None,
    json: JsonOption = False,
) -> None:
    """Take a key away; running services refuse it from the next request on."""
    from sameface.cli.output import print_json, print_line
    from sameface.service.key_file import KeyFile

    KeyFile(keys_path(keys)).revoke(identity)
    if json:
        print_json({"id": identity, "revoked": True})
    else:
        print_line(f"{identity} is revoked")


APPS: Final = {"keys": app}
