"""Numbers beside their budgets: rows, verdicts, a table for people."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One number of the gateway, the bare echo's for the same, and what was allowed.

    With `is_ratio` the budget is a multiple of the echo's number, else it is in `unit`.
    """

    what: str
    unit: str
    gateway: float
    echo: float | None
    budget: float | None
    is_ratio: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.gateway / self.echo if self.echo else None

    @property
    def verdict(self) -> str:
        """Return pass or miss; nothing for a number without a budget."""
        if self.budget is None:
            return ""
        measured = self.ratio if self.is_ratio else self.gateway
        # A number that could not be taken is a miss.
        return "pass" if measured is not None and measured <= self.budget else "MISS"

    def as_dict(self) -> dict[str, Any]:
        """Return the row for --json."""
        return {**asdict(self), "ratio": self.ratio, "verdict": self.verdict}


def median(values: Sequence[float]) -> float:
    """Return the middle of what was measured; not a number when nothing was."""
    return statistics.median(values) if values else float("nan")


def table(rows: Sequence[Row]) -> str:
    """Return the rows as aligned text."""
    lines: list[tuple[str, ...]] = [("what", "gateway", "bare echo", "ratio", "budget", "", "note")]
    lines += [_cells(row) for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(6)]
    text = []
    for line in lines:
        first = line[0].ljust(widths[0])
        middle = "  ".join(line[i].rjust(widths[i]) for i in range(1, 5))
        text.append(f"{first}  {middle}  {line[5].ljust(widths[5])}  {line[6]}".rstrip())
    return "\n".join(text)


def _cells(row: Row) -> tuple[str, ...]:
    budget = ""
    if row.budget is not None:
        budget = f"<= {row.budget:g} x" if row.is_ratio else f"<= {row.budget:g} {row.unit}"
    return (
        row.what,
        f"{_short(row.gateway)} {row.unit}",
        "" if row.echo is None else f"{_short(row.echo)} {row.unit}",
        "" if row.ratio is None else f"{row.ratio:.2f}",
        budget,
        row.verdict,
        row.note,
    )


def _short(value: float) -> str:
    if value != value:
        return "?"
    if value == int(value) and abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
