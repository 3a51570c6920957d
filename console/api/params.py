"""Query parameters that several routes share, for the OpenAPI document."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter

from rollouts.drafts.readiness import ABOUT_AGENTS

SELECTOR = OpenApiParameter(
    "selector",
    str,
    description="Selector text, e.g. `env=prod,version>=1.4`; also under the name `q`, as on pages.",
)
AFTER = OpenApiParameter("after", str, description="`next` of the page before.")
LIMIT = OpenApiParameter("limit", int, description="How many at most.")
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Sent twice within 24 h, the write is done once and answered the same.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description='The revision you saw, e.g. `"7"`. If it moved on: 409, nothing was done.',
)
AUDIT_FILTERS = [
    OpenApiParameter("actor", str, description="Exact name of who acted."),
    OpenApiParameter("act", str, description="E.g. `rollouts.approve`."),
    OpenApiParameter("object_kind", str),
    OpenApiParameter("object_id", str),
    OpenApiParameter("since", str, description="A time, e.g. `2026-11-24T10:00:00Z`."),
]
APPROVAL_STATE = OpenApiParameter("state", str, description="E.g. `waiting`.")
CONFIG_NAME = OpenApiParameter("name", str, required=True, description="E.g. `edge-gateway`.")
MESSAGE = OpenApiParameter("message", str, description="What changed, in one line.")
STATUS = OpenApiParameter(
    "status", str, description="Status words joined by commas, e.g. `config_failed,offline`."
)
ROLLOUT_FILTERS = [
    OpenApiParameter("state", str, description="States joined by commas, e.g. `running,paused`."),
    OpenApiParameter("config", str, description="Exact name of a config."),
]
READINESS_FILTERS = [
    OpenApiParameter(
        "check",
        str,
        enum=ABOUT_AGENTS,
        description="Only targets of this finding.",
    ),
    OpenApiParameter(
        "level", str, enum=["block", "note"], description="Only targets of such findings."
    ),
]
WAIT = [
    OpenApiParameter(
        "until",
        str,
        description="`finished` (default), `awaiting_approval`, or a phase's name: it has begun, "
        "or waits for approval.",
    ),
    OpenApiParameter("timeout", str, description="E.g. `300s`; 60s when not given, at most 10m."),
]
FORMAT = OpenApiParameter("format", str, enum=["json", "csv", "text"])
GATE = OpenApiParameter("gate", str, description="E.g. `criterion:failure_rate`.")
DRY_RUN = OpenApiParameter("dry_run", bool, description="Answer the difference, change nothing.")
FILE_NAME = OpenApiParameter(
    "file", str, description="Names what has no name of its own, and is said in errors."
)
CONFIG_HASH = OpenApiParameter("config_hash", str, description="`sha256-<hex>` or `<hex>`.")
LIFTED = OpenApiParameter("lifted", bool, description="Also those that a person has lifted.")
