"""Kept for a while: what stood here is in `tests/make`."""

from __future__ import annotations

from tests.make.agents import make_agent_with as make_agent  # noqa: F401
from tests.make.configs import make_body as make_body
from tests.make.times import NOW as NOW
