"""Versions as sortable text, so that SQL can compare them (spec section 3: semver and PEP 440).

Two keys compare like the versions they came from, byte by byte (collation "C"). Strict semver is
read as semver; anything else as PEP 440; anything else as a release of any length with a semver
tail (`1.2.3.4-foo`). Where both apply they agree, except that `1.0.0-1` and `1.0.0-dev` are
semver pre-releases here, since collectors are versioned by Go's rules. Build metadata and local
versions are ignored. Pure.
"""

from __future__ import annotations

import re

_SEMVER_TAIL = r"(?:-(?P<tail>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?"
_SEMVER = re.compile(rf"v?(?P<release>\d+\.\d+\.\d+){_SEMVER_TAIL}", re.IGNORECASE | re.ASCII)
_LENIENT = re.compile(rf"v?(?P<release>\d+(?:\.\d+)*){_SEMVER_TAIL}", re.IGNORECASE | re.ASCII)
_PEP440 = re.compile(
    r"""v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)
    (?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_n>\d*))?
    (?:-(?P<post_bare>\d+)|[-_.]?(?P<post>post|rev|r)[-_.]?(?P<post_n>\d*))?
    (?:[-_.]?(?P<dev>dev)[-_.]?(?P<dev_n>\d*))?
    (?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?""",
    re.IGNORECASE | re.ASCII | re.VERBOSE,
)
_PRE = re.compile(r"(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d*)", re.IGNORECASE | re.ASCII)
_PRE_WORDS = {"a": "alpha", "b": "beta", "c": "rc", "pre": "rc", "preview": "rc"}

MAX_LENGTH = 128
MAX_DIGITS = 20


def version_key(text: str) -> str | None:
    """Return a key that sorts as the version does, or None when the text is not a version."""
    text = text.strip()
    if not text or len(text) > MAX_LENGTH or _longest_number(text) > MAX_DIGITS:
        return None
    if match := _SEMVER.fullmatch(text):
        return _key("0", match["release"], _pre_of_tail(match["tail"]))
    if match := _PEP440.fullmatch(text):
        return _pep440_key(match)
    if match := _LENIENT.fullmatch(text):
        return _key("0", match["release"], _pre_of_tail(match["tail"]))
    return None


def version_keys(labels: dict[str, str]) -> dict[str, str]:
    """Return the keys of those labels whose value is a version: what Agent.version_keys holds."""
    keys = ((name, version_key(value)) for name, value in labels.items())
    return {name: key for name, key in keys if key is not None}


def _key(epoch: str, release: str, pre: str, post: str = "0", dev: str = "1") -> str:
    numbers = release.split(".")
    while len(numbers) > 1 and int(numbers[-1]) == 0:
        numbers.pop()
    return f"{_number(epoch)}{''.join(map(_number, numbers))}!{pre}{post}{dev}"


def _pep440_key(match: re.Match[str]) -> str:
    post_n = match["post_bare"] or match["post_n"]
    post = "0" if match["post"] is None and not match["post_bare"] else "1" + _number(post_n)
    dev = "1" if match["dev"] is None else "0" + _number(match["dev_n"])
    if match["pre"] is not None:
        pre = _pre(match["pre"], match["pre_n"])
    elif match["dev"] is not None and post == "0":
        pre = "0"  # 1.0.dev1 comes before 1.0a1
    else:
        pre = "2"
    return _key(match["epoch"] or "0", match["release"], pre, post, dev)


def _pre_of_tail(tail: str | None) -> str:
    if tail is None:
        return "2"
    if match := _PRE.fullmatch(tail):
        return _pre(match[1], match[2])
    return f"1{''.join(map(_identifier, tail.split('.')))}0"


def _pre(word: str, number: str) -> str:
    word = word.lower()
    numbered = _identifier(number) if number and int(number) else ""
    return f"1{_identifier(_PRE_WORDS.get(word, word))}{numbered}0"


def _identifier(text: str) -> str:
    """Numbers before words, as semver rule 11.4.3 says; "!" ends a word, below any of its letters."""
    return f"1{_number(text)}" if text.isdigit() else f"2{text}!"


def _number(digits: str) -> str:
    """Prefix the count of digits as a letter, so that 9 sorts before 10."""
    plain = (digits or "0").lstrip("0") or "0"
    return chr(ord("a") + len(plain) - 1) + plain


def _longest_number(text: str) -> int:
    return max(map(len, re.findall(r"[0-9]+", text)), default=0)
