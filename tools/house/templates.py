"""Text of templates that no translator will find: it stands outside `translate` and `blocktranslate`.

What is a name everywhere (a product, a protocol, a key of a file, a unit) is the same in every
language and needs no translation; so is what stands in `code`, `kbd`, `pre`, `samp`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

NAMES = {
    *("CPU", "CSV", "ID", "JSON", "OpAMP", "OpenTelemetry", "OTLP", "Prometheus", "PromQL"),
    *("Tidegate", "UTC", "WebSocket", "YAML"),
}
READ_ALOUD = ("alt", "aria-description", "aria-label", "data-label", "placeholder", "title")
# Samples of what pages show, seen where DEBUG is on; a command for a shell.
NOT_ASKED = ("templates/styleguide", "templates/configs/_upload_command.html")
_EXAMPLE = re.compile(
    r"[\"'](?:[\w.,=:/-]*|-----BEGIN [A-Z ]+-----)[\"']"
)  # of a key, a name or a selector
_COMMENT = re.compile(r"{% comment %}.*?{% endcomment %}|{#.*?#}|<!--.*?-->", re.DOTALL)
_TRANSLATED = re.compile(r"{% blocktranslate\b.*?{% endblocktranslate %}", re.DOTALL)
_TAG = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
_AS_IT_IS = re.compile(r"<(script|style|code|kbd|pre|samp)\b.*?</\1>", re.DOTALL)
_ATTRIBUTE = re.compile(rf"\b({'|'.join(READ_ALOUD)})=(\"[^\"]*\"|'[^']*')")
_ELEMENT = re.compile(r"<[^>]*>", re.DOTALL)
_ENTITY = re.compile(r"&[#\w]+;")
_WORD = re.compile(r"[^\W\d_][^\W\d_]+")


def untranslated(root: Path, paths: Iterable[Path]) -> list[str]:
    """Return `path:line text` for each text, in the order of the files."""
    return [
        f"{path}:{line} {text}"
        for path in paths
        if not str(path).startswith(NOT_ASKED)
        for line, text in texts((root / path).read_text())
    ]


def texts(template: str) -> Iterator[tuple[int, str]]:
    """Yield what a template says in words of its own, with the line."""
    left = template
    for pattern in (_COMMENT, _TRANSLATED, _TAG):
        left = pattern.sub(_blank, left)
    left = _AS_IT_IS.sub(_blank, left)
    for attribute in _ATTRIBUTE.finditer(left):
        if _says(attribute[2]) and not (
            attribute[1] == "placeholder" and _EXAMPLE.fullmatch(attribute[2])
        ):
            yield _line(left, attribute.start()), attribute[0]
    left = _ENTITY.sub(_blank, _ELEMENT.sub(_blank, left))
    for number, line in enumerate(left.splitlines(), 1):
        if _says(line):
            yield number, " ".join(line.split())


def _says(text: str) -> bool:
    return any(word not in NAMES for word in _WORD.findall(text))


def _blank(found: re.Match[str]) -> str:
    """Keep the lines, so that what is left is found again."""
    return re.sub(r"[^\n]", " ", found[0])


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1
