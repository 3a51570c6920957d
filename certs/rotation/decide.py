"""The next step of one certificate. Pure: reads no clock, no row, no socket (security.md section 4).

What counts as installed is a connection made with the certificate. What the agent says of it moves
it to *applying* or *failed*, never further; what it does decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from certs.rotation.facts import RotationFacts, RotationRules, SettingsWord
from certs.rotation.states import CertificateState
from console.lib.texts import Text, text

_S = CertificateState
# A session is written a moment after its agent was taken over.
_A_MOMENT = timedelta(seconds=1)
_LATER = timedelta(minutes=1)
# A gateway that was asked for a key and did not answer is gone, or its answer is.
_KEY_LIFE = timedelta(minutes=1)
RETRY_AFTER = (
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
)


@dataclass(frozen=True, slots=True)
class RotationStep:
    """What should happen: an act of the table, or None to wait until `look_at`.

    `look_at` None: until something is written that concerns it. `why` is what it waits for, or why
    the act is done. `reverted`: the agent is back on a certificate that was replaced.
    `must_make_key`: its gateway is to make a key.
    """

    act: str | None = None
    why: Text | str = ""
    look_at: datetime | None = None
    reverted: bool = False
    must_make_key: bool = False


def decide(facts: RotationFacts, rules: RotationRules, now: datetime) -> RotationStep:
    """Return the next step of a certificate."""
    rule = _RULES.get(facts.state)
    return rule(facts, rules, now) if rule is not None else RotationStep()


def retry_after(attempt: int) -> timedelta:
    """Return how long to wait after the attempt of this number (from 1) has failed."""
    return RETRY_AFTER[min(attempt, len(RETRY_AFTER)) - 1]


def _pending(facts: RotationFacts, rules: RotationRules, now: datetime) -> RotationStep:
    if not facts.is_approved:
        return RotationStep(why=text("cert.waits_approval"))
    if facts.blocked:
        # Nothing is issued that cannot be handed over: its time would run out on a shelf.
        return RotationStep(why=facts.blocked, look_at=now + _LATER)
    if not facts.agent.accepts_settings:
        return RotationStep("refuse", text("cert.accepts_no_settings"))
    if not facts.has_request:
        return RotationStep(why=text("cert.waits_key"), look_at=now + _KEY_LIFE, must_make_key=True)
    return RotationStep("issue")


def _issued(facts: RotationFacts, rules: RotationRules, now: datetime) -> RotationStep:
    if _is_over(facts, now):
        return RotationStep("fail", text("cert.expired_unused"))
    if facts.blocked:
        return RotationStep(why=facts.blocked, look_at=now + _LATER)
    return RotationStep("offer")


def _offered(facts: RotationFacts, rules: RotationRules, now: datetime) -> RotationStep:
    agent = facts.agent
    early = _used_or_refused(facts, now)
    if early is not None:
        return early
    if agent.word in {SettingsWord.APPLYING, SettingsWord.APPLIED}:
        return RotationStep("take", text("cert.agent_tries"))
    if agent.sent_at is not None and (agent.came_back_at is not None or not agent.is_connected):
        return RotationStep("take", text("cert.left_with_it"))
    if not agent.is_connected:
        return RotationStep(why=text("cert.waits_agent"))
    start = max(facts.offered_at or facts.since, agent.connected_at or facts.since)
    if now >= start + rules.offer_timeout:
        return RotationStep("fail", text("cert.not_taken", within_s=_seconds(rules.offer_timeout)))
    return RotationStep(why=text("cert.waits_word"), look_at=start + rules.offer_timeout)


def _applying(facts: RotationFacts, rules: RotationRules, now: datetime) -> RotationStep:
    early = _used_or_refused(facts, now)
    if early is not None:
        return early
    if facts.agent.came_back_at is not None:
        return RotationStep("roll_back", text("cert.came_back"))
    ends = facts.since + rules.offer_timeout
    if now >= ends:
        code = "cert.not_used" if facts.agent.is_connected else "cert.not_back"
        return RotationStep("fail", text(code, within_s=_seconds(rules.offer_timeout)))
    return RotationStep(why=text("cert.waits_use"), look_at=ends)


def _used_or_refused(facts: RotationFacts, now: datetime) -> RotationStep | None:
    """Return what proof, refusal or the end of its time mean, whatever else is so."""
    agent = facts.agent
    if agent.proven_at is not None:
        return RotationStep("prove", text("cert.proved"))
    if not agent.is_known:
        return RotationStep(look_at=now + _A_MOMENT)
    if agent.word is SettingsWord.FAILED:
        return RotationStep("fail", text("cert.agent_failed", says=agent.says))
    if _is_over(facts, now):
        return RotationStep("fail", text("cert.expired_unused"))
    return None


def _installed(facts: RotationFacts, rules: RotationRules, now: datetime) -> RotationStep:
    if _is_over(facts, now):
        return RotationStep("expire", text("cert.time_over"))
    return RotationStep(look_at=facts.not_after, reverted=facts.agent.uses_older and facts.is_next)


def _missed(facts: RotationFacts, rules: RotationRules, now: datetime) -> RotationStep:
    """It did not arrive in time; if the agent uses it after all, it has arrived."""
    if _is_over(facts, now):
        return RotationStep("expire", text("cert.time_over"))
    if facts.agent.proven_at is not None and facts.agent.uses_this:
        return RotationStep("prove", text("cert.used_after_all"))
    return RotationStep(look_at=facts.not_after)


def _superseded(facts: RotationFacts, rules: RotationRules, now: datetime) -> RotationStep:
    """Revoke what is not needed any more; who has nothing else keeps it to its end (R24)."""
    if _is_over(facts, now):
        return RotationStep("expire", text("cert.time_over"))
    ends = facts.since + rules.superseded_for
    if not facts.agent.keeps_offers:
        return RotationStep(why=text("cert.kept_for_restart"), look_at=facts.not_after)
    if facts.agent.uses_this or not facts.agent.is_known:
        return RotationStep(why=text("cert.still_used"), look_at=now + rules.superseded_for)
    if now >= ends:
        return RotationStep("revoke", text("cert.replaced"))
    return RotationStep(look_at=ends)


def _is_over(facts: RotationFacts, now: datetime) -> bool:
    return facts.not_after is not None and now >= facts.not_after


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())


_RULES: dict[CertificateState, Callable[[RotationFacts, RotationRules, datetime], RotationStep]] = {
    _S.PENDING: _pending,
    _S.ISSUED: _issued,
    _S.OFFERED: _offered,
    _S.APPLYING: _applying,
    _S.INSTALLED: _installed,
    _S.FAILED: _missed,
    _S.ROLLED_BACK: _missed,
    _S.SUPERSEDED: _superseded,
}
