"""The life of a certificate over rows and turns of the loop (SEC-16; OP-45)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from accounts.models import AuditEvent
from agents.models import (
    Agent,
    AgentCertificate,
    Command,
    ConfigStatus,
    DesiredSettings,
    TrustedAuthority,
)
from certs.loop import entrance
from certs.models import Authority, Certificate
from tests.certs.rows import Asker
from tests.make.requests import new_key

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("issuing")]
NOW = datetime.now(UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def acts(certificate: Certificate) -> list[str]:
    rows = AuditEvent.objects.filter(object_kind="certificate", object_id=str(certificate.pk))
    return [row.act for row in rows.order_by("pk")]


def offered(agent: Agent) -> dict[str, str]:
    settings = DesiredSettings.objects.get(agent=agent).settings
    return dict(settings["opamp"]["certificate"])


def test_op_45_a_request_becomes_a_certificate_that_is_offered() -> None:
    agent = Asker(NOW)
    agent.asks()
    agent.tick()
    certificate = agent.newest
    assert certificate.state == "offered"
    leaf = x509.load_pem_x509_certificate(offered(agent.agent)["cert"].encode())
    assert leaf.public_key() == agent.key.public_key()
    assert "private_key" not in offered(agent.agent)
    registered = AgentCertificate.objects.get(fingerprint=certificate.fingerprint)
    assert registered.agent == agent.agent
    assert registered.authority == Authority.objects.get().trusted


def test_the_authority_is_trusted_and_announced_with_the_first_turn() -> None:
    Asker(NOW).tick()
    assert TrustedAuthority.objects.get().is_ours
    assert AuditEvent.objects.filter(act="ca.activated").count() == 1
    Asker(NOW).tick()
    assert Authority.objects.count() == 1


def test_sec_16_it_is_installed_when_a_session_was_made_with_it() -> None:
    agent = Asker(NOW)
    certificate = agent.gets_a_certificate()
    assert acts(certificate) == ["cert.pending", "cert.issued", "cert.offered", "cert.installed"]
    assert certificate.renew_at is not None


def test_sec_16_the_word_of_an_agent_is_no_proof() -> None:
    agent = Asker(NOW)
    agent.asks()
    agent.tick()
    agent.is_sent_the_offer()
    agent.says(ConfigStatus.APPLIED)
    agent.tick()
    assert agent.states == ["applying"]
    agent.tick(timedelta(minutes=11))
    assert agent.states == ["failed", "pending"]


def test_sec_16_an_agent_that_refuses_is_asked_again_later() -> None:
    agent = Asker(NOW)
    agent.asks()
    agent.tick()
    agent.is_sent_the_offer()
    agent.says(ConfigStatus.FAILED, "no room")
    agent.tick()
    assert agent.states == ["failed", "pending"]
    assert agent.certificates[0].says == "no room"
    agent.tick(timedelta(minutes=14))
    assert agent.states == ["failed", "pending"]
    agent.tick(timedelta(minutes=2))
    assert agent.states == ["failed", "offered"]
    first, second = agent.certificates
    assert second.attempt == 2
    assert first.fingerprint != second.fingerprint
    assert first.offer_hash != second.offer_hash


def test_sec_16_an_agent_that_comes_back_with_the_old_one_has_rolled_back() -> None:
    agent = Asker(NOW)
    agent.asks()
    agent.tick()
    agent.is_sent_the_offer()
    agent.later().leaves()
    agent.tick()
    assert agent.states == ["applying"]
    agent.later().connects("token:1")
    agent.tick()
    assert agent.states == ["rolled_back", "pending"]


def test_sec_16_what_was_given_up_and_is_used_after_all_is_installed() -> None:
    agent = Asker(NOW)
    agent.asks()
    agent.tick()
    agent.is_sent_the_offer()
    agent.later().leaves()
    agent.tick().tick(timedelta(minutes=11))
    assert agent.states == ["failed", "pending"]
    agent.later().uses(agent.certificates[0])
    agent.tick()
    assert agent.states == ["installed", "cancelled"]


def test_sec_16_an_agent_that_is_away_is_not_hurried() -> None:
    agent = Asker(NOW)
    agent.asks()
    agent.tick()
    agent.leaves()
    agent.tick(3 * DAY)
    assert agent.states == ["offered"]


def test_r23_the_same_request_again_is_the_same_certificate() -> None:
    agent = Asker(NOW)
    request = agent.asks()
    agent.tick()
    agent.asks(pem=request.csr.encode())
    agent.tick()
    assert agent.states == ["offered"]


def test_another_request_takes_the_place_of_one_that_has_not_arrived() -> None:
    agent = Asker(NOW)
    agent.asks()
    agent.tick()
    agent.asks(new_key())
    agent.tick()
    assert agent.states == ["cancelled", "offered"]


def test_a_renewal_by_the_agent_supersedes_what_it_had() -> None:
    agent = Asker(NOW)
    first = agent.gets_a_certificate()
    agent.asks(new_key(), by=first.principal)
    agent.tick()
    second = agent.newest
    agent.is_sent_the_offer()
    agent.later().uses(second)
    agent.tick()
    assert agent.states == ["superseded", "installed"]
    agent.tick(DAY + HOUR)
    assert agent.states == ["revoked", "installed"]
    assert AgentCertificate.objects.get(fingerprint=first.fingerprint).revoked_at is not None


def test_r24_an_agent_back_on_the_one_before_is_offered_anew_once_a_day() -> None:
    agent = Asker(NOW, Agent.Kind.SUPERVISOR)
    first = agent.gets_a_certificate()
    agent.asks(new_key(), by=first.principal)
    agent.tick()
    agent.later().uses(agent.newest)
    agent.tick()
    agent.later().uses(first)
    agent.tick().tick()
    assert agent.states == ["superseded", "installed", "pending"]
    assert AuditEvent.objects.filter(act="cert.reverted").count() == 1
    agent.tick(DAY - HOUR)
    assert agent.newest.state == "pending"
    agent.tick(HOUR)
    assert agent.newest.state == "offered"


def test_sec_16_a_supervisor_keeps_what_was_replaced_until_it_expires() -> None:
    agent = Asker(NOW, Agent.Kind.SUPERVISOR)
    first = agent.gets_a_certificate()
    agent.asks(new_key(), by=first.principal)
    agent.tick()
    agent.later().uses(agent.newest)
    agent.tick().tick(20 * DAY)
    assert agent.states[0] == "superseded"


def test_r27_what_is_due_is_renewed_with_the_same_key() -> None:
    agent = Asker(NOW)
    first = agent.gets_a_certificate()
    assert first.renew_at is not None
    agent.tick(first.renew_at - agent.now - HOUR)
    assert agent.states == ["installed"]
    agent.tick(HOUR)
    assert agent.states == ["installed", "offered"]
    second = agent.newest
    assert (second.origin, second.needed_by) == ("renewal", first.not_after)
    leaf = x509.load_pem_x509_certificate(second.chain_pem.encode())
    assert leaf.public_key() == agent.key.public_key()


def test_r29_an_agent_that_is_away_when_due_is_renewed_when_it_returns() -> None:
    agent = Asker(NOW)
    first = agent.gets_a_certificate()
    assert first.renew_at is not None
    agent.leaves()
    agent.tick(first.renew_at - agent.now + HOUR)
    assert agent.states == ["installed", "pending"]
    agent.later().uses(first)
    agent.tick()
    assert agent.states == ["installed", "offered"]


def test_nothing_is_issued_while_the_entrance_cannot_be_proved(settings: Any) -> None:
    settings.OPAMP_URL = "wss://127.0.0.1:1/v1/opamp"
    agent = Asker(NOW)
    agent.asks()
    agent.tick()
    assert agent.states == ["pending"]
    assert "would not come back" in str(agent.newest.why)
    assert not DesiredSettings.objects.exists()


def test_an_agent_that_takes_no_settings_is_told_so() -> None:
    agent = Asker(NOW)
    Agent.objects.update(capabilities=0)
    agent.asks()
    agent.tick()
    assert agent.states == ["failed"]
    told = Command.objects.get(kind=Command.Kind.NO_CERTIFICATE)
    assert "AcceptsOpAMPConnectionSettings" in told.details["text"]


def test_a_shared_token_brings_no_second_certificate_by_itself() -> None:
    agent = Asker(NOW)
    agent.gets_a_certificate()
    agent.asks(new_key(), by="pool:1")
    agent.tick().tick(HOUR)
    assert agent.states == ["installed", "pending"]
    assert "a person must approve" in str(agent.newest.why)


def test_a_key_that_others_can_read_stops_issuing_and_says_so(ca_files: Path) -> None:
    agent = Asker(NOW)
    agent.asks()
    (ca_files / "ca.key").chmod(0o644)
    agent.tick()
    assert agent.states == ["pending"]
    assert "chmod 600" in str(agent.newest.why)
    (ca_files / "ca.key").chmod(0o600)
    agent.tick()
    assert agent.states == ["offered"]


def test_the_files_of_another_authority_issue_nothing(ca_files: Path) -> None:
    Asker(NOW).tick()
    other = (ca_files / "server-ca.pem").read_text()
    (ca_files / "ca.pem").write_text(other)
    agent = Asker(NOW)
    agent.asks()
    agent.tick()
    assert "does not belong" in str(agent.newest.why)


@pytest.mark.parametrize("died_after", ["issued", "claimed"])
def test_sec_16_a_worker_that_dies_between_two_steps_loses_nothing(
    died_after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies before it writes what the issuer gave, or before it asks: the row is lent for a minute."""
    agent = Asker(NOW)
    agent.asks()

    def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(f"certs.loop.issuing.{'_write' if died_after == 'issued' else '_ask'}", die)
        with pytest.raises(SystemExit):
            agent.tick()
    assert agent.states == ["pending"]
    agent.tick(timedelta(minutes=2))
    assert agent.states == ["offered"]


def test_sec_39_without_an_authority_nothing_is_done(settings: Any) -> None:
    settings.CERTIFICATES_CA_FILE = ""
    agent = Asker(NOW)
    agent.asks()
    agent.tick()
    assert agent.states == ["pending"]
    entrance.forget_proofs()
