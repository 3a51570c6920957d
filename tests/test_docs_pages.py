"""What the pages of docs/ point at is there: files, addresses of the console, commands, settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import resolve

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
OURS = r"(?:accounts|agents|rollouts|console|tests|bench|tools|docs|templates)"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_of_the_source_are_there(page: Path) -> None:
    for name in re.findall(rf"`({OURS}/[\w./-]+)`", page.read_text()):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_addresses_of_the_console_are_there(page: Path) -> None:
    for address in re.findall(r"`(/[a-z][a-z0-9/-]*/)`", page.read_text()):
        resolve(address)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_are_there(page: Path) -> None:
    for command in re.findall(r"manage\.py ([a-z_]+)", page.read_text()):
        assert command in get_commands(), command
