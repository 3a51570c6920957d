"""One word means one thing: a class of the product has one home (docs/architecture.md, Words)."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

from tools.house.sources import files, of_product, python

ROOT = Path(__file__).resolve().parent.parent
# Shapes of the REST API bear the names of what they show; each command of manage.py is a Command;
# the simulator is a client, and speaks of its own side.
ELSEWHERE = ("console/api", "console/management", "agents/simulator")
# Two homes for a reason, or until one of them finds a better word. This set only shrinks.
SHARED = {
    "Plan",  # a saved plan as a row; the same plan as a value
}


COMMENT = re.compile(r"{%\s*comment\s*%}(.*?){%\s*endcomment", re.DOTALL)
CLASS = re.compile(r"\b([a-z_.]+)\.([A-Z]\w+)")


def homes(without: tuple[str, ...] = ELSEWHERE) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for source in of_product(python(ROOT)):
        if not str(source.path).startswith(without):
            for node in source.tree.body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name].append(source.module)
    return found


def test_each_name_has_one_home() -> None:
    shared = {name: where for name, where in homes().items() if len(where) > 1}
    assert {name: where for name, where in shared.items() if name not in SHARED} == {}
    assert set(shared) == SHARED, "take out of SHARED what has one home now"


def test_the_words_are_in_the_glossary_in_their_order() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    rows = text.partition("\n## Words\n")[2].splitlines()
    words = [row.split("|")[1].strip() for row in rows if row.startswith("| ")][1:]
    assert len(words) > 30
    assert words == sorted(words, key=str.lower)
    models = {name for name, where in homes().items() if any(".models." in m for m in where)}
    known = ", ".join(words).lower()
    assert {"Agent", "Delivery", "Event", "Phase", "Quarantine", "Rollback"} <= models
    for name in ("Agent", "Budget", "Delivery", "Desired", "Event", "Phase", "Plan", "Quarantine"):
        assert name.lower() in known, name


def test_comments_of_templates_name_classes_that_are_there() -> None:
    everywhere = homes(without=("tests",))
    missing = [
        f"{path}: {module}.{name}"
        for path in files(ROOT, "*.html")
        for comment in COMMENT.findall((ROOT / path).read_text())
        for module, name in CLASS.findall(comment)
        if not any(f".{home}".endswith(f".{module}") for home in everywhere.get(name, []))
    ]
    assert not missing
