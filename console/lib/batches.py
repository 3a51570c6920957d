"""Work on many rows in bounded steps, so that no statement is long and no run is endless."""

from __future__ import annotations

from collections.abc import Callable

MOST = 10


def in_batches(act: Callable[[int], int], size: int) -> int:
    """Have `act` take up to `size` rows until fewer are left, `MOST` times at the most.

    `act` is given the size and returns how many it took. Returns how many that were in all.
    """
    done = 0
    for _ in range(MOST):
        taken = act(size)
        done += taken
        if taken < size:
            break
    return done
