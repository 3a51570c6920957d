"""How often the gates are right: a corpus of simulated rollouts through the real decision code.

    python -m bench.evidence [--rollouts 200] [--seed 1] [--every 180] [--json]

`bench.evidence.corpus` describes the fleets and faults. Time is simulated; readings, verdicts and decisions are
those of the product (`rollouts.analysis`, `rollouts.engine.decide`), with the built-in plan
`standard` plus criteria on data_continuity, memory_growth and error_rate. What a phase deserves is
taken from the fault without its noise: a phase whose agents truly breach a criterion must not pass,
and neither must one without evidence; a rollout that breaches none must not roll back. Agents that refuse,
fall back by themselves or vanish are caught by the floor that every plan has; dead agents of the
selection ("ghosts") are in no phase but the last; a Prometheus full of other people's failing programs
("strangers") must fire no trigger.

Prints a table per kind: `noticed` is when a gate first turned amber or red, `detected` when the
rollout came back. Between the two lies a window, for criteria decide at its end only. Error logs take
the longest: a limit in errors per minute adds up over the agents of a phase, and so few canaries stay
below it. What has to act sooner needs a critical level.

Exits 1 above 0.5 % wrong advances or 2 % needless rollbacks. A run of 200 has 64 rollouts that may not
come back, so two of them are already too many: more rollouts tell chance from habit.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from bench.evidence.corpus import corpus
from bench.evidence.rollout import Outcome, run
from bench.machine import machine

WRONG_ADVANCES, NEEDLESS_ROLLBACKS = 0.005, 0.02


@dataclass(frozen=True, slots=True)
class Row:
    """The rollouts of one kind. Times are medians, in minutes from the first faulty agent."""

    kind: str
    rollouts: int
    succeeded: int
    rolled_back: int
    held: int
    wrong_advances: int
    needless_rollbacks: int
    noticed_min: float | None
    detection_min: float | None


def main() -> int:
    given = _arguments()
    before = machine()
    began = time.perf_counter()
    cases = corpus(given.rollouts, given.seed)
    outcomes = [run(case, given.every) for case in cases]
    rows = [_row(kind, outcomes) for kind in dict.fromkeys(case.kind for case in cases)]
    must_hold = [o for o in outcomes if o.must_not_pass]
    may_pass = [o for o in outcomes if not o.case.is_bad]
    wrong = sum(o.wrong_advance for o in must_hold) / max(1, len(must_hold))
    needless = sum(o.needless_rollback for o in may_pass) / max(1, len(may_pass))
    result = {
        "machine": before,
        "rollouts": len(outcomes),
        "seed": given.seed,
        "seconds": round(time.perf_counter() - began, 1),
        "wrong_advances": wrong,
        "wrong_advances_of": len(must_hold),
        "needless_rollbacks": needless,
        "needless_rollbacks_of": len(may_pass),
        "rows": [asdict(row) for row in rows],
    }
    if given.json:
        print(json.dumps(result, indent=2))
    else:
        _print(result, rows)
    return int(wrong > WRONG_ADVANCES or needless > NEEDLESS_ROLLBACKS)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench.evidence", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--rollouts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=180.0, help="seconds between readings")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _row(kind: str, outcomes: Sequence[Outcome]) -> Row:
    mine = [outcome for outcome in outcomes if outcome.case.kind == kind]
    return Row(
        kind=kind,
        rollouts=len(mine),
        succeeded=sum(o.end == "succeeded" for o in mine),
        rolled_back=sum(o.end == "rolled_back" for o in mine),
        held=sum(o.end == "held" for o in mine),
        wrong_advances=sum(o.wrong_advance for o in mine),
        needless_rollbacks=sum(o.needless_rollback for o in mine),
        noticed_min=_median(outcome.noticed_min for outcome in mine),
        detection_min=_median(outcome.detection_min for outcome in mine),
    )


def _median(times: Iterable[float | None]) -> float | None:
    return statistics.median(known) if (known := [t for t in times if t is not None]) else None


def _minutes(time_min: float | None) -> str:
    return "-" if time_min is None else f"{time_min:.0f} min"


def _print(result: dict[str, object], rows: Sequence[Row]) -> None:
    print(
        f"{'kind':16}{'n':>4}{'done':>6}{'back':>6}{'held':>6}{'wrong':>7}{'needless':>10}"
        f"{'noticed':>10}{'detected':>10}"
    )
    for row in rows:
        print(
            f"{row.kind:16}{row.rollouts:4}{row.succeeded:6}{row.rolled_back:6}{row.held:6}"
            f"{row.wrong_advances:7}{row.needless_rollbacks:10}"
            f"{_minutes(row.noticed_min):>10}{_minutes(row.detection_min):>10}"
        )
    print(
        f"\nwrong advances {result['wrong_advances']:.2%} of {result['wrong_advances_of']} "
        f"(at most {WRONG_ADVANCES:.1%}), needless rollbacks {result['needless_rollbacks']:.2%} "
        f"of {result['needless_rollbacks_of']} (at most {NEEDLESS_ROLLBACKS:.0%}), "
        f"{result['seconds']} s"
    )


if __name__ == "__main__":
    sys.exit(main())
