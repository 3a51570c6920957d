"""The act of restarting agents; see `command.py` for everything said once."""

from __future__ import annotations

from agents.actions.command import restart

__all__ = ["restart"]
