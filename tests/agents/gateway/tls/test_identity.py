"""Whose a certificate is, and what it may claim with it (R22; SEC-09, SEC-10 for certificates)."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace

import pytest
from django.db import transaction

from accounts.actor import SYSTEM
from agents.actions.tokens import issue_token, revoke_token
from agents.actions.trust import register_certificate
from agents.gateway.principal import MAX_BINDING, Principal, Proof
from agents.gateway.tls.identity import FILE_RULE, RuledIdentity, identity_by_rule
from agents.models import Agent, AgentAlias
from console.lib.certificate_making import Pair, make_client
from console.lib.certificates import facts_of
from tests.agents.gateway.fake_agent import FakeAgent, full_state
from tests.agents.gateway.helpers import row, stored
from tests.agents.gateway.sockets.test_refused import refused
from tests.agents.gateway.tls.conftest import Secure, StartTls
from tests.agents.gateway.tls.odd import Openssl
from tests.agents.gateway.tls.test_mtls import outcome_of
from tests.agents.gateway.tls.world import World, put
from tests.make import agents as rows
from tests.make import certificates
from tests.make.waiting import eventually

UID = uuid.UUID("0192f2b4-1111-7222-8333-944455566677")


@pytest.mark.parametrize(
    ("rule", "uris", "name", "found"),
    [
        (FILE_RULE, [f"spiffe://any/agent/{UID}"], "host", RuledIdentity(uid=UID.bytes)),
        (FILE_RULE, [f"spiffe://any/agent/{UID.hex}"], "host", RuledIdentity(uid=UID.bytes)),
        (FILE_RULE, [], "edge-17", RuledIdentity(name="edge-17")),
        (FILE_RULE, [], "", None),
        (r"spiffe://a/(?P<uid>.+)", ["spiffe://a/no-uid"], "x", None),
        (
            r"spiffe://a/(?P<uid>.+)",
            ["spiffe://b/c", f"spiffe://a/{UID}"],
            "x",
            RuledIdentity(UID.bytes),
        ),
        (r"host-(?P<name>\d+)", ["urn:x"], "host-12", RuledIdentity(name="12")),
        (r"host-(?P<name>\d+)", ["urn:x"], "xhost-12", None),
        (r"(?P<name>.+)", [], "x" * 201, None),
    ],
)
def test_a_rule_says_whose_it_is(
    rule: str, uris: list[str], name: str, found: RuledIdentity | None
) -> None:
    ca = certificates.authority()
    facts = facts_of(make_client(ca, "x", uris or ["urn:none"], certificates.life()).certificate)
    facts = replace(facts, uris=tuple(uris), common_name=name)
    assert identity_by_rule(re.compile(rule), facts) == found


def test_a_binding_fits_its_column_and_is_its_own() -> None:
    one, other = (
        Principal(Proof.CERTIFICATE, "f" * 32, holder="long-name-" * 20 + end) for end in "ab"
    )
    assert len(one.binding) == MAX_BINDING
    assert one.binding != other.binding
    assert Principal(Proof.CERTIFICATE, "f", holder="edge").binding == "name:edge"


class TestUids:
    def test_sec_10_another_uid_than_its_own_is_refused(
        self, world: World, start_tls: StartTls, secure: Secure, transport: str
    ) -> None:
        world.trust()
        gateway = start_tls(auth="mtls")
        victim = uuid.uuid4()
        rows.make_agent("victim", instance_uid=victim, status={})
        for claimed in (victim, uuid.uuid4()):
            tls = world.client(certificates.client(world.agent_ca, uuid.uuid4()))
            thief = secure(gateway, tls, transport, uid=claimed.bytes)
            assert says_mismatch(thief)
        assert refused(reason="uid_mismatch").credential.startswith("certificate:")
        assert not Agent.objects.exclude(instance_uid=victim).exists()

    def test_op_46_a_renamed_agent_comes_with_its_old_certificate(
        self, world: World, start_tls: StartTls, secure: Secure, transport: str
    ) -> None:
        world.trust()
        gateway = start_tls(auth="mtls")
        old, new = uuid.uuid4(), uuid.uuid4()
        agent = rows.make_agent("renamed", instance_uid=new, status={})
        AgentAlias.objects.create(instance_uid=old, agent=agent, at=agent.first_seen_at)
        tls = world.client(certificates.client(world.agent_ca, old))
        came = secure(gateway, tls, transport, uid=new.bytes)
        assert not came.begin().HasField("error_response")
        assert row(came).pk == agent.pk

    def test_a_registered_certificate_is_its_agents_whatever_it_says(
        self, world: World, start_tls: StartTls, secure: Secure, transport: str
    ) -> None:
        world.trust(rule="")
        gateway = start_tls(auth="mtls")
        agent = rows.make_agent("kept", status={})
        shown = certificates.client(world.agent_ca, "odd subject")
        register(agent, shown)
        came = secure(gateway, world.client(shown), transport, uid=agent.instance_uid.bytes)
        assert not came.begin().HasField("error_response")
        thief = secure(gateway, world.client(shown), transport, uid=uuid.uuid4().bytes)
        assert says_mismatch(thief)

    def test_without_a_rule_a_stranger_of_the_same_authority_is_refused(
        self, world: World, start_tls: StartTls, secure: Secure, transport: str
    ) -> None:
        world.trust(rule="")
        tls = world.client(certificates.client(world.agent_ca, uuid.uuid4()))
        agent = secure(start_tls(auth="mtls"), tls, transport)
        assert outcome_of(agent) == "credential_invalid"
        assert "no rule" in refused(reason="certificate_unknown").detail


class TestNames:
    def test_a_version_1_certificate_of_plain_openssl_is_mapped_and_warned_of(
        self,
        world: World,
        start_tls: StartTls,
        secure: Secure,
        transport: str,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        made = Openssl(world.folder)
        ca = made.authority()
        put(world.folder / "bundle.crt", ca.pem.encode())
        gateway = start_tls(auth="mtls", tls={"client_ca": world.folder / "bundle.crt"})
        first, second = (
            made.leaf("edge-17"),
            made.leaf("edge-17"),
        )  # renewed: another key and serial
        assert first.certificate.version.name == "v1"
        agent = secure(gateway, world.client(first), transport)
        assert not agent.begin().HasField("error_response")
        stored(agent, connected=True)
        assert row(agent).bound_to == "name:edge-17"
        assert sum("version 1 was let in" in r.getMessage() for r in caplog.records) == 1
        agent.close()
        again = secure(gateway, world.client(second), transport, uid=agent.uid)
        assert not again.begin().HasField("error_response")
        other = secure(gateway, world.client(made.leaf("edge-18")), transport, uid=agent.uid)
        assert says_mismatch(other)


class TestBoth:
    """Order of checks, step 4 and 5 (security.md 3.1)."""

    def test_sec_09_both_must_be_valid_and_one_agent_s(
        self, world: World, start_tls: StartTls, secure: Secure, transport: str
    ) -> None:
        world.trust()
        gateway = start_tls(auth="mtls+token")
        mine, other = (rows.make_agent(name, status={}) for name in ("mine", "other"))
        shown = certificates.client(world.agent_ca, mine.instance_uid)
        register(mine, shown)
        registry = gateway.server.keeper.certificates.registry
        eventually(lambda: registry.get(facts_of(shown.certificate).fingerprint), "the hint")
        revoked, expected = issue_token(name="r", by=SYSTEM, agent_id=mine.pk), {}
        revoke_token(token_id=revoked[0].pk, by=SYSTEM)
        expected[issue_token(name="o", by=SYSTEM, agent_id=other.pk)[1]] = "credential_mismatch"
        expected[revoked[1]] = "credential_invalid"
        expected["tg_a_unknown"] = "credential_invalid"
        expected[issue_token(name="m", by=SYSTEM, agent_id=mine.pk)[1]] = "in"
        for secret, told in expected.items():
            headers = {"Authorization": f"Bearer {secret}"}
            agent = secure(
                gateway,
                world.client(shown),
                transport,
                uid=mine.instance_uid.bytes,
                headers=headers,
            )
            assert outcome_of(agent) == told, secret[:8]
            agent.close()

    @pytest.mark.parametrize(
        ("auth", "with_certificate", "with_token", "told"),
        [
            ("mtls+token", True, False, "credential_missing"),
            ("mtls+token", False, True, "mtls_required"),
            ("mtls+token", False, False, "credential_missing"),
            ("mtls", False, True, "mtls_required"),
            ("token", True, False, "credential_missing"),
            ("any", True, False, "in"),
            ("any", False, True, "in"),
            ("any", False, False, "credential_missing"),
            ("none", False, False, "in"),
        ],
    )
    def test_sec_09_what_is_missing_is_named(
        self,
        world: World,
        start_tls: StartTls,
        secure: Secure,
        transport: str,
        auth: str,
        with_certificate: bool,
        with_token: bool,
        told: str,
    ) -> None:
        world.trust()
        uid = uuid.uuid4()
        shown = certificates.client(world.agent_ca, uid) if with_certificate else None
        secret = issue_token(name="pool", by=SYSTEM)[1]
        headers = {"Authorization": f"Bearer {secret}"} if with_token else {}
        agent = secure(
            start_tls(auth=auth), world.client(shown), transport, uid=uid.bytes, headers=headers
        )
        assert outcome_of(agent) == told

    def test_sec_09_a_wrong_certificate_is_not_saved_by_a_good_token(
        self, world: World, start_tls: StartTls, secure: Secure, transport: str
    ) -> None:
        world.trust()
        shown = certificates.client(world.agent_ca, uuid.uuid4(), -9, -1)
        headers = {"Authorization": f"Bearer {issue_token(name='pool', by=SYSTEM)[1]}"}
        agent = secure(start_tls(), world.client(shown), transport, headers=headers)
        assert outcome_of(agent) == "certificate_expired"

    def test_sec_13_a_revoked_token_cuts_who_came_with_both(
        self, world: World, start_tls: StartTls, secure: Secure
    ) -> None:
        world.trust()
        uid = uuid.uuid4()
        token, secret = issue_token(name="pool", by=SYSTEM)
        tls = world.client(certificates.client(world.agent_ca, uid))
        headers = {"Authorization": f"Bearer {secret}"}
        agent = secure(start_tls(auth="mtls+token"), tls, uid=uid.bytes, headers=headers)
        agent.begin()
        revoke_token(token_id=token.pk, by=SYSTEM)
        assert agent.closed_with() == 1008


def register(agent: Agent, shown: Pair) -> None:
    with transaction.atomic():
        register_certificate(agent_id=agent.pk, certificate_pem=shown.pem, by=SYSTEM)


def says_mismatch(agent: FakeAgent) -> bool:
    """Whether the agent is told that the uid is not its own."""
    agent.connect()
    message = agent.message(**full_state())
    if agent.transport == "http":
        answer = agent.post(message.SerializeToString())
        return answer.status_code == 403 and answer.json()["code"] == "uid_mismatch"
    told = agent.exchange(message).error_response.error_message
    assert "does not belong to this credential" in told
    return agent.closed_with() == 1008
