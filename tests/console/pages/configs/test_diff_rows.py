from __future__ import annotations

from console.pages.configs import diff_rows
from rollouts.configs.diff import diff

OLD = "\n".join(f"line {n}" for n in range(30)) + "\n"
NEW = OLD.replace("line 15", "line fifteen")


def test_long_unchanged_runs_are_folded() -> None:
    rows = list(diff_rows.unified(diff(OLD, NEW), fold=True))
    assert [len(row.folded) for row in rows if row.folded] == [12, 11]


def test_the_whole_file_folds_nothing() -> None:
    rows = list(diff_rows.unified(diff(OLD, NEW), fold=False))
    assert not any(row.folded for row in rows)
    assert len(rows) == 31


def test_each_change_is_marked_once_at_its_begin() -> None:
    new = NEW.replace("line 3\n", "line three\nline more\n")
    rows = list(diff_rows.unified(diff(OLD, new), fold=True))
    assert sum(row.starts_change for row in rows) == 2


def test_the_split_view_puts_a_change_beside_what_it_replaces() -> None:
    pairs = [p for p in diff_rows.split(diff(OLD, NEW)) if p.starts_change]
    assert [(p.left.text, p.right.text) for p in pairs if p.left and p.right] == [
        ("line 15", "line fifteen")
    ]
