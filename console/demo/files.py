"""The demo's example configs and plan, uploaded by its author the way a person would."""

from __future__ import annotations

from pathlib import Path

from accounts.actor import Actor
from accounts.models import User
from rollouts.actions.files.save_plan import save_plan
from rollouts.actions.files.upload_config import upload_config

EXAMPLES = Path(__file__).resolve().parent / "examples"
CONFIG = "edge"
_VERSIONS = (
    ("edge-v1.yaml", "What the fleet runs today"),
    ("edge-v2.yaml", "Smaller batches, and logs"),
    ("edge-v3-bad.yaml", "More verbose debug output (no collector starts with it)"),
)
_PLAN = "by-environment"


def ensure(author: User) -> None:
    """Upload what is missing; bytes that are there already make no new version."""
    by = Actor.of(author)
    for name, message in _VERSIONS:
        upload_config(name=CONFIG, body=(EXAMPLES / name).read_bytes(), by=by, message=message)
    save_plan(name=_PLAN, text=(EXAMPLES / f"plan-{_PLAN}.yaml").read_text(), by=by)
