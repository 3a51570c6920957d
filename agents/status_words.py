"""The words for how an agent is (ui.md 1.1). `Agent.objects.with_status_word` decides which one holds. Pure."""

from __future__ import annotations

# Of the living, worst first: what a selector can ask for.
STATUSES = (
    "quarantined",
    "config_failed",
    "unhealthy",
    "degraded",
    "offline",
    "applying",
    "queued",
    "drifted",
    "unknown",
    "healthy",
)
# Of all, worst first; the place in this list is `status_rank`.
STATUS_WORDS = ("retired", *STATUSES)
