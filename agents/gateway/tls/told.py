"""A change of TLS for the audit log: taken, or not usable and why (security.md R7, section 9)."""

from __future__ import annotations

from dataclasses import dataclass

RELOADED, RELOAD_FAILED = "tls.reloaded", "tls.reload_failed"


@dataclass(frozen=True, slots=True)
class Told:
    """`file` is that of the server's certificate, `why` is "" when the change was taken."""

    act: str
    file: str
    why: str = ""
    authorities: int = 0

    @property
    def details(self) -> dict[str, object]:
        return {"file": self.file, "why": self.why, "authorities": self.authorities}
