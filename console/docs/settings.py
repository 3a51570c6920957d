"""The page of environment variables, made from the text of `console/settings.py`.

A variable is a call of `env.<type>`, its meaning the comment right above that line. A comment that
ends with "Default: ..." says the default in words.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

KINDS = {
    "str": "text",
    "bool": "`true` or `false`",
    "int": "whole number",
    "float": "number",
    "list": "texts with commas between",
}
_HEAD = """# Settings

Written by `manage.py settings_page`. All processes read the same environment variables when they start; a bad value ends the start and says
which it is. Any of them can be read from a file instead: `SECRET_KEY_FILE=/run/secrets/key`. What the gateway listens on is said on its
command line (`manage.py gateway --help`), like the options of `manage.py up`."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable. `kind` and `default` are Markdown."""

    section: str
    name: str
    kind: str
    default: str
    meaning: str


def variables(text: str) -> Iterator[Variable]:
    """Read the variables of a settings module. Raises ValueError for one without a meaning."""
    lines = text.splitlines()
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda call: call.lineno):
        func = call.func
        if not (isinstance(func, ast.Attribute) and ast.unparse(func.value) == "env"):
            continue
        name = ast.literal_eval(call.args[0])
        meaning, _, default = _comment(lines, call.lineno).partition(" Default: ")
        if not meaning:
            raise ValueError(f"write a comment that explains {name} above line {call.lineno}")
        yield Variable(
            section=_section(lines, call.lineno),
            name=name,
            kind=KINDS[func.attr],
            default=default.rstrip(".") or _default(call, name),
            meaning=meaning,
        )


def as_markdown(text: str) -> str:
    """Return docs/settings.md for the text of the settings module."""
    parts = [_HEAD]
    for section, found in groupby(variables(text), key=lambda variable: variable.section):
        rows = [f"| `{v.name}` | {v.kind} | {v.default} | {v.meaning} |" for v in found]
        head = "| variable | reads as | default | |\n|---|---|---|---|\n"
        parts.append(f"## {section}\n\n{head}" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


def _comment(lines: list[str], number: int) -> str:
    """Return the comment that ends right above line `number` (from 1), as one line."""
    found: list[str] = []
    for line in reversed(lines[: number - 1]):
        said = line.strip()
        if not said.startswith("# ") or said.startswith("# ---"):
            break
        found.insert(0, said.removeprefix("# "))
    return " ".join(found)


def _section(lines: list[str], number: int) -> str:
    heads = [line for line in lines[:number] if line.startswith("# ---")]
    return heads[-1].strip("# -") if heads else "General"


def _default(call: ast.Call, name: str) -> str:
    """Return a plain default. Raises ValueError for one that only the code understands."""
    given = [word.value for word in call.keywords if word.arg == "default"]
    if not given:
        return "none: it must be set"
    try:
        value = ast.literal_eval(given[0])
    except ValueError:
        raise ValueError(f'end the comment of {name} with "Default: ..."') from None
    if isinstance(value, list):
        value = ",".join(value)
    if isinstance(value, bool):
        value = str(value).lower()
    return f"`{value}`" if value != "" else "empty"
