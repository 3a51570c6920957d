"""Secrets inside a text, whatever the key that it stands under. Pure.

Connection strings (`user:password@host`, `Password=...;`), headers written into a value
(`Bearer ...`), and tokens whose form gives them away. Anybody may have written the text, so all of it
takes time in proportion to its length: each pattern begins with letters of its own, has no repetition
inside a repetition, and looks ahead only within one short word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

HIDDEN = "[REDACTED]"
_MARK = re.compile(r"redacted:[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Secret:
    """What stands from `start` to `end` of a text; `kind` is the code of the text that names it."""

    kind: str
    start: int
    end: int


_PRIVATE_KEY = "secret.private_key"
_PATTERNS = (
    (
        _PRIVATE_KEY,
        re.compile(
            r"(?P<secret>-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?"
            r"(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z))",
            re.DOTALL,
        ),
    ),
    ("secret.own", re.compile(r"\b(?P<secret>tg_[a-z]_[A-Za-z0-9_-]{40,})")),
    ("secret.aws", re.compile(r"\b(?P<secret>(?:AKIA|ASIA)[0-9A-Z]{16})\b")),
    (
        "secret.github",
        re.compile(r"\b(?P<secret>gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22,})"),
    ),
    ("secret.gitlab", re.compile(r"\b(?P<secret>glpat-[A-Za-z0-9_-]{20,})")),
    ("secret.slack", re.compile(r"\b(?P<secret>xox[abeprs]-[A-Za-z0-9-]{10,})")),
    (
        "secret.jwt",
        re.compile(r"\b(?P<secret>eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)"),
    ),
    (
        "secret.header",
        re.compile(r"\A\s{0,9}(?:Bearer|Basic)\s{1,9}(?P<secret>\S{8,})\s{0,9}\Z", re.IGNORECASE),
    ),
    (  # in the middle of a text a word must look like a token: "basic authentication" does not
        "secret.header",
        re.compile(
            r"\b(?:bearer|basic|splunk|apikey)[ ]{1,3}"
            r"(?P<secret>(?=[A-Za-z._~+/-]{0,200}[0-9=])[A-Za-z0-9._~+/=-]{8,})",
            re.IGNORECASE,
        ),
    ),
    (
        "secret.in_url",
        re.compile(r"://(?!redacted:)[^\s/@:'\"]{0,256}:(?P<secret>[^\s/@'\"]{1,1024})@"),
    ),
    (  # what may stand before the name (`client_`, `db.`) is not read
        "secret.in_connection",
        re.compile(
            r"(?:pass(?:word|wd|phrase)|(?<![a-z])pwd|secret|token|api[_-]?key|access[_-]?key"
            r"|account[_-]?key|private[_-]?key|signing[_-]?key|shared[_-]?access[_-]?signature"
            r"|(?<![a-z])sig|credentials?)[\"']?[ ]{0,3}=(?!=)[ ]{0,3}"
            r"(?P<secret>'[^'\n]*'|\"[^\"\n]*\"|[^\s;&,'\"}\])]+)",
            re.IGNORECASE,
        ),
    ),
)
_NEEDLES = {
    _PRIVATE_KEY: ("-----BEGIN",),
    "secret.own": ("tg_",),
    "secret.aws": ("AKIA", "ASIA"),
    "secret.github": ("gh",),
    "secret.gitlab": ("glpat-",),
    "secret.slack": ("xox",),
    "secret.jwt": ("eyJ",),
    "secret.in_url": ("@",),
    "secret.in_connection": ("=",),
}
_USERINFO_END = re.compile(r"@(?=[\w\[(])(?!sha256:)")
_MAX_USERINFO = 400
_BEFORE_USER = re.compile(r"[\s/'\"{}\[\],;=]")
_NO_SECRET = ("${", "$(", "{{", "%(", HIDDEN.removesuffix("]"))
_NOT_A_USER = frozenset({"mailto", "sip", "sips", "xmpp", "acct"})


def secrets_in(text: str) -> Iterator[Secret]:
    """Yield each secret, kind by kind; a reference to one (`${env:X}`), or a mark of one that is
    hidden already, is none."""
    for kind, pattern in _PATTERNS:
        if not any(needle in text for needle in _NEEDLES.get(kind, ("",))):
            continue  # most texts hold no secret, and to look for a few letters is far quicker
        for match in pattern.finditer(text):
            if kind == _PRIVATE_KEY or _is_literal(match["secret"].strip("'\"")):
                yield Secret(kind, *match.span("secret"))
    yield from _passwords_before_hosts(text)


def _passwords_before_hosts(text: str) -> Iterator[Secret]:
    """Find `user:password@host` without a scheme, as drivers of databases take it. Each `@` is
    looked back from no further than to the one before, so a text full of them is read once."""
    before = 0
    for match in _USERINFO_END.finditer(text):
        at = match.start()
        start = max(before, at - _MAX_USERINFO)
        before = match.end()
        breaks = [found.end() for found in _BEFORE_USER.finditer(text, start, at)]
        start = breaks[-1] if breaks else start
        user, colon, secret = text[start:at].partition(":")
        if _MARK.fullmatch(text, start, at):
            continue
        if colon and user.lower() not in _NOT_A_USER and _is_literal(secret):
            yield Secret("secret.password_in_connection", at - len(secret), at)


def hide_secrets(text: str, mark: Callable[[str], str] | None = None) -> str:
    """Return the text with `mark(secret)`, or `[REDACTED]`, in place of each secret."""
    pieces, at = [], 0
    for secret in sorted(secrets_in(text), key=lambda one: (one.start, -one.end)):
        if secret.start < at:
            continue
        hidden = mark(text[secret.start : secret.end]) if mark else HIDDEN
        pieces += [text[at : secret.start], hidden]
        at = secret.end
    return "".join([*pieces, text[at:]]) if pieces else text


def _is_literal(secret: str) -> bool:
    """Tell a secret from a reference, a template, a mark, and stars that hide one."""
    if not secret or secret.startswith(_NO_SECRET) or _MARK.match(secret):
        return False
    return bool(secret.strip("*")) and secret not in ("true", "false")
