"""What an error text of a collector points at, before anybody looks into a config. Pure.

Collectors tell a decoding error as a chain of lines, each deeper than the one before, the last ones
naming what is wrong; a validation error as one line per fault that begins with a path joined by `::`;
a start error by the kind and id of a component; the YAML parser by a line. All are read as a list of
*clauses*, each an ordered list of hints, which `places` follows down the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

MAX_CHARS = 8_000
MAX_CLAUSES = 40
MAX_HINTS = 24
# What ends a line whose error is told in the lines after it; some pass all of it on as one line.
_OPENING = ("error(s):", "error(s) decoding:", "errors:")
_CHAIN = re.compile(rf"(?:{'|'.join(map(re.escape, _OPENING))})[^\S\n]*(?=['*\w])")


KIND_SECTIONS = {
    "receiver": "receivers",
    "processor": "processors",
    "exporter": "exporters",
    "extension": "extensions",
    "connector": "connectors",
}
SECTION_KINDS = {section: kind for kind, section in KIND_SECTIONS.items()}


class HintKind(StrEnum):
    """What a piece of the text is taken for."""

    PATH = "path"  # a path from the top, or from where the chain is
    QUOTED = "quoted"  # a path if it leads somewhere, else a word
    COMPONENT = "component"  # (section, id)
    ID = "id"  # an id below the section where the chain is
    KEY = "key"  # one of several keys that are wrong, each a place of its own
    MEMBER = "member"  # (role, id): a name in a list of a pipeline, or of the service
    VALUE = "value"  # a quoted word, an address, a file: a key or a value of the config
    LINE = "line"  # a number


@dataclass(frozen=True, slots=True)
class Hint:
    """One piece; `parts` as its kind says."""

    kind: HintKind
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """One line of the text. `opens` says that the lines after it are inside what it names."""

    hints: tuple[Hint, ...]
    opens: bool


_SECTION = r"(?:receivers|processors|exporters|extensions|connectors|service)"
_ID = r"[A-Za-z][\w.-]{0,62}(?:/[^\s\"':,;()\[\]]{1,200})?"
_KIND = r"(?:receiver|processor|exporter|extension|connector)"
_TOKEN = re.compile(
    rf"""
      references\ (?P<m_kind>{_KIND})\ ["'](?P<m_id>[^"'\n]{{1,200}})["']
    | unknown\ (?:{_KIND}s?\ )?type:?\ ["'](?P<u_type>[^"'\n]{{1,100}})["']
      (?:\ for(?:\ id)?:?\ ["'](?P<u_id>[^"'\n]{{1,200}})["'])?
    | (?:(?P<r_section>{_SECTION})\ )?configuration\ for\ ["']?(?P<r_id>{_ID})["']?
    | (?P<colons>[A-Za-z_][\w./-]{{0,200}}(?:::[^\s:'"(),]{{1,200}})+)
    | ["'](?P<b_id>{_ID})["']\ (?P<b_kind>{_KIND})\b
    | \bpipeline\ ["']?(?P<pipe>(?:traces|metrics|logs|profiles)(?:/[\w.-]{{1,100}})?)\b["']?
    | has\ invalid\ keys:\ (?P<keys>[^\n;:]{{1,500}})
    | (?<![\w/.:])[$]?[./]?(?P<dotted>{_SECTION}(?:[./\[][^\s"':,;()=]{{1,200}})+)
    | \b(?P<a_kind>{_KIND})s?(?:\ id:?)?
      (?:\ ["'](?P<a_quoted>{_ID})["']|[:/=]["']?(?P<a_joined>{_ID})|\ (?P<a_plain>{_ID})(?=:|\ \())
    | \b(?:line|row)\ (?P<line>\d{{1,7}})\b
    | \b[\w./-]{{1,200}}\.ya?ml:(?P<f_line>\d{{1,7}})\b
    | \[(?P<g_line>\d{{1,7}}):\d{{1,5}}\]
    | environment\ variable\ ["']?(?P<env>[A-Za-z_]\w{{0,100}})
    | '(?P<single>[^'\n]{{0,300}})'
    | "(?P<double>[^"\n]{{1,300}})"
    | `(?P<tick>[^`\n]{{1,300}})`
    | (?P<ref>[$]\{{[^{{}}\n]{{1,200}}\}})
    | (?P<url>\bhttps?://[^\s"'<>]{{1,300}})
    | (?P<address>(?:\b[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{0,9}}|\[[0-9a-fA-F:]{{0,60}}\]|(?<![\w:])):\d{{2,5}}\b)
    | (?P<file>(?<![\w/])/[\w.-]{{1,100}}(?:/[\w.-]{{1,100}}){{1,20}})
    """,
    re.VERBOSE,
)
_LEADING = re.compile(r"^[\s*\u2022-]+")


def clauses(text: str) -> tuple[Clause, ...]:
    """Read the text, at most its first MAX_CHARS characters, MAX_CLAUSES lines."""
    found = []
    for line in _CHAIN.sub(lambda opening: f"{opening[0]}\n", text[:MAX_CHARS]).splitlines():
        said = _LEADING.sub("", line).rstrip()
        if not said:
            continue
        found.append(Clause(tuple(_hints(said))[:MAX_HINTS], said.endswith(_OPENING)))
        if len(found) == MAX_CLAUSES:
            break
    return tuple(found)


def component_of(text: str) -> str:
    """Return the component that a text is about, as `exporter otlp/eu`; "" when it names none."""
    section = ""
    for hint in (hint for clause in clauses(text) for hint in clause.hints):
        if hint.kind in (HintKind.COMPONENT, HintKind.MEMBER):
            return _named(*hint.parts)
        if hint.kind is HintKind.PATH and len(parts := parts_of(hint)) > 1:
            if parts[0] in SECTION_KINDS:
                return _named(*parts[:2])
        elif hint.kind is HintKind.QUOTED and hint.parts[0] in SECTION_KINDS:
            section = hint.parts[0]
        elif hint.kind is HintKind.ID and section:
            return _named(section, hint.parts[0])
    return ""


def parts_of(hint: Hint) -> tuple[str, ...]:
    """Return a path's parts: as they are between `::`, else cut at dots (and slashes, see `places`)."""
    if len(hint.parts) > 1:
        return hint.parts
    return tuple(part for part in re.split(r"[./]", hint.parts[0]) if part)


def _named(section: str, component: str) -> str:
    return f"{SECTION_KINDS[section]} {component}" if section in SECTION_KINDS else ""


def _hints(line: str) -> Iterator[Hint]:
    for match in _TOKEN.finditer(line):
        yield from _hint(match)


def _hint(match: re.Match[str]) -> Iterator[Hint]:  # noqa: C901  one branch for each kind
    name = match.lastgroup
    found = match.groupdict()
    if found["m_id"]:
        yield Hint(HintKind.MEMBER, (KIND_SECTIONS[found["m_kind"]], found["m_id"]))
    elif found["u_type"]:
        yield Hint(HintKind.ID, (found["u_id"] or found["u_type"],))
    elif found["r_id"]:
        if found["r_section"]:
            yield Hint(HintKind.COMPONENT, (found["r_section"], found["r_id"]))
        else:
            yield Hint(HintKind.ID, (found["r_id"],))
    elif found["colons"]:
        yield Hint(HintKind.PATH, tuple(part for part in found["colons"].split("::") if part))
    elif found["b_id"]:
        yield Hint(HintKind.COMPONENT, (KIND_SECTIONS[found["b_kind"]], found["b_id"]))
    elif found["a_kind"]:
        named = found["a_quoted"] or found["a_joined"] or found["a_plain"]
        yield Hint(HintKind.COMPONENT, (KIND_SECTIONS[found["a_kind"]], named.rstrip(".")))
    elif found["pipe"]:
        yield Hint(HintKind.PATH, ("service", "pipelines", found["pipe"]))
    elif found["keys"]:
        for key in found["keys"].split(",")[:MAX_HINTS]:
            yield Hint(HintKind.KEY, (key.strip(" '\"."),))
    elif found["dotted"]:
        yield Hint(HintKind.PATH, (found["dotted"],))
    elif name in ("line", "f_line", "g_line"):
        yield Hint(HintKind.LINE, (str(found[name]),))
    elif name == "env":
        yield Hint(HintKind.VALUE, (f"${{env:{found['env']}}}",))
    elif name == "single":
        if found["single"].strip():
            yield Hint(HintKind.QUOTED, (found["single"].strip(),))
    elif name:
        yield Hint(HintKind.VALUE, (str(found[name]),))
