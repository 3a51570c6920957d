"""Where a gateway's worker process begins: Django first, then all that needs its models.

A new process reads this module before Django is set up, so nothing here imports a model. Tests:
`tests/agents/gateway/test_workers.py`.
"""

from __future__ import annotations

import importlib

import django

from agents.gateway.options import Options


def begin(options: Options) -> None:
    """Serve as one worker until SIGTERM or SIGINT."""
    django.setup()
    importlib.import_module("agents.gateway.process").run(options)
