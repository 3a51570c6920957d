"""How many targets of a phase are offered the version at once, and how soon answers are looked at. Pure.

Offers are written slice by slice, so that gateways send one while the next is written.
"""

from __future__ import annotations

from rollouts.engine.facts import Counts, PhaseFacts, RolloutFacts

# So many agents, or of a large phase this part: a look costs something whatever it offers.
SLICE, SLICE_SHARE = 2000, 10
# So few agents that have still to answer are waited for one by one.
LAST_ONES = 200


def slice_of(counts: Counts) -> int:
    """How many targets of a phase are offered the version in one look."""
    return max(SLICE, counts.members // SLICE_SHARE)


def room(facts: RolloutFacts, phase: PhaseFacts) -> int:
    """How many more targets of a phase may be in flight."""
    most = phase.spec.pace.max_in_flight * max(1, facts.gateways)
    return most - phase.counts.outstanding


def is_urgent(counts: Counts) -> bool:
    """Whether a phase that is being sent wants to be looked at as soon as somebody answers: others
    wait for the room that this makes, or these are the last ones."""
    return bool(counts.ready) or counts.outstanding <= LAST_ONES
