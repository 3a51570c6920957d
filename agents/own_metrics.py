"""The shape of what is kept of agents' own metrics, for who writes the rows and who reads them. Pure."""

from __future__ import annotations

SIGNALS = ("spans", "metric_points", "log_records")
"""The places of a flow's list."""

FLOWS = ("received", "refused", "sent", "failed")

LATENCY_BOUNDS_MS = (
    *(1.0, 2.5, 5.0, 7.5, 10.0, 25.0, 50.0, 75.0, 100.0),
    *(250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0, 10000.0),
)
"""Upper bounds of the latency histogram; a last count is of what lies above them."""

NUMBERS = ("cpu_s", "rss_bytes", "queue_items", "error_logs")
LISTS = (*FLOWS, "latency_counts")
COLUMNS = (*NUMBERS, *LISTS)
"""What a row of `models.Series` says of its agent, in the order it is written and read."""
