"""Kept for a while: what stood here is in `tests/make`."""

from __future__ import annotations

from tests.make.agents import make_agent as make_agent
from tests.make.agents import make_agents as make_agents
from tests.make.agents import make_gateway as make_gateway
