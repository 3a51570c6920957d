"""Translators are given every sentence: those in `console.words`, by whatever name they are marked."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).parents[3]
SOURCES = [
    path
    for app in ("accounts", "agents", "rollouts", "certs", "console")
    for path in (ROOT / app).rglob("*.py")
]
FOUND = {"_", "_l"}  # the names that makemessages looks for, beside those of Django itself


def test_sentences_are_marked_by_names_that_are_looked_for() -> None:
    other = {
        f"{path.relative_to(ROOT)}: {alias.name} as {alias.asname}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.asname is not None and alias.asname not in FOUND
    }
    assert other == set()


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="needs GNU gettext")
def test_a_table_of_words_is_collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(ROOT / "console/words/sentences/rollout_acts.py", tmp_path / "words.py")
    (tmp_path / "locale").mkdir()
    monkeypatch.chdir(tmp_path)
    call_command("makemessages", locale=["de"], verbosity=0)
    collected = (tmp_path / "locale/de/LC_MESSAGES/django.po").read_text()
    assert 'msgid "The window ends before it starts."' in collected
    assert 'msgid "{number} is {state}; it cannot be started now."' in collected
    assert 'msgid_plural ""\n"{agents:,} agents are on the way back' in collected
