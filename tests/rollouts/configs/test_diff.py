from __future__ import annotations

import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rollouts.configs.diff import MAX_LINES, DiffLine, LineKind, diff, patch

OLD = "".join(f"k{n}: {n}\n" for n in range(1, 31)) + "processors:\n  batch:\n    size: 1000\n"


def lines_of(old: str, new: str) -> list[DiffLine]:
    return [line for run in diff(old, new).runs for line in run.lines]


def changed_lines(old: str, new: str) -> list[DiffLine]:
    return [line for line in lines_of(old, new) if line.kind is not LineKind.SAME]


def test_equal_texts_have_nothing_to_show() -> None:
    found = diff(OLD, OLD)
    assert found.is_same
    assert [run.is_fold for run in found.runs] == [True]


def test_a_change_is_counted_and_named() -> None:
    found = diff(OLD, OLD.replace("1000", "4000"))
    assert (found.added, found.removed, found.changes) == (1, 1, 1)
    assert found.sections == ("processors",)


def test_changed_lines_have_their_numbers() -> None:
    found = lines_of(OLD, "first: 1\n" + OLD.replace("1000", "4000"))
    changed = [
        (at.kind, at.old_number, at.new_number) for at in found if at.kind is not LineKind.SAME
    ]
    assert changed == [
        (LineKind.ADDED, None, 1),
        (LineKind.REMOVED, 33, None),
        (LineKind.ADDED, None, 34),
    ]


def test_only_the_changed_words_are_marked() -> None:
    removed, added = changed_lines(OLD, OLD.replace("1000", "4000"))
    assert [part.text for part in removed.parts if part.is_changed] == ["1000"]
    assert [part.text for part in added.parts if part.is_changed] == ["4000"]
    assert added.text == "    size: 4000"


def test_unlike_lines_have_no_marks() -> None:
    _, added = changed_lines("abc: def\n", "xyz\n")
    assert len(added.parts) == 1


def test_unchanged_lines_far_from_a_change_are_folded() -> None:
    runs = diff(OLD, OLD.replace("k15: 15", "k15: 16")).runs
    assert [(run.is_fold, len(run.lines)) for run in runs] == [(True, 11), (False, 8), (True, 15)]


def test_lines_stand_side_by_side() -> None:
    (run,) = diff("a: 1\nb: 2\nc: 3\n", "a: 1\nb: 5\nx: 6\nc: 3\n").runs
    sides = [(old and old.text, new and new.text) for old, new in run.pairs]
    assert sides == [("a: 1", "a: 1"), ("b: 2", "b: 5"), (None, "x: 6"), ("c: 3", "c: 3")]


def test_a_lost_final_newline_is_said() -> None:
    found = diff("a: 1\n", "a: 1")
    assert (found.final_newline, found.is_same) == ("removed", False)


def test_a_very_long_text_is_offered_as_a_patch_only() -> None:
    found = diff("a\n" * (MAX_LINES + 1), "b\n")
    assert found.is_too_large
    assert not found.runs


def test_a_patch_is_applied_by_patch(tmp_path: Path) -> None:
    new = OLD.replace("1000", "4000").rstrip("\n")
    (tmp_path / "config.yaml").write_text(OLD)
    text = patch(OLD, new, "a/config.yaml", "b/config.yaml")
    subprocess.run(["git", "apply", "-"], input=text, text=True, cwd=tmp_path, check=True)
    assert (tmp_path / "config.yaml").read_text() == new


TEXT = st.lists(st.sampled_from(["a: 1", "b: 2", "  c: x y", "", "d\r"]), max_size=12).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)


@given(TEXT, TEXT)
def test_both_texts_can_be_read_back_from_a_difference(old: str, new: str) -> None:
    lines = lines_of(old, new)
    assert old == "".join(f"{line.text}\n" for line in lines if line.kind is not LineKind.ADDED)
    assert new == "".join(f"{line.text}\n" for line in lines if line.kind is not LineKind.REMOVED)
