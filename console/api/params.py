"""The parameters of all routes, for the OpenAPI document and for reading; see `parameters`."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter

from agents.status_words import STATUS_WORDS
from console.api.parameters import Flag, Instant, Number, Text, Word, Words
from rollouts.drafts.finding import BLOCK, NOTE
from rollouts.drafts.readiness import ABOUT_AGENTS
from rollouts.engine.states import RolloutState
from rollouts.models import Approval

# Headers; `idempotency` and `rollouts.revisions` read them.
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
CONFIG_SIGNATURE = OpenApiParameter(
    "Config-Signature",
    str,
    OpenApiParameter.HEADER,
    description="A signature of these bytes by a trusted key, in base64; else the signer makes one.",
)

# Pages of lists. What `after` holds is ours, so it is text to others; a number that counts within one
# rollout has 32 bits.
AFTER = Number("after", "`next` of the page before.", unsaid=0, kind=str)
AFTER_SEQ = Number("after", "`next` of the page before.", unsaid=0, most=2**31 - 1, kind=str)
LIMIT = Number("limit", "How many at most.", unsaid=100, least=1, most=1000)
PAGE = [AFTER, LIMIT]
PAGE_OLDEST = [AFTER_SEQ, LIMIT]

SELECTOR = Text(
    "selector",
    "Selector text, e.g. `env=prod,name~gw-*,status=offline`; also under the name `q`, as on pages.",
    also="q",
)
STATUS = Words(
    "status", STATUS_WORDS, "Status words joined by commas, e.g. `config_failed,offline`."
)
LIMIT_OF_AGENTS = Number("limit", "How many at most.", unsaid=10_000, least=1, most=10_000)
ACTOR = Text("actor", "Exact name of who acted.")
ACT = Text("act", "E.g. `rollouts.approve`.")
OBJECT_KIND = Text("object_kind")
OBJECT_ID = Text("object_id")
SINCE = Instant("since", "A time, e.g. `2026-11-24T10:00:00Z`.")
APPROVAL_STATE = Word("state", Approval.State.values, "E.g. `waiting`.")
CONFIG_NAME = Text("name", "E.g. `edge-gateway`.", required=True)
MESSAGE = Text("message", "What changed, in one line.")
ROLLOUT_STATE = Words(
    "state",
    [state.value for state in RolloutState],
    "States joined by commas, e.g. `running,paused`.",
)
CONFIG = Text("config", "Exact name of a config.")
CHECK = Word("check", ABOUT_AGENTS, "Only targets of this finding.")
LEVEL = Word("level", [BLOCK, NOTE], "Only targets of such findings.")
UNTIL = Text(
    "until",
    "`finished` (default), `awaiting_approval`, or a phase's name: it has begun, "
    "or waits for approval.",
)
TIMEOUT = Text("timeout", "E.g. `300s`; 60s when not given, at most 10m.")
FORMAT = Word("format", ["json", "csv", "text"], default="json")
GATE = Text("gate", "E.g. `criterion:failure_rate`.")
FILE_FORMAT = Word("format", ["json", "csv"], default="json")
DRY_RUN = Flag("dry_run", "Answer the difference, change nothing.")
FILE_NAME = Text("file", "Names what has no name of its own, and is said in errors.")
CONFIG_HASH = Text("config_hash", "`sha256-<hex>` or `<hex>`.")
LIFTED = Flag("lifted", "Also those that a person has lifted.")
