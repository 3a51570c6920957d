"""The manifest of a config version: the second signed object, against replay (R33). Pure.

A signature says that a body is ours; the manifest says as which version of which config, where and
until when, so that an old body cannot be put back by whoever kept it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

LIFETIME = timedelta(days=180)
# Signed again while somebody runs it and this much is left.
RENEW_BEFORE = timedelta(days=60)
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a version is. `rollback_of` names the newer version that it takes the place of."""

    config: str
    version: int
    config_hash: str
    environment: str
    not_before: datetime
    expires: datetime
    key_id: str
    rollback_of: int | None = None

    def text(self) -> str:
        """Return it as what is signed: JSON with sorted keys and no spaces, in ASCII."""
        content = {
            "config": self.config,
            "version": self.version,
            "config_hash": self.config_hash,
            "environment": self.environment,
            "not_before": self.not_before.astimezone(UTC).strftime(_TIME),
            "expires": self.expires.astimezone(UTC).strftime(_TIME),
            "key_id": self.key_id,
        }
        if self.rollback_of is not None:
            content["rollback_of"] = self.rollback_of
        return json.dumps(content, sort_keys=True, separators=(",", ":"))
