"""No entry: what the caller is told, and what only operators are."""

from __future__ import annotations


class NotAdmitted(Exception):
    """No entry. `code` and `detail` are for the caller. For the log and for operators only (R14) are
    `reason`, the code where nothing more is known, and `why`; `credential` and `holder` name one that
    was recognised and whose it is."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        why: str = "",
        *,
        retry_after_s: float = 0.0,
        credential: str = "",
        holder: str = "",
        reason: str = "",
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.why = why
        self.retry_after_s = retry_after_s
        self.credential = credential
        self.holder = holder
        self.reason = reason or code


def invalid(why: str, *, holder: str = "", reason: str = "") -> NotAdmitted:
    """Return the refusal that tells the caller nothing about what is wrong (R14)."""
    text = "The credential is not valid."
    return NotAdmitted(401, "credential_invalid", text, why, holder=holder, reason=reason)
