"""Keys of a selector that are facts of every agent rather than labels: `name`, `id`, `status`,
`config`, and `sick_component`: the component that an agent calls unhealthy, by its last word.

Such a key always means the fact, in both forms: no agent can claim a status by reporting a label. A
reported attribute of the same name is asked as `has(name=x)`. `version` is a label that every agent
with a version has. Pure.
"""

from __future__ import annotations

import difflib
import re
import uuid
from collections.abc import Iterable

from agents.selectors.tree import Exact, Glob, Order, Value, VersionTerm
from agents.selectors.values import BadOperand
from agents.status_words import STATUSES

NAME, ID, STATUS, CONFIG, SICK = "name", "id", "status", "config", "sick_component"
FIELDS = (NAME, ID, STATUS, CONFIG, SICK)

_CONFIG = re.compile(r"(?P<config>[^@]+)(?:@v?(?P<number>[1-9][0-9]{0,8}))?")


def check_field(key: str, values: Iterable[Value]) -> None:
    """Raise BadOperand when a field is compared with what it can never be."""
    if key not in FIELDS:
        return
    for value in values:
        if isinstance(value, VersionTerm) and value.order is not Order.EQ:
            raise BadOperand("selector.no_order", key=key)
        if isinstance(value, Glob):
            continue
        text = wanted(value)
        if key == STATUS and text not in STATUSES:
            near = difflib.get_close_matches(text[:40], STATUSES, n=1, cutoff=0.5)
            raise BadOperand("selector.no_status", read=text[:40], near=near, known=STATUSES)
        if key == ID and as_uid(text) is None:
            raise BadOperand("selector.no_id", read=text[:60])
        if key == CONFIG and config_and_number(text) is None:
            raise BadOperand("selector.no_config", read=text[:60])


def wanted(value: Value) -> str:
    """Return the text or the pattern that a field is compared with."""
    if isinstance(value, Exact):
        return value.text
    return value.pattern if isinstance(value, Glob) else value.version


def as_uid(text: str) -> uuid.UUID | None:
    """Read the id of an agent, with or without dashes."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def config_and_number(text: str) -> tuple[str, int | None] | None:
    """Read `gateway` or `gateway@v3` (`gateway@3`); None when it is neither."""
    found = _CONFIG.fullmatch(text)
    if found is None:
        return None
    return found["config"], int(found["number"]) if found["number"] else None


def component_said(written: str) -> str:
    """Return `exporter:otlp/eu` as agents' rows keep it, `exporter otlp/eu`; that is read as well."""
    kind, colon, name = written.partition(":")
    return f"{kind} {name}" if colon and " " not in kind else written


def component_written(said: str) -> str:
    """Return `exporter otlp/eu` as it stands in a selector: `exporter:otlp/eu`."""
    return said.replace(" ", ":", 1)
