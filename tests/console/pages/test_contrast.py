"""Contrast is computed from the stylesheet, in both themes (ui.md section 7)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).resolve().parents[3] / "static" / "tidegate.css").read_text()
PAIRS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", CSS
    )
}
GROUNDS = ("bg", "surface", "sunken", "raised")
STATUSES = ("ok", "warn", "bad", "run", "wait", "off")
TEXT, GRAPHIC = 4.5, 3.0


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ratio(one: str, other: str, theme: int) -> float:
    a, b = luminance(PAIRS[one][theme]), luminance(PAIRS[other][theme])
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)


TEXTS = [(name, ground) for name in ("text", "muted", "accent", *STATUSES) for ground in GROUNDS]
TEXTS += [(name, f"{name}-bg") for name in STATUSES]
TEXTS += [("text", f"{name}-bg") for name in STATUSES] + [
    ("muted", f"{name}-bg") for name in STATUSES
]
TEXTS += [
    ("on-accent", "accent"),
    ("on-accent", "accent-2"),
    ("on-bad", "bad"),
    ("on-bad", "bad-2"),
]
TEXTS += [("text", "hover"), ("muted", "hover")]
GRAPHICS = [("control", "surface"), ("control", "bg"), ("focus", "surface"), ("focus", "bg")]
GRAPHICS += [(f"{name}-fill", "surface") for name in STATUSES]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "ground"), TEXTS)
def test_text_can_be_read_on_its_ground(front: str, ground: str, theme: int) -> None:
    assert ratio(front, ground, theme) >= TEXT


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "ground"), GRAPHICS)
def test_borders_and_graphics_can_be_seen(front: str, ground: str, theme: int) -> None:
    assert ratio(front, ground, theme) >= GRAPHIC


def test_no_text_is_smaller_than_13_pixels() -> None:
    sizes = [float(size) for size in re.findall(r"--t-[a-z0-9]+: ([\d.]+)rem", CSS)]
    assert min(sizes) * 16 >= 13


def test_the_stylesheet_loads_nothing_from_elsewhere() -> None:
    assert not re.search(r"url\((?!#)|@import", CSS)
