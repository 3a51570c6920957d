"""Sentences for people that are made where no translator will find them.

They belong to `console/words`, to templates, or inside a gettext call; everywhere else code and
parameters travel. A sentence is a text of three words or more that is not a docstring, SQL, a log
line, the help of a command or the description of an API, an error of the programmer's, or how a row
calls itself in a shell (`__str__` of a model).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from tools.house.sources import Source

# Words are made here, or only agents, programmers and people at a shell read them (in English).
NOT_ASKED = (
    "agents/gateway/own_metrics",
    "agents/gateway/registry",
    "agents/gateway/sockets",
    "agents/gateway/tls",
    "agents/gateway/metrics.py",
    "agents/gateway/options.py",
    "agents/gateway/process.py",
    "agents/gateway/server.py",
    "agents/opamp",
    "console/words",
    "console/management",
    "console/processes",
    "console/embedded",
    "console/demo",
    "console/no_database",
    "console/settings.py",
    "console/api/rest_settings.py",
    "console/pages/certificates/metrics.py",  # what Prometheus shows of a metric
    "console/docs",  # writes pages of docs/, in English
    "console/pages/styleguide.py",  # samples of what pages show, seen where DEBUG is on
    "console/lib/texts.py",  # its one error is of the programmer who names a text twice
    "console/api/shapes",
    "console/api/params.py",
    "agents/simulator",
)
_GETTEXT = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "N_"}
_GETTEXT |= {"gettext_noop", "pgettext_lazy", "_l"}
_LOGS = {"debug", "info", "warning", "error", "exception", "log"}
_OF_PROGRAMMERS = {
    "RuntimeError",
    "AssertionError",
    "TypeError",
    "ImproperlyConfigured",
    "NotAllowed",
}
_ABOUT_THE_API = {"extend_schema", "OpenApiParameter", "OpenApiResponse", "OpenApiExample"}
_FOR_PROGRAMMERS = {"__str__", "__repr__", "get_security_definition"}
_FOR_DOCS = {"Transition"}  # what a step means, printed into docs/architecture.md
# A statement or a part of one: it begins with a word of SQL, or is an expression over columns.
_SQL = re.compile(
    r"^[\s,(]*(?:SELECT|INSERT|UPDATE|DELETE|WITH|LOCK|NOTIFY|LISTEN|SET|TRUNCATE|CREATE|JOIN|WHERE"
    r"|AND|FROM|ORDER|LEFT|EXISTS|COPY|ON)\b"
    r"|^\s*(?:CASE\s+)?WHEN\b.*\bTHEN\b|\bIS (?:NOT )?(?:NULL|TRUE|FALSE)\b|\bCASE\s+WHEN\b"
    r"|\b(?:coalesce|greatest|least)\(|\b[a-z]\.\w+ (?:AND|=) "
)
_SQL_TEXT = re.compile(r"'([^']*)'")  # a text within SQL may be a sentence
_NOTATION = re.compile(
    r"'self'|noindex, nofollow|\\ No newline at end of file"
)  # of policies, of patches
_SENTENCE = re.compile(r"[A-Za-z][\w'-]*,? [\w\0'-]+,? [\w\0'-]+")


def sentences(sources: Sequence[Source]) -> list[str]:
    """Return `path:line text` for each sentence in the wrong place."""
    return [
        f"{source.path}:{line} {text}"
        for source in sources
        if not str(source.path).startswith(NOT_ASKED)
        for line, text in _of(source.tree)
    ]


def _of(node: ast.AST, is_docstring: bool = False) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.FunctionDef) and node.name in _FOR_PROGRAMMERS:
        return
    if isinstance(node, ast.Call) and _is_excused(node):
        return
    if isinstance(node, ast.Raise) and _raised(node) in _OF_PROGRAMMERS:
        return
    if isinstance(node, ast.Assert | ast.Compare):  # what is compared is recognised, not said
        return
    text = None if is_docstring else _text(node)
    if text is not None:
        if _SENTENCE.search(text) and not _NOTATION.search(text) and _is_said(text):
            yield getattr(node, "lineno", 0), text.replace("\0", "…")
        return
    body = getattr(node, "body", None)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(body, list) and child in body:
            yield from _of(child.value, is_docstring=isinstance(child.value, ast.Constant))
        else:
            yield from _of(child)


def _is_said(text: str) -> bool:
    """Whether it is no SQL, or SQL with a sentence in it."""
    return not _SQL.search(text) or any(map(_SENTENCE.search, _SQL_TEXT.findall(text)))


def _text(node: ast.AST) -> str | None:
    """Return a literal's text; what an f-string fills in is one NUL."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "\0" for v in node.values)
    return None


def _is_excused(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    last = name.rpartition(".")[2]
    if last in _GETTEXT | _ABOUT_THE_API | _FOR_DOCS or name.startswith("re."):
        return True
    return last in _LOGS and "log" in name.partition(".")[0].lower()


def _raised(node: ast.Raise) -> str:
    error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return ast.unparse(error).rpartition(".")[2] if error is not None else ""
