"""The options of a parser as Markdown tables, so that the documentation holds no copy of them."""

from __future__ import annotations

import argparse
import re

_ESCAPED = {"|": "&#124;", "<": "&lt;", "*": "&#42;"}


def option_tables(parser: argparse.ArgumentParser) -> dict[str, str]:
    """A table for each group of options that has any, by the group's title."""
    groups = {group.title or "": group._group_actions for group in parser._action_groups}
    return {title: _table(parser, actions) for title, actions in groups.items() if actions}


def _table(parser: argparse.ArgumentParser, actions: list[argparse.Action]) -> str:
    rows = [f"| {_names(action)} | {_meaning(parser, action)} |" for action in actions]
    return "\n".join([f"| {'Option' if actions[0].option_strings else 'Argument'} | Meaning |", "|---|---|", *rows])


def _names(action: argparse.Action) -> str:
    """Its spellings, the first with its values; twins with underscores and ``--no-`` forms are understood as well."""
    names = [name for name in action.option_strings if "_" not in name and not name.startswith("--no-")]
    names = names or [str(action.metavar or action.dest)]
    values = f" {_values(action)}" if action.option_strings and action.nargs != 0 else ""
    return ", ".join(f"<code>{_escaped(name)}</code>" for name in (*names[:-1], names[-1] + values))


def _values(action: argparse.Action) -> str:
    name = str(action.metavar or ("{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest))
    name = name if action.metavar or action.choices else name.upper()
    return {"+": f"{name} ...", "*": f"[{name} ...]", "?": f"[{name}]"}.get(str(action.nargs), name)


def _meaning(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    # Formatted by argparse, which fills in defaults where the parser's formatter shows them.
    text = parser._get_formatter()._expand_help(action)
    text = text.replace(" (default: False)", "")
    # A text such as "group: ..." begins with a value to be typed.
    text = _escaped(text if re.match(r"\w+:", text) else text[:1].upper() + text[1:])
    return re.sub(r"(?<![\w-])(--?[a-z][\w-]*|[A-Z]+_[A-Z_]+|\./\w+)", r"<code>\1</code>", text)


def _escaped(text: str) -> str:
    return "".join(_ESCAPED.get(letter, letter) for letter in text)
