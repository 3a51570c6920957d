"""Kept for a while: what stood here is in `tests/make`."""

from __future__ import annotations

from tests.make.people import make_actor as make_actor
