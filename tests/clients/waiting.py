"""Kept for a while: what stood here is in `tests/make`."""

from __future__ import annotations

from tests.make.waiting import eventually as eventually
from tests.make.waiting import free_port as free_port
from tests.make.waiting import port_answers as port_answers
