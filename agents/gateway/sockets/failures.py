"""Who failed to prove who they are, by address, and is kept out for a while (security.md section 8)."""

from __future__ import annotations

from agents.gateway.options import Limits
from agents.gateway.sockets.not_admitted import NotAdmitted


class Failures:
    """Remembers the failures of the last minutes; times are seconds since 1970."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._failures: dict[str, list[float]] = {}

    def note(self, address: str, now: float) -> None:
        """Remember one."""
        self._failures.setdefault(address, []).append(now)

    def check(self, address: str, now: float) -> None:
        """Pause an address after 20 failures in a minute. Raises NotAdmitted."""
        failures = self._failures.get(address)
        if failures is None:
            return
        pause = self._limits.failed_auth_pause_s
        failures[:] = [at for at in failures if now - at < pause]
        recent = [at for at in failures if now - at < 60.0]
        if not failures:
            del self._failures[address]
        elif len(recent) >= self._limits.failed_auth_per_minute or self._is_paused(failures):
            raise NotAdmitted(
                429, "too_many_failures", "Too many failed attempts.", "paused", retry_after_s=pause
            )

    def _is_paused(self, failures: list[float]) -> bool:
        """Whether the limit was reached within some minute of the last five."""
        limit = self._limits.failed_auth_per_minute
        return any(
            failures[i + limit - 1] - failures[i] < 60.0 for i in range(len(failures) - limit + 1)
        )
