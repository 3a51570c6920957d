"""Which modules write the state of which model: by assignment, by `update()`, or in SQL.

Read from the text: a queryset is followed through the variables of its function to the model it
began with, SQL by the table after UPDATE. What cannot be followed counts for the model `?`.
A row's first state is not a change and does not count.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from tools.house.sources import Source

UNKNOWN = "?"
_UPDATE = re.compile(r"\bUPDATE\s+(?:ONLY\s+)?(\w+)(.*?)(?=\bUPDATE\b|\bRETURNING\b|\Z)", re.S)
_SETS_STATE = re.compile(r"\bSET\b(?:(?!\bFROM\b|\bWHERE\b).)*?\bstate\s*=", re.S)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def writers(sources: Sequence[Source]) -> dict[str, list[str]]:
    """Return the modules that write the state of each model that has one."""
    models = _models_with_state(sources)
    tables = {f"{app}_{name.lower()}": name for name, app in models.items()}
    found: dict[str, set[str]] = defaultdict(set)
    for source in sources:
        for model in _written(source, models, tables):
            found[model].add(source.module)
    return {model: sorted(modules) for model, modules in sorted(found.items())}


def _models_with_state(sources: Sequence[Source]) -> dict[str, str]:
    """Return class name to app for each class with a field `state = models...` in `models/`."""
    return {
        node.name: source.app
        for source in sources
        if "models" in source.path.parts
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
        for line in node.body
        if isinstance(line, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id == "state" for t in line.targets)
        and isinstance(line.value, ast.Call)
        and ast.unparse(line.value.func).startswith("models.")
    }


def _written(source: Source, models: dict[str, str], tables: dict[str, str]) -> Iterator[str]:
    for table, rest in _sql(source):
        if _SETS_STATE.search(rest):
            yield tables.get(table, UNKNOWN)
    for scope in [source.tree, *(n for n in ast.walk(source.tree) if isinstance(n, _Function))]:
        names = _names(scope, models)
        for node in _own(scope):
            if isinstance(node, ast.Call) and _updates_state(node):
                assert isinstance(node.func, ast.Attribute)
                yield _model_of(node.func.value, names, models)
            for target in _targets(node):
                if isinstance(target, ast.Attribute) and target.attr == "state":
                    if isinstance(target.value, ast.Name) and target.value.id == "self":
                        continue
                    yield _model_of(target.value, names, models)


def _sql(source: Source) -> Iterator[tuple[str, str]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(
                str(v.value) if isinstance(v, ast.Constant) else "x" for v in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        yield from _UPDATE.findall(text)


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """Walk a scope without the functions inside it."""
    todo = list(ast.iter_child_nodes(scope))
    while todo:
        node = todo.pop()
        if not isinstance(node, _Function):
            yield node
            todo.extend(ast.iter_child_nodes(node))


def _names(scope: ast.AST, models: dict[str, str]) -> dict[str, str]:
    """Return variable to model, from parameters and from what is assigned and looped over."""
    names: dict[str, str] = {}
    if isinstance(scope, _Function):
        for arg in [*scope.args.args, *scope.args.kwonlyargs]:
            if arg.annotation is not None:
                named = set(re.findall(r"\w+", ast.unparse(arg.annotation))) & set(models)
                if len(named) == 1:
                    names[arg.arg] = named.pop()
    for _ in range(3):  # a variable may be made from one that is read later in this walk
        for node in _own(scope):
            value = node.iter if isinstance(node, ast.For) else getattr(node, "value", None)
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.For | ast.NamedExpr) and value:
                model = _model_of(value, names, models)
                for target in _targets(node):
                    if isinstance(target, ast.Name) and model != UNKNOWN:
                        names[target.id] = model
    return names


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    if isinstance(node, ast.AugAssign | ast.AnnAssign | ast.For | ast.NamedExpr):
        return [node.target]
    return []


def _updates_state(call: ast.Call) -> bool:
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr == "update"
        and any(word.arg == "state" for word in call.keywords)
    )


def _model_of(value: ast.expr, names: dict[str, str], models: dict[str, str]) -> str:
    """Return the model that a chain like `Model.objects.filter(...)` or `variable.all()` begins with."""
    while True:
        if isinstance(value, ast.Call):
            value = value.func
        elif isinstance(value, ast.Attribute | ast.Subscript | ast.Await):
            value = value.value
        elif isinstance(value, ast.Name):
            return value.id if value.id in models else names.get(value.id, UNKNOWN)
        else:
            return UNKNOWN
