"""Effective configs without their secrets, before anything is stored (security.md R45). Pure.

Works on text, line by line, because an effective config may be YAML, JSON or neither and must be
shown as it was written. A secret becomes `redacted:HMAC8`, so that two different secrets still
look different and drift shows. What cannot be told apart is hidden rather than shown.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator

from console.lib.secret_text import hide_secrets

_SECRET_KEY = re.compile(
    r"pass(?:word|wd|phrase)?|token|secret|credential|authorization|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|key[_-]?pem|signing[_-]?key|account[_-]?key|cookie|dsn|connection[_-]?string",
    re.IGNORECASE,
)
# These hold file names or durations, not secrets: key_file, token_expiry, password_file ...
_HARMLESS_KEY = re.compile(r"(?:_|-)(?:file|path|expiry|ttl|url|source|name|type|scheme)$", re.I)
_HEADERS_KEY = re.compile(r"headers?$|connect_headers$", re.IGNORECASE)
# Agents choose the text: each of these takes time in proportion to its length, whatever it holds. A
# name is tried from its first letter only, a key is taken whole and shortened by its last blanks.
_LINE = re.compile(
    r"""^(?P<lead>\s*(?:-\s+)*)"""
    r"""(?P<key>"[^"]*"|'[^']*'|[^\s:#"'\-](?:[^:#]*[^\s:#])?)\s*:(?P<rest>\s.*|)$"""
)
_FLOW = re.compile(
    r"""(?P<key>"[^"]*"|'[^']*'|(?<![\w.\-])[\w.\-]+)\s*:\s*"""
    r"""(?P<value>"(?:[^"\\]|\\.)*"|'[^']*'|[^,{}\[\]\n]+)"""
)
_FLOW_HEADERS = re.compile(
    r"""(["']?(?:connect_)?headers?["']?\s*:\s*)\{([^{}]*)\}""", re.IGNORECASE
)
_USERINFO = re.compile(
    r"(?P<scheme>[A-Za-z][\w+.\-]{0,40}://)(?!redacted:[0-9a-f]{8}@)(?P<info>[^\s/@:'\"]*:[^\s/@'\"]+|[^\s/@'\"]{8,})@"
)
_PEM = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S
)
_REFERENCE = re.compile(r"^\$\{[^}]*\}$")
# What a line in lower-case ASCII must have in it to need a closer look: the words of _SECRET_KEY and
# _HEADERS_KEY, and what begins a PEM block or stands behind credentials in an address, and those of `secret_text`. No group
# around alternatives: with a letter first in each, `re` skips three times as fast.
_SUSPECT = re.compile(
    r"pass|token|secret|credential|authorization|cookie|dsn|header|@|key[_-]?pem|api[_-]?key"
    r"|access[_-]?key|private[ _-]?key|signing[_-]?key|account[_-]?key|connection[_-]?string"
    r"|pwd|sig[\"' ]{0,5}=|signature|bearer|basic |splunk|apikey |akia|asia[0-9a-z]{16}"
    r"|gh[pousr]_|glpat-|xox[abeprs]-|eyj|tg_[a-z]_"
)
_MAX_HARMLESS, _MAX_HARMLESS_CHARS = 10_000, 1_000
_BLOCK = re.compile(r"^[|>][+-]?\d*[+-]?\s*(?:#.*)?$")


class Redactor:
    """Takes secrets out of texts. `key` makes the marks: the same key, the same marks.

    It remembers lines that need no closer look. A fleet reports the same ones over and over, and to
    know one is some twenty times quicker than to search it: searching was a third of what a changed
    status cost. Lines with secrets are never kept. For one thread at a time.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._harmless: set[str] = set()

    def redact(self, text: str) -> str:
        """Return `text` with every secret replaced."""
        if not self.may_hold_secret(text):
            return text
        if "-----BEGIN" in text:
            text = _PEM.sub(lambda m: self._mark(m[0]), text)
        if "@" in text:
            text = _USERINFO.sub(lambda m: f"{m['scheme']}{self._mark(m['info'])}@", text)
        lines = self._lines(text.split("\n"))
        return "\n".join(line if self._is_harmless(line) else self._inside(line) for line in lines)

    def fingerprint(self, pieces: Iterable[bytes]) -> str:
        """Return a hash of these bytes that tells nothing without the key, as a mark does."""
        digest = hmac.new(self._key, digestmod=hashlib.sha256)
        for piece in pieces:
            digest.update(b"%d:" % len(piece))
            digest.update(piece)
        return digest.hexdigest()

    def _inside(self, line: str) -> str:
        """Hide what stands inside a value whose name says nothing: connection strings, headers."""
        return hide_secrets(line, self._mark)

    def may_hold_secret(self, text: str) -> bool:
        """Say whether `text` must be read line by line. Never False for a text with a secret."""
        harmless = self._harmless
        unknown = [line for line in text.split("\n") if line not in harmless]
        return not all(map(self._is_harmless, unknown))

    def _is_harmless(self, line: str) -> bool:
        """Say whether nothing in this line looks like a secret or its name, and remember it if so."""
        harmless = self._harmless
        if line in harmless:
            return True
        # Ignoring case beyond ASCII (as the patterns do) is not what lower() does.
        if not line.isascii() or _SUSPECT.search(line.lower()):
            return False
        if len(line) <= _MAX_HARMLESS_CHARS:
            if len(harmless) >= _MAX_HARMLESS:
                harmless.clear()
            harmless.add(line)
        return True

    def _mark(self, secret: str) -> str:
        digest = hmac.new(self._key, secret.strip().strip("\"'").encode(), hashlib.sha256)
        return f"redacted:{digest.hexdigest()[:8]}"

    def _lines(self, lines: list[str]) -> Iterator[str]:
        """Walk the lines, remembering below which indentation everything is secret."""
        hidden_below = headers_below = -1
        for line in lines:
            if hidden_below < 0 and headers_below < 0 and self._is_harmless(line):
                yield line
                continue
            indent = len(line) - len(line.lstrip(" \t"))
            if line.strip():
                if hidden_below >= 0 and indent > hidden_below:
                    yield line[:indent] + self._hide_item(line[indent:])
                    continue
                hidden_below = -1
                if headers_below >= 0 and (
                    indent < headers_below or (indent == headers_below and line[indent] != "-")
                ):
                    headers_below = -1
            match = _LINE.match(line)
            if match is None:
                yield self._in_flow(line) if headers_below < 0 else self._in_headers(line, indent)
                continue
            name, rest = match["key"].strip("\"' "), match["rest"].strip()
            # The opampextension writes headers as a list of `- name: N` and `value: V`.
            is_header_name = name == "name" and "-" in match["lead"]
            secret = _is_secret(name) or (headers_below >= 0 and not is_header_name)
            if _HEADERS_KEY.search(name) and not rest:
                headers_below = len(match["lead"]) if headers_below < 0 else headers_below
                yield line
            elif secret and (not rest or _BLOCK.match(rest)):
                hidden_below = len(match["lead"])
                yield line
            elif secret:
                yield f"{match['lead']}{match['key']}: {self._value(rest)}"
            else:
                yield self._in_flow(line)

    def _in_headers(self, line: str, indent: int) -> str:
        return line[:indent] + self._hide_item(line[indent:]) if line.strip() else line

    def _hide_item(self, item: str) -> str:
        """Hide a list item or a line of a block; keep a key of a map, hide its value."""
        match = _LINE.match(item)
        if match is not None and match["rest"].strip():
            return f"{match['lead']}{match['key']}: {self._value(match['rest'].strip())}"
        if match is not None:
            return item
        dash = "- " if item.startswith("- ") else ""
        return dash + self._value(item[len(dash) :])

    def _value(self, value: str) -> str:
        """Return the mark, keeping what is no secret: references, marks, empty and boolean values."""
        bare = value.strip().rstrip(",").strip("\"'")
        if not bare or bare in {"null", "~", "true", "false", "{}", "[]", "[REDACTED]"}:
            return value
        if _REFERENCE.match(bare) or bare.startswith("redacted:"):
            return value
        comma = "," if value.rstrip().endswith(",") else ""
        quote = '"' if value.lstrip()[:1] in {'"', "'"} or comma else ""
        return f"{quote}{self._mark(bare)}{quote}{comma}"

    def _in_flow(self, line: str) -> str:
        """Hide secrets inside `{a: b}` and JSON lines."""
        if "{" not in line and '"' not in line:
            return line

        def headers(match: re.Match[str]) -> str:
            inside = _FLOW.sub(lambda m: f"{m['key']}: {self._value(m['value'])}", match[2])
            return f"{match[1]}{{{inside}}}"

        def pair(match: re.Match[str]) -> str:
            if not _is_secret(match["key"].strip("\"'")):
                return match[0]
            return f"{match['key']}: {self._value(match['value'])}"

        return _FLOW.sub(pair, _FLOW_HEADERS.sub(headers, line))


def _is_secret(name: str) -> bool:
    return bool(_SECRET_KEY.search(name)) and not _HARMLESS_KEY.search(name)
