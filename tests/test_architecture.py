"""The house rules of docs/architecture.md, checked from the source text.

Import arrows point one way, pure modules stay pure, files stay readable, and a state changes
through one door only.
"""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.template.loader import get_template

from tools.house.sql import runs_sql, spelled

ROOT = Path(__file__).resolve().parent.parent
OURS = {"accounts", "agents", "rollouts", "certs", "console"}
MAY_IMPORT = {
    "accounts": {"accounts"},
    "agents": {"agents", "accounts"},
    "rollouts": {"rollouts", "agents", "accounts"},
    "certs": {"certs", "agents", "accounts"},
    "console": OURS,
}
# Who decides is pure. These have to be; so is every module, and every package, whose docstring says "Pure.".
PURE = [
    "agents/opamp",
    "agents/selectors/grammar.py",
    "certs/rotation",
    "rollouts/analysis/verdicts.py",
    "rollouts/configs",
    "rollouts/engine",
    "rollouts/plans",
    "rollouts/promql",
    "rollouts/rollback/targets.py",
]
SAYS_PURE = re.compile(r"\bPure[.;]")
IMPURE_MODULES = {"django", "redis", "requests", "aiohttp", "psycopg", "celery", "socket", "time"}
MAX_LINES = 400
MAX_FILES = 25
MAX_TEMPLATE_LINES = 150
MAX_TEMPLATE_LINE = 120  # as djlint lays them out; a longer line is logic, or two elements


def sources(*, tests: bool = False) -> list[Path]:
    return list(_sources(tests=tests))


def _sources(*, tests: bool) -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    for name in filter(None, listed):
        path = Path(name)
        generated = "migrations" in path.parts or path.name.endswith("_pb2.py")
        of_tests = path.parts[0] in {"tests", "bench"} or path.name == "conftest.py"
        if (ROOT / path).is_file() and not generated and (tests or not of_tests):
            yield path


def imports(path: Path) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", sources(), ids=str)
def test_imports_follow_the_arrows(path: Path) -> None:
    app = path.parts[0]
    if app not in OURS:
        return
    ours = {name for name in imports(path) if name.split(".")[0] in OURS}
    if path.parts[:2] == ("console", "lib"):
        allowed = {name for name in ours if name.startswith("console.lib")}
    else:
        lib = {name for name in ours if name.startswith("console.lib")}
        allowed = lib | {name for name in ours if name.split(".")[0] in MAY_IMPORT[app]}
    assert ours == allowed, f"{path} may not import {sorted(ours - allowed)}"


def _is_pure(path: Path) -> bool:
    """Whether a module has to be pure, or says that it is, or the package it is in."""
    if str(path).startswith(tuple(PURE)):
        return True
    packages = [package / "__init__.py" for package in path.parents if len(package.parts) > 1]
    return any(_says_pure(ROOT / source) for source in [path, *packages])


@cache
def _says_pure(source: Path) -> bool:
    said = ast.get_docstring(ast.parse(source.read_text())) or ""
    return bool(SAYS_PURE.search(said))


def pure_sources() -> list[Path]:
    """Of the domain and its library: words and drawings of pages are pure but for the language."""
    domain = tuple(f"{app}/" for app in [*(OURS - {"console"}), "console/lib"])
    rooms = [path for path in sources() if str(path).startswith(domain)]
    return [path for path in rooms if _is_pure(path)]


def test_what_is_pure_is_also_held_to_it_through_what_it_imports() -> None:
    """The contract in pyproject.toml names them all: `make lint` follows their imports."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    named = next(c for c in contracts["contracts"] if "django" in c.get("forbidden_modules", ()))
    held = tuple(named["source_modules"])
    modules = {".".join(p.with_suffix("").parts).removesuffix(".__init__") for p in pure_sources()}
    missing = {
        m for m in modules if m not in held and not m.startswith(tuple(h + "." for h in held))
    }
    assert not missing


@pytest.mark.parametrize("path", pure_sources(), ids=str)
def test_pure_modules_import_no_framework_and_no_client(path: Path) -> None:
    impure = {name for name in imports(path) if name.split(".")[0] in IMPURE_MODULES}
    assert not impure, f"{path} decides things and must not import {sorted(impure)}"


@pytest.mark.parametrize("path", pure_sources(), ids=str)
def test_pure_modules_read_no_clock(path: Path) -> None:
    text = (ROOT / path).read_text()
    assert ".now(" not in text
    assert "utcnow" not in text


@pytest.mark.parametrize("path", sources(tests=True), ids=str)
def test_files_can_be_read_in_one_sitting(path: Path) -> None:
    lines = len((ROOT / path).read_text().splitlines())
    assert lines <= MAX_LINES, f"{path} has {lines} lines: which two subjects is it?"


@pytest.mark.parametrize(
    "path",
    [p for p in sources() if p.parts[0] in OURS - {"console"} or p.parts[:2] == ("console", "lib")],
    ids=str,
)
def test_sentences_for_people_are_made_at_the_edge(path: Path) -> None:
    """The domain says code and parameters (`console.lib.texts`); words are in `console/words`."""
    assert "django.utils.translation" not in imports(path)


def templates() -> list[Path]:
    return sorted(path.relative_to(ROOT) for path in (ROOT / "templates").rglob("*.html"))


@pytest.mark.parametrize("path", templates(), ids=str)
def test_templates_can_be_read(path: Path) -> None:
    lines = (ROOT / path).read_text().splitlines()
    long = [n for n, line in enumerate(lines, 1) if len(line) > MAX_TEMPLATE_LINE]
    assert not long, f"{path} has lines over {MAX_TEMPLATE_LINE} characters: {long}"
    assert len(lines) <= MAX_TEMPLATE_LINES, f"{path} has {len(lines)} lines: make fragments"


@pytest.mark.parametrize("path", templates(), ids=str)
def test_a_template_can_be_compiled(path: Path) -> None:
    get_template(str(path.relative_to("templates")))


@pytest.mark.parametrize("path", templates(), ids=str)
def test_a_template_begins_with_what_it_is_given(path: Path) -> None:
    text = (ROOT / path).read_text()
    head = re.sub(r"\A{% extends [^%]*%}\n", "", text)
    assert head.startswith("{% comment %}"), f"{path} does not begin with its comment"


@pytest.mark.parametrize("path", sources(), ids=str)
def test_imports_are_at_the_top(path: Path) -> None:
    tree = ast.parse((ROOT / path).read_text())
    inside = [
        node.lineno
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not inside, f"{path} imports inside functions at lines {inside}"


@pytest.mark.parametrize(
    "path", [p for p in sources() if p.parts[0] in {"certs", "rollouts", "console"}], ids=str
)
def test_states_change_through_one_door(path: Path) -> None:
    if str(path) in {"certs/apply.py", "rollouts/apply.py"}:
        return
    tree = ast.parse((ROOT / path).read_text())
    lines = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Attribute)
        and target.attr == "state"
        and not (isinstance(target.value, ast.Name) and target.value.id == "self")
    ]
    assert not lines, f"{path} assigns .state at lines {lines}; use apply.py of its app"


# What was sent, taken apart by hand, or a number that is told from other text by hand.
BY_HAND = re.compile(
    r"\b(?:GET|POST|FILES)(?:\[|\.(?:get|getlist|items|lists|values|keys|dict)\b)|\.isdecimal\(|\.isdigit\("
)


@pytest.mark.parametrize(
    "path", [p for p in sources() if p.parts[:2] == ("console", "pages")], ids=str
)
def test_pages_read_what_was_sent_by_forms(path: Path) -> None:
    if str(path) == "console/pages/frame/forms.py":
        return
    found = BY_HAND.search((ROOT / path).read_text())
    assert not found, f"{path} reads {found[0]} by hand; make a form (console/pages/frame/forms.py)"


@pytest.mark.parametrize(
    "path",
    [p for p in sources() if p.parts[0] == "rollouts" and p.parts[1] != "sql"],
    ids=str,
)
def test_rollouts_speaks_sql_in_one_room(path: Path) -> None:
    tree = ast.parse((ROOT / path).read_text())
    assert not runs_sql(tree), f"{path} runs SQL; put the statement into rollouts/sql"
    assert not spelled(tree), f"{path}:{spelled(tree)} spells SQL; put it into rollouts/sql"


def test_no_folder_is_too_long_to_be_read() -> None:
    folders = Counter(path.parent for path in [*sources(tests=True), *templates()])
    long = {str(folder): number for folder, number in folders.items() if number > MAX_FILES}
    assert not long, f"which rooms are missing in {long}?"


# How a statement over many rows could write the state of targets: by the ORM, or as SQL.
STATE_OF_TARGETS = re.compile(
    r"\b(?:bulk_)?update\((?:[^()]|\([^()]*\))*?\bstate\s*="
    r"|bulk_update\([^)]*[\"']state[\"']"
    r"|UPDATE\s+rollouts_(?:rollback)?target\b(?:(?!;|\"\"\").)*?\bSET\b(?:(?!\bFROM\b|\"\"\").)*?"
    r"(?<![.\w])state\s*=",
    re.DOTALL,
)


@pytest.mark.parametrize(
    "path", [p for p in sources() if p.parts[0] in {"rollouts", "console"}], ids=str
)
def test_the_state_of_targets_has_one_writer(path: Path) -> None:
    if str(path) in {"rollouts/delivering/targets.py", "rollouts/sql/targets.py"}:
        return
    found = STATE_OF_TARGETS.search((ROOT / path).read_text())
    written = found[0][:80] if found else ""
    assert not written, f"{path} writes a state: {written!r}; use delivering/targets.py"


def test_the_look_for_other_writers_sees_them() -> None:
    for written in (
        'Target.objects.filter(a=f(1)).update(active=True, state="skipped")',
        'rows.update(\n    state="x",\n)',
        'Target.objects.bulk_update(rows, ["state"])',
        "UPDATE rollouts_target t SET online = true, state = 'applied' FROM x",
        "UPDATE rollouts_rollbacktarget SET state = %s WHERE id = 1",
    ):
        assert STATE_OF_TARGETS.search(written), written
    for read in (
        "UPDATE rollouts_target t SET online = s.connected FROM s WHERE t.state = 'waiting'",
        'rows.filter(state="waiting").update(active=False)',
    ):
        assert not STATE_OF_TARGETS.search(read), read


@pytest.mark.parametrize(
    "path", [p for p in sources() if p.parts[0] in OURS and p.name != "__init__.py"], ids=str
)
def test_where_a_module_is_tested_has_an_answer(path: Path) -> None:
    """`a/b.py` is tested in `tests/a/test_b.py`, or its folder says where ("Tests: ...")."""
    if (ROOT / "tests" / path.parent / f"test_{path.name}").is_file() or path.name == "apps.py":
        return
    tree = ast.parse((ROOT / path.parent / "__init__.py").read_text())
    said = (ast.get_docstring(tree) or "").partition("Tests: ")[2]
    named = re.findall(r"`(tests/[\w./]+)`", said)
    assert named, f"{path.parent}/__init__.py should say `Tests: ...` for {path.name}"
    missing = [name for name in named if not (ROOT / name).exists()]
    assert not missing, f"{path.parent}/__init__.py names {missing}"


def _functions(paths: list[Path]) -> Iterator[tuple[str, Path]]:
    """Yield the functions of modules; fixtures of pytest are no functions that anybody imports."""
    for path in paths:
        for node in ast.parse((ROOT / path).read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.decorator_list:
                yield node.name, path


def test_what_tests_are_made_of_has_one_home() -> None:
    """`make_agent` and its like are in `tests/make`, once; a test that needs another kind of row
    gives it another name."""
    tests = [path for path in sources(tests=True) if path.parts[0] == "tests"]
    homes = dict(_functions([path for path in tests if path.parts[1] == "make"]))
    others = [
        f"{path}: {name}"
        for name, path in _functions(tests)
        if (name.startswith("make_") or name == "eventually") and homes.get(name, path) != path
    ]
    assert others == []
