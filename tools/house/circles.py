"""Circles of neighbours: parts of one package that import each other, however long the way."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tools.house.sources import Source


@dataclass(frozen=True, slots=True)
class Circle:
    """Neighbours in `package` that reach each other. `has_folder` is false when all are files."""

    package: str
    parts: tuple[str, ...]
    has_folder: bool


def circles(sources: Sequence[Source]) -> list[Circle]:
    """Return all circles, at every depth. Imports for type hints count like any other."""
    modules = {source.module: source for source in sources}
    arrows = [(a, b) for a, source in modules.items() for b in _imports(source, modules)]
    packages = {name for name, source in modules.items() if source.path.name == "__init__.py"}
    return [found for package in sorted(packages) for found in _inside(package, packages, arrows)]


def _inside(
    package: str, packages: set[str], arrows: Iterable[tuple[str, str]]
) -> Iterator[Circle]:
    prefix = package + "."
    graph: dict[str, set[str]] = defaultdict(set)
    for importer, imported in arrows:
        if importer.startswith(prefix) and imported.startswith(prefix):
            ours = importer.removeprefix(prefix).split(".")[0]
            theirs = imported.removeprefix(prefix).split(".")[0]
            if ours != theirs:
                graph[ours].add(theirs)
    for parts in _strongly_tied(graph):
        yield Circle(package, parts, any(prefix + part in packages for part in parts))


def _strongly_tied(graph: Mapping[str, set[str]]) -> list[tuple[str, ...]]:
    """Return groups of two or more that all reach each other."""
    reach = {node: _reached(graph, node) for node in graph}
    groups = {
        tuple(sorted(other for other in reached if node in reach.get(other, ())))
        for node, reached in reach.items()
        if node in reached
    }
    return sorted(group for group in groups if len(group) > 1)


def _reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    todo = list(graph.get(start, ()))
    while todo:
        node = todo.pop()
        if node not in found:
            found.add(node)
            todo.extend(graph.get(node, ()))
    return found


def _imports(source: Source, modules: Mapping[str, Source]) -> set[str]:
    found = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in modules else node.module)
    return {name for name in found if name in modules}
