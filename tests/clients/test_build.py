"""The builder itself, without building: what it says without Go, and that it builds only once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients import build


@pytest.fixture
def no_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache and a PATH without Go; returns the cache."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_without_go_it_says_what_to_do(no_go: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main() == 1
    assert "install Go" in capsys.readouterr().err


def test_what_was_built_before_needs_no_go(no_go: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built = no_go / "tidegate-clients" / build.module_hash()
    built.mkdir(parents=True)

    assert build.main() == 0
    assert capsys.readouterr().out.strip() == str(built)
    assert build.binaries().supervisor == built / "opampsupervisor"


def test_all_that_go_reads_decides_what_is_built() -> None:
    names = {path.relative_to(build.MODULE).as_posix() for path in build.module_files()}

    assert {"go.mod", "go.sum", "collector/main.go", "opampagent/main.go"} <= names
