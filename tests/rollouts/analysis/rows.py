"""Kept for a while: what stood here is in `tests/make`."""

from __future__ import annotations

from tests.make.times import NOW as NOW
from tests.make.watched import PLAN as PLAN
from tests.make.watched import make_bare_rollout as make_rollout  # noqa: F401
from tests.make.watched import make_phase as make_phase
from tests.make.watched import make_target as make_target
