"""Whether a config that an agent shows holds the one it was sent (spec section 4). Pure.

An agent that reports no remote config status is judged by its effective config. That is never our
text: a supervisor lays sections of its own beside it (the extension it talks through, the agent's
own telemetry), a collector writes every default into it, resolves `${env:...}`, spells durations
and levels its own way (`60s` is `1m0s`), shows header maps as lists, and hides secrets.

So what we sent must be *contained*: every setting is there and means the same, what may follow it
is what others add. Whatever makes data flow must be the same and no more: a pipeline or component
that we left out and the agent still shows is the config from before. A text that cannot be read, or
is too large, contains nothing: no evidence is never good.

A setting that was only taken away, and one that only changed behind a reference or a hidden secret,
cannot be seen here: where the effective config from before the offer contains what was sent as well,
containment proves nothing. Texts of a megabyte take about a second: call it off the event loop.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from agents.components import present_id
from console.lib.yaml import YamlLimits, load
from console.lib.yaml_scalars import YamlError, plain

LIMITS = YamlLimits(size_bytes=4 * 1024 * 1024, nodes=200_000)

_SECTIONS = ("receivers", "processors", "exporters", "connectors", "extensions")
# Components of these that are not ours are those of another config; extensions may be others'.
_CLOSED = frozenset({("receivers",), ("processors",), ("exporters",), ("connectors",)})
_PIPELINES = ("service", "pipelines")
_GROWING = (("service", "extensions"),)
_REFERENCE = re.compile(r"\$\{[^{}]*\}|(?<!\$)\$[A-Za-z_][A-Za-z0-9_]*")
_HIDDEN = re.compile(r"\[REDACTED\]|<redacted>|redacted:[0-9a-f]{8}|\*{4,}", re.IGNORECASE)
_MARK = re.compile(r"redacted:[0-9a-f]{8}")
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ns|us|µs|ms|s|m|h))+")
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h)")
_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
# Words that collectors read in any case and write in one of their own.
_LEVELS = frozenset(
    [
        "none",
        "basic",
        "normal",
        "detailed",
        "debug",
        "info",
        "warn",
        "error",
        "dpanic",
        "panic",
        "fatal",
    ]
)
_MAX_PIECES = 100
_INSIDE_COMPONENT = 2  # section, component
_ANYTHING = "\x00"

Path = tuple[str, ...]


def contains(sent: str, effective: str) -> bool:
    """Return whether `effective`, as an agent reports it, contains the config `sent`.

    Either may have its secrets redacted: a mark fits any secret, two marks only the same one.
    """
    try:
        ours, theirs = load(sent, limits=LIMITS).data, load(effective, limits=LIMITS).data
    except YamlError:
        return False
    if not isinstance(ours, dict) or not isinstance(theirs, dict) or not ours:
        return False
    return _holds(_normal(ours), _normal(theirs), ())


def _normal(config: dict[str, Any]) -> dict[str, Any]:
    """Name components by their present names everywhere, so that an alias is no difference."""
    normal = dict(config)
    for section in _SECTIONS:
        body = config.get(section)
        if isinstance(body, dict):
            normal[section] = {present_id(section, name): body[name] for name in body}
    service = config.get("service")
    if isinstance(service, dict) and isinstance(service.get("pipelines"), dict):
        pipelines = {name: _pipeline(body) for name, body in service["pipelines"].items()}
        normal["service"] = {**service, "pipelines": pipelines}
    return normal


def _pipeline(body: object) -> object:
    if not isinstance(body, dict):
        return body
    return {
        role: [present_id(role, name) if isinstance(name, str) else name for name in names]
        if isinstance(names, list)
        else names
        for role, names in body.items()
    }


def _holds(sent: Any, shown: Any, path: Path) -> bool:
    if sent is None or (isinstance(sent, str) and _is_unknown(sent)):
        return True  # nothing written is the default, and a reference can be anything
    if _is_empty(sent):
        return _is_empty(shown) or (sent == {} and isinstance(shown, dict))
    if isinstance(shown, str) and _HIDDEN.fullmatch(shown) and not _is_collection(sent):
        return _same_scalar(sent, shown)
    if isinstance(sent, dict):
        named = _named_values(shown)
        return _holds_mapping(sent, named if named is not None else shown, path)
    if isinstance(sent, list):
        return _holds_list(sent, shown, path)
    return not _is_collection(shown) and _same_scalar(sent, shown)


def _holds_mapping(sent: dict[str, Any], shown: object, path: Path) -> bool:
    if not isinstance(shown, dict):
        return shown is None and sent.get("enabled") is False
    if (path in _CLOSED or path == _PIPELINES) and shown.keys() - sent.keys():
        return False
    if len(path) == 3 and path[:2] == _PIPELINES and _more_roles(sent, shown):
        return False
    return all(
        _holds(value, shown[key], (*path, key)) if key in shown else _is_switch(key, value, path)
        for key, value in sent.items()
    )


def _is_switch(key: str, value: object, path: Path) -> bool:
    """`enabled: true` of an optional block is not shown: the block itself is."""
    return key == "enabled" and value is True and len(path) > _INSIDE_COMPONENT


def _more_roles(sent: dict[str, Any], shown: dict[str, Any]) -> bool:
    """A pipeline with processors where ours has none is another pipeline."""
    return any(not _is_empty(shown[role]) and role not in sent for role in shown)


def _holds_list(sent: list[Any], shown: object, path: Path) -> bool:
    if not isinstance(shown, list):
        return False
    if path in _GROWING:
        return {_text(item) for item in sent} <= {_text(item) for item in shown}
    return len(sent) == len(shown) and all(
        _holds(one, other, (*path, "[]")) for one, other in zip(sent, shown, strict=True)
    )


def _named_values(shown: object) -> dict[str, Any] | None:
    """Read `[{name: N, value: V}]`, as collectors show a map of headers, as `{N: V}`."""
    if not isinstance(shown, list) or not shown:
        return None
    if not all(isinstance(item, dict) and item.keys() == {"name", "value"} for item in shown):
        return None
    return {_text(item["name"]): item["value"] for item in shown}


def _is_empty(value: object) -> bool:
    return value is None or value in ("", [], {})


def _is_collection(value: object) -> bool:
    return isinstance(value, dict | list)


def _is_unknown(text: str) -> bool:
    """A value that is one reference can stand for anything, whole sections too."""
    return _REFERENCE.fullmatch(text.strip()) is not None


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _same_scalar(sent: object, shown: object) -> bool:
    ours, theirs = _text(sent), _text(shown)
    if ours == theirs:
        return True
    if _MARK.fullmatch(ours) and _MARK.fullmatch(theirs):
        return False
    if _has_pieces(ours) or _has_pieces(theirs):
        return _fits(_pieces(ours), _pieces(theirs))
    return _meaning(sent) == _meaning(shown) or _durations_agree(ours, theirs)


def _meaning(value: object) -> object:
    """Return what a scalar says, whether it was quoted or not: "1.0" is 1."""
    if isinstance(value, str):
        text = value.strip()
        if text.lower() in _LEVELS:
            return text.lower()
        try:
            value = plain(text)
        except YamlError:
            return text
        if isinstance(value, str) or value is None:
            return text
    return str(value).lower() if isinstance(value, bool) else value


def _durations_agree(ours: str, theirs: str) -> bool:
    """`60s`, `1m0s` and its 60,000,000,000 nanoseconds are the same time."""
    times = [_nanoseconds(ours), _nanoseconds(theirs)]
    if times[0] is None and times[1] is None:
        return False
    one, other = (
        time if time is not None else int(text) if text.isdecimal() and len(text) < 20 else None
        for time, text in zip(times, (ours, theirs), strict=True)
    )
    return one is not None and one == other


def _nanoseconds(text: str) -> int | None:
    if len(text) > 60 or not _DURATION.fullmatch(text):
        return None
    parts = _DURATION_PART.findall(text)
    return round(sum(float(number) * _NANOSECONDS[unit] for number, unit in parts))


def _has_pieces(text: str) -> bool:
    return bool(_REFERENCE.search(text) or _HIDDEN.search(text))


def _pieces(text: str) -> list[str]:
    """Split a text at what may be anything: `a${env:X}b` is a and b. `$$` says `$`."""
    marked = _HIDDEN.sub(_ANYTHING, _REFERENCE.sub(_ANYTHING, text))
    return marked.replace("$$", "$").split(_ANYTHING)


def _fits(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Return whether two texts, each in pieces with anything between them, can be the same."""
    if len(ours) > _MAX_PIECES or len(theirs) > _MAX_PIECES:
        return False
    if len(theirs) == 1:
        return _matches(ours, theirs[0])
    if len(ours) == 1:
        return _matches(theirs, ours[0])
    starts, ends = (ours[0], theirs[0]), (ours[-1], theirs[-1])
    return (starts[0].startswith(starts[1]) or starts[1].startswith(starts[0])) and (
        ends[0].endswith(ends[1]) or ends[1].endswith(ends[0])
    )


def _matches(pieces: Sequence[str], text: str) -> bool:
    """Return whether the pieces stand in the text in their order, first and last at its ends."""
    first, *middle, last = pieces if len(pieces) > 1 else (*pieces, "")
    if len(pieces) == 1:
        return first == text
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True
