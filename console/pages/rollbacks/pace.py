"""How long a rollback still takes, from how fast agents came back until now. Pure."""

from __future__ import annotations

MIN_BACK = 5  # fewer confirmations make no pace
STALL_S = 3.0  # nobody came back for so long: the pace of before says nothing any more
FAR = 10.0  # an end that many times further away than the way behind is a guess


def left_s(*, back: int, online: int, half_s: float, last_s: float, now_s: float) -> float | None:
    """Return the seconds until the last online agent is back, None when nobody can know.

    Times are seconds since the decision: `half_s` when half of those `back` had confirmed, `last_s`
    when the newest did. The newer half sets the pace, up to now, so that a curve that flattens
    says a later end.
    """
    left = online - back
    if left <= 0 or back < MIN_BACK:
        return None
    if now_s - last_s > max(STALL_S, last_s - half_s):
        return None
    newer, took_s = back - (back + 1) // 2, now_s - half_s
    if newer <= 0 or took_s <= 0:
        return None
    found = left * took_s / newer
    return found if found <= FAR * now_s else None
