from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from agents.actions.trust import (
    register_certificate,
    retire_authority,
    revoke_certificate,
    trust_authority,
)
from agents.models import AgentCertificate, TrustedAuthority
from console.lib.problems import Denied, Invalid, Missing, Refused
from tests.make import certificates
from tests.make.agents import make_agent
from tests.make.people import make_actor

pytestmark = pytest.mark.django_db
RULE = r"spiffe://tidegate\.test/agent/(?P<uid>.+)"


def test_an_authority_is_trusted_with_its_rule_and_labels() -> None:
    ca = certificates.authority("Site A")
    made = trust_authority(
        name="Site A",
        pem=ca.pem,
        by=make_actor("admin"),
        identity_rule=RULE,
        labels={"site": "a"},
    )
    kept = TrustedAuthority.objects.get(pk=made.pk)
    assert (kept.name, kept.identity_rule, kept.labels) == ("Site A", RULE, {"site": "a"})
    assert kept.pem == ca.pem
    assert kept.not_after == ca.certificate.not_valid_after_utc


def test_trusting_again_brings_a_retired_one_back_as_a_newer_change() -> None:
    ca, by = certificates.authority(), make_actor("admin")
    made = trust_authority(name="A", pem=ca.pem, by=by)
    retired = retire_authority(authority_id=made.pk, by=by, reason="moved")
    assert retired.retired_at is not None
    assert retired.change > made.change
    again = trust_authority(name="A", pem=ca.pem, by=by, identity_rule=RULE)
    assert (again.pk, again.retired_at, again.identity_rule) == (made.pk, None, RULE)
    assert again.change > retired.change


def test_two_authorities_of_one_name_are_told_apart() -> None:
    by = make_actor("admin")
    one = trust_authority(name="A", pem=certificates.authority().pem, by=by)
    two = trust_authority(name="A", pem=certificates.authority().pem, by=by)
    assert one.name == "A"
    assert two.name == f"A {two.fingerprint[:8]}"


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ("(?P<uid>", "no regular expression"),
        ("spiffe://x/(.+)", "a group named uid or name"),
        ("spiffe://x/(?P<host>.+)", "a group named uid or name"),
        ("(?P<uid>.)" + "x" * 300, "at most 300"),
    ],
)
def test_a_rule_that_names_nobody_is_refused(rule: str, word: str) -> None:
    with pytest.raises(Invalid, match=word):
        trust_authority(
            name="A", pem=certificates.authority().pem, by=make_actor("admin"), identity_rule=rule
        )


def test_what_is_no_authority_is_refused() -> None:
    leaf = certificates.client(certificates.authority(), "x")
    with pytest.raises(Invalid, match="CA:TRUE"):
        trust_authority(name="A", pem=leaf.pem, by=make_actor("admin"))
    with pytest.raises(Invalid, match="no certificate in PEM"):
        trust_authority(name="A", pem="hello", by=make_actor("admin"))


def test_only_an_admin_trusts_authorities() -> None:
    with pytest.raises(Denied):
        trust_authority(name="A", pem=certificates.authority().pem, by=make_actor("operator"))


def test_a_certificate_is_registered_once_and_is_one_agents() -> None:
    agent, by = make_agent(), make_actor("operator")
    pem = certificates.client(certificates.authority(), agent.instance_uid).pem
    first = register_certificate(agent_id=agent.pk, certificate_pem=pem, by=by)
    again = register_certificate(agent_id=agent.pk, certificate_pem=pem, by=by)
    assert again.pk == first.pk
    assert first.is_valid(timezone.now())
    assert first.principal == f"certificate:{first.fingerprint[:32]}"
    assert AuditEvent.objects.filter(act="cert.registered").count() == 1
    with pytest.raises(Refused, match="belongs to another agent"):
        register_certificate(agent_id=make_agent().pk, certificate_pem=pem, by=by)


def test_one_seen_from_elsewhere_becomes_an_agents_own() -> None:
    agent, by = make_agent(), make_actor("operator")
    pem = certificates.client(certificates.authority(), agent.instance_uid).pem
    seen = register_certificate(agent_id=make_agent().pk, certificate_pem=pem, by=by)
    AgentCertificate.objects.filter(pk=seen.pk).update(is_observed=True)
    own = register_certificate(agent_id=agent.pk, certificate_pem=pem, by=by)
    assert (own.pk, own.agent_id, own.is_observed) == (seen.pk, agent.pk, False)
    assert own.change > seen.change


def test_registering_needs_an_agent_and_an_authority_that_are_there() -> None:
    by, pem = make_actor("operator"), certificates.client(certificates.authority(), "x").pem
    with pytest.raises(Missing):
        register_certificate(agent_id=0, certificate_pem=pem, by=by)
    with pytest.raises(Missing):
        register_certificate(agent_id=make_agent().pk, certificate_pem=pem, authority_id=0, by=by)


def test_a_revoked_certificate_is_valid_no_more_and_stays_so() -> None:
    agent, by = make_agent(), make_actor("operator")
    pem = certificates.client(certificates.authority(), agent.instance_uid).pem
    made = register_certificate(agent_id=agent.pk, certificate_pem=pem, by=by)
    revoked = revoke_certificate(certificate_id=made.pk, by=by, reason="laptop lost")
    again = revoke_certificate(certificate_id=made.pk, by=by, reason="again")
    assert not revoked.is_valid(timezone.now())
    assert again.revoked_why == "laptop lost"
    assert revoked.change > made.change
    with pytest.raises(Missing):
        revoke_certificate(certificate_id=0, by=by, reason="")
