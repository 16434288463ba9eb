"""An option that takes one value is given once: of two galleries, one would be left out without a word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sameface.errors import SettingError


def each_once(command: Any) -> Any:
    """A command, with the commands in it, that refuses an option of one value which is given more than once.

    Args:
        command: typer's, as it was just made; its parser is asked which options came.
    """
    make = command.make_parser

    def make_parser(ctx: Any) -> Any:
        parser = make(ctx)
        parse = parser.parse_args

        def parse_args(args: list[str]) -> tuple[dict[str, Any], list[str], list[Any]]:
            options, rest, order = parse(args=args)
            if not ctx.resilient_parsing:  # the shell's completion refuses nothing
                _require_once(order, ctx.command_path)
            return options, rest, order

        parser.parse_args = parse_args
        return parser

    command.make_parser = make_parser
    for inner in getattr(command, "commands", {}).values():
        each_once(inner)
    return command


def _require_once(order: Iterable[Any], path: str) -> None:
    """Raise SettingError for the first option that came twice and takes one value; flags say the same twice."""
    for option, times in Counter(order).items():
        single = option.param_type_name == "option" and not (option.multiple or option.is_flag or option.count)
        if single and times > 1:
            raise SettingError(
                expected=f"{option.opts[0]} once",
                got=f"it {times} times",
                advice=f"give it once, and call `{path}` again for another value",
            )
