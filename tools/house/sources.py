"""The files that are measured: what git knows or would take, without what is generated."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

APPS = ("accounts", "agents", "rollouts", "certs", "console")


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the root of the project, and its text."""

    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def module(self) -> str:
        return ".".join(self.path.with_suffix("").parts).removesuffix(".__init__")

    @property
    def app(self) -> str:
        return self.path.parts[0]


def files(root: Path, *patterns: str) -> list[Path]:
    """Return paths from `root`, sorted. Raises CalledProcessError outside a git work tree."""
    listed = subprocess.run(  # noqa: S603  fixed words
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],  # noqa: S607
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return sorted({Path(name) for name in listed if (root / name).is_file()})


def python(root: Path) -> list[Source]:
    """Return all Python files but migrations and generated code."""
    return [
        Source(path, (root / path).read_text())
        for path in files(root, "*.py")
        if "migrations" not in path.parts and not path.name.endswith("_pb2.py")
    ]


def of_product(sources: Iterable[Source]) -> list[Source]:
    """Return what runs in production: the apps, without tests, benches and tools."""
    return [source for source in sources if source.app in APPS]
