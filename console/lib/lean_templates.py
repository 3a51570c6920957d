"""Templates without what only their reader needs, so that pages stay small.

A template is laid out for people: indented, one element a line, tags that print nothing on lines of
their own. Of that, a page needs to know only where white space is, not how much. Text whose white
space is shown (`pre`, `textarea`) or compared (`blocktranslate`) stays as it is.
"""

from __future__ import annotations

import re

from django.template.base import Origin
from django.template.loaders import filesystem

AS_IT_IS = re.compile(
    r"(<(?P<tag>pre|textarea|script|style)\b.*?</(?P=tag)>"
    r"|{% (?P<block>blocktranslate|verbatim)\b.*?{% end(?P=block) %})",
    re.DOTALL,
)
COMMENT = re.compile(r"{% comment %}.*?{% endcomment %}|{#.*?#}", re.DOTALL)
INDENT = re.compile(r"\s*\n\s*")
SILENT = (
    r"{% (?:load|extends|if|elif|else|endif|for|empty|endfor|with|endwith|block|endblock|look)\b"
    r"(?:(?!%})[^\n])*%}"
)
SILENT_LINE = re.compile(rf"(?<=\n)((?:{SILENT})+)\n|\A((?:{SILENT})+)\n")


class LeanLoader(filesystem.Loader):
    """Reads templates from the directories of the settings, made lean."""

    def get_contents(self, origin: Origin) -> str:
        """Return the source to compile."""
        return lean(str(super().get_contents(origin)))


def lean(source: str) -> str:
    """Drop indentation, comments, blank edges, and the ends of lines that print nothing.

    White space between two things that are printed never disappears and never appears.
    """
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\0{len(kept) - 1}\0"

    text = AS_IT_IS.sub(keep, COMMENT.sub("", source).strip())
    text = INDENT.sub("\n", text)
    text = SILENT_LINE.sub(r"\1\2", text)
    return re.sub("\0(\\d+)\0", lambda found: kept[int(found[1])], text)
