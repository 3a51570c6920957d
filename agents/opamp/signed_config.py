"""How a signature travels to an agent: a custom message beside the config, only to agents that
announced the capability (security.md section 5). Pure."""

from __future__ import annotations

import json

from agents.opamp.outgoing import Custom
from agents.signing.signed import Signed

CAPABILITY = "io.tidegate.config-signature/v1"
TYPE = "signature"


def signature_part(signed: Signed) -> bytes:
    """Return ServerToAgent.custom_message, serialized."""
    data = json.dumps(signed.document(), sort_keys=True, separators=(",", ":")).encode()
    return Custom(CAPABILITY, TYPE, data).part(0)
