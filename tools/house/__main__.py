"""Print the house in figures: `python -m tools.house [--list]`. Ends with 1 when one is over."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.house import sizes
from tools.house.circles import circles
from tools.house.sentences import sentences
from tools.house.settings import unexplained
from tools.house.sources import APPS, Source, files, of_product, python
from tools.house.sql import running, spelled
from tools.house.states import writers
from tools.house.templates import untranslated

# How many files of an app may run SQL. What gateways read and write is most of that of
# `agents`; `rollouts` has a room for it.
RUN_SQL = {"accounts": 0, "agents": 18, "rollouts": 10, "certs": 2, "console": 4}
ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure. `details` says where; all of it is printed with --list."""

    name: str
    value: int
    target: int
    details: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool:
        return self.value > self.target


def figures(root: Path) -> Iterator[Figure]:
    """Measure the project at `root`."""
    sources = python(root)
    product = of_product(sources)
    templates = files(root, "*.html")
    for kind, paths in (("Python", [s.path for s in sources]), ("templates", templates)):
        value, where = sizes.fullest_folder(paths)
        yield Figure(f"files in a folder, {kind}", value, 25, (where,))
    value, where = sizes.longest_file(sources)
    yield Figure("lines of a file", value, 400, (where,))
    value, where = sizes.longest_function(product)
    yield Figure("lines of a function", value, 60, (where,))
    value, where = sizes.longest_line(root, templates)
    yield Figure("characters of a template line", value, 120, (where,))
    yield from _circles(product)
    for model, modules in writers(product).items():
        yield Figure(f"writers of the state of {model}", len(modules), 1, tuple(modules))
    for app, target in RUN_SQL.items():
        files_with_sql = running(product, app)
        yield Figure(
            f"files that run SQL, {app}", len(files_with_sql), target, tuple(files_with_sql)
        )
    elsewhere = [
        f"{source.path}:{line}"
        for source in product
        if source.app == "rollouts" and source.path.parts[1] != "sql"
        for line in spelled(source.tree)
    ]
    yield Figure("SQL of rollouts outside its room", len(elsewhere), 0, tuple(elsewhere))
    found = sentences(product)
    yield Figure("sentences outside words and gettext", len(found), 0, tuple(found))
    found = untranslated(root, templates)
    yield Figure("texts of templates outside gettext", len(found), 0, tuple(found))
    yield _settings(root, product)


def _circles(product: list[Source]) -> Iterator[Figure]:
    found = circles(product)
    for app in APPS:
        ours = [c for c in found if c.has_folder and c.package.split(".")[0] == app]
        said = tuple(f"{c.package}: {', '.join(c.parts)}" for c in ours)
        yield Figure(f"circles of folders, {app}", len(ours), 0, said)


def _settings(root: Path, product: list[Source]) -> Figure:
    settings = next(source for source in product if source.module == "console.settings")
    missing = unexplained(
        settings, [(root / path).read_text() for path in files(root, "docs/*.md")]
    )
    return Figure("settings that no page explains", len(missing), 0, tuple(missing))


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools.house", description=__doc__)
    parser.add_argument("--list", action="store_true", help="say where, all of it")
    args = parser.parse_args()
    found = list(figures(ROOT))
    for one in found:
        first = one.details[0] if one.details else ""
        more = f" and {len(one.details) - 1} more" if len(one.details) > 1 else ""
        mark = "over" if one.is_over else ""
        sys.stdout.write(f"{one.name:38} {one.value:5} of {one.target:3} {mark:5}{first}{more}\n")
        if args.list and one.is_over:
            sys.stdout.writelines(f"    {line}\n" for line in one.details)
    return 1 if any(one.is_over for one in found) else 0


if __name__ == "__main__":
    sys.exit(main())
