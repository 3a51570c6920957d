"""The next step of a certificate, by a table of cases (SEC-16)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs.rotation.decide import RETRY_AFTER, decide, retry_after
from certs.rotation.facts import RotationFacts, RotationRules, SettingsWord, Speaker
from certs.rotation.states import CERTIFICATE_TABLE, CertificateState, as_markdown
from console.lib.texts import text

PAGE = Path(__file__).resolve().parents[3] / "docs" / "certificates.md"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
RULES = RotationRules()
AGO = timedelta(minutes=1)
S = CertificateState
HERE = Speaker(is_connected=True, connected_at=NOW - timedelta(days=1))
GONE = Speaker(is_connected=False, gone_at=NOW - AGO)


def facts(state: CertificateState, agent: Speaker = HERE, **more: object) -> RotationFacts:
    fields: dict[str, object] = {
        "since": NOW - AGO,
        "offered_at": NOW - AGO,
        "not_after": NOW + timedelta(days=30),
        **more,
    }
    return RotationFacts(state=state, agent=agent, **fields)  # type: ignore[arg-type]


def act(state: CertificateState, agent: Speaker = HERE, **more: object) -> str | None:
    return decide(facts(state, agent, **more), RULES, NOW).act


SENT = replace(HERE, sent_at=NOW - AGO)
PROVEN = replace(HERE, proven_at=NOW - AGO, uses_this=True)
BACK = replace(SENT, came_back_at=NOW)
LONG_AGO = NOW - timedelta(minutes=10)


def says(word: SettingsWord, speaker: Speaker = SENT) -> Speaker:
    return replace(speaker, word=word, says="no such file")


CASES = [
    ("what is approved is issued", S.PENDING, HERE, {}, "issue"),
    ("what is not approved waits", S.PENDING, HERE, {"is_approved": False}, None),
    ("what cannot be offered is not issued", S.PENDING, HERE, {"blocked": text("cert.due")}, None),
    ("who takes no settings is refused", S.PENDING, replace(HERE, accepts_settings=False), {}, "refuse"),
    ("what is issued is offered", S.ISSUED, HERE, {}, "offer"),
    ("a dead entrance is never offered", S.ISSUED, HERE, {"blocked": text("cert.due")}, None),
    ("what expired on the shelf failed", S.ISSUED, HERE, {"not_after": NOW}, "fail"),
    ("an offer waits for an agent that is away", S.OFFERED, GONE, {"offered_at": NOW - timedelta(days=3)}, None),
    ("an offer waits for a word", S.OFFERED, SENT, {}, None),
    ("an agent that was away has its time from its return", S.OFFERED, replace(SENT, connected_at=NOW - AGO), {"offered_at": NOW - timedelta(days=3)}, None),
    ("ten minutes without a word failed", S.OFFERED, SENT, {"offered_at": LONG_AGO}, "fail"),
    ("APPLYING is taken", S.OFFERED, says(SettingsWord.APPLYING), {}, "take"),
    ("APPLIED is no proof", S.OFFERED, says(SettingsWord.APPLIED), {}, "take"),
    ("FAILED failed", S.OFFERED, says(SettingsWord.FAILED), {}, "fail"),
    ("who leaves with it takes it", S.OFFERED, replace(GONE, sent_at=NOW - AGO), {}, "take"),
    ("a connection with it is proof", S.OFFERED, PROVEN, {}, "prove"),
    ("a connection with it beats the word", S.OFFERED, replace(PROVEN, word=SettingsWord.FAILED), {}, "prove"),
    ("APPLIED for ever proves nothing", S.APPLYING, says(SettingsWord.APPLIED), {"since": LONG_AGO}, "fail"),
    ("who is away for long may be lost", S.APPLYING, replace(GONE, sent_at=NOW - AGO), {"since": LONG_AGO}, "fail"),
    ("who is away a moment is waited for", S.APPLYING, replace(GONE, sent_at=NOW - AGO), {}, None),
    ("who comes back with the old one rolled back", S.APPLYING, BACK, {}, "roll_back"),
    ("who it is may not be written yet", S.APPLYING, replace(BACK, is_known=False), {}, None),
    ("a connection with it is proof while applying", S.APPLYING, PROVEN, {}, "prove"),
    ("FAILED while applying failed", S.APPLYING, says(SettingsWord.FAILED), {}, "fail"),
    ("what is in use stays", S.INSTALLED, PROVEN, {}, None),
    ("what is in use expires", S.INSTALLED, PROVEN, {"not_after": NOW}, "expire"),
    ("what failed and is used after all is installed", S.FAILED, PROVEN, {}, "prove"),
    ("what rolled back and is used after all is installed", S.ROLLED_BACK, PROVEN, {}, "prove"),
    ("what was used once and is not now stays rolled back", S.ROLLED_BACK, replace(PROVEN, uses_this=False), {}, None),
    ("what failed expires", S.FAILED, HERE, {"not_after": NOW}, "expire"),
    ("what is replaced stays for a day", S.SUPERSEDED, HERE, {}, None),
    ("then it is revoked", S.SUPERSEDED, HERE, {"since": NOW - timedelta(days=1)}, "revoke"),
    ("but not while it is used", S.SUPERSEDED, replace(HERE, uses_this=True), {"since": NOW - timedelta(days=1)}, None),
    ("and never from who forgets the newer one", S.SUPERSEDED, replace(HERE, keeps_offers=False), {"since": NOW - timedelta(days=20)}, None),
    ("what is replaced expires", S.SUPERSEDED, HERE, {"not_after": NOW}, "expire"),
    ("what is revoked stays so", S.REVOKED, PROVEN, {}, None),
    ("what is cancelled stays so", S.CANCELLED, PROVEN, {}, None),
]  # fmt: skip


@pytest.mark.parametrize(("state", "agent", "more", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])  # fmt: skip
def test_sec_16_the_step(
    state: CertificateState, agent: Speaker, more: dict[str, object], expected: str | None
) -> None:
    assert act(state, agent, **more) == expected


def test_sec_16_every_state_and_every_act_has_a_case() -> None:
    assert {case[1] for case in CASES} | {S.EXPIRED} == set(CertificateState)
    told = {case[4] for case in CASES} - {None}
    by_acts_of_others = {"cancel", "supersede"}
    assert told | by_acts_of_others == {name for name, _ in CERTIFICATE_TABLE}


def test_an_agent_back_on_the_one_before_is_told_of_but_not_while_another_comes() -> None:
    back = replace(HERE, uses_older=True)
    assert decide(facts(S.INSTALLED, back), RULES, NOW).reverted
    assert not decide(facts(S.INSTALLED, back, is_next=False), RULES, NOW).reverted


def test_without_a_key_the_gateway_is_asked_for_one() -> None:
    step = decide(facts(S.PENDING, has_request=False), RULES, NOW)
    assert step.act is None
    assert step.must_make_key


def test_a_wait_for_time_names_when_to_look_again() -> None:
    step = decide(facts(S.OFFERED, SENT), RULES, NOW)
    assert step.look_at == NOW - AGO + RULES.offer_timeout


def test_attempts_come_later_and_later() -> None:
    assert [retry_after(attempt) for attempt in range(1, 7)] == [
        *RETRY_AFTER,
        RETRY_AFTER[-1],
        RETRY_AFTER[-1],
    ]


TIMES = st.none() | st.integers(-2000, 2000).map(lambda minutes: NOW + timedelta(minutes=minutes))
SPEAKERS = st.builds(
    Speaker,
    is_connected=st.booleans(),
    is_known=st.booleans(),
    connected_at=TIMES,
    accepts_settings=st.booleans(),
    keeps_offers=st.booleans(),
    word=st.none() | st.sampled_from(SettingsWord),
    sent_at=TIMES,
    proven_at=TIMES,
    came_back_at=TIMES,
    uses_this=st.booleans(),
    uses_older=st.booleans(),
)


@given(
    state=st.sampled_from(CertificateState),
    agent=SPEAKERS,
    ends=st.integers(-100, 100_000),
    since=st.integers(0, 100_000),
    approved=st.booleans(),
)
def test_sec_16_any_facts_lead_to_a_step_of_the_table(
    state: CertificateState, agent: Speaker, ends: int, since: int, approved: bool
) -> None:
    known = facts(
        state,
        agent,
        is_approved=approved,
        not_after=NOW + timedelta(minutes=ends),
        since=NOW - timedelta(minutes=since),
    )
    step = decide(known, RULES, NOW)
    if step.act is not None:
        assert (step.act, state) in CERTIFICATE_TABLE
    if step.act == "prove":
        assert agent.proven_at is not None
    if step.look_at is not None:
        assert step.look_at > NOW


def test_the_page_shows_every_transition() -> None:
    assert as_markdown() in PAGE.read_text()
