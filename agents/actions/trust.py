"""Whom the gateway trusts: authorities, and the registry of agents' certificates (security.md R22, R30).

Rows only; gateways read them on the hint, or at their next look (`agents.gateway.tls`). Keys are
nowhere here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from cryptography import x509
from django.db import connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.actor import Actor
from accounts.policy import require
from agents.actions.set_desired import next_change, take_push_lock
from agents.models import Agent, AgentCertificate, TrustedAuthority
from console.lib import hints
from console.lib.certificates import CertificateFacts, facts_of, read_pem, to_pem
from console.lib.problems import Invalid, Missing, Refused
from console.lib.texts import SaidError, text

MAX_RULE = 300


def trust_authority(
    *,
    name: str,
    pem: str,
    by: Actor,
    identity_rule: str = "",
    labels: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> TrustedAuthority:
    """Let agents in with certificates of this CA. Trusting it again changes rule and labels, and
    brings a retired one back.

    Raises Denied, and Invalid for what is no CA certificate or a rule without its group.
    """
    require(by, "agents.authorities")
    certificate, facts = _one(pem)
    if not facts.is_ca:
        raise Invalid.at("pem", text("trust.no_authority", subject=facts.subject))
    _check_rule(identity_rule)
    with transaction.atomic():
        given = {
            "name": _free_name(name, facts.fingerprint),
            "identity_rule": identity_rule,
            "labels": dict(labels or {}),
            "change": _change(),
        }
        authority, _ = TrustedAuthority.objects.update_or_create(
            fingerprint=facts.fingerprint,
            defaults={**given, "retired_at": None, "retired_why": ""},
            create_defaults={
                **given,
                "pem": to_pem(certificate),
                "subject": facts.subject,
                "not_before": facts.not_before,
                "not_after": facts.not_after,
                "added_at": now or timezone.now(),
                "added_by": by.name,
            },
        )
        _record("ca.trusted", authority, by, identity_rule=identity_rule)
    return authority


def retire_authority(
    *, authority_id: int, by: Actor, reason: str, now: datetime | None = None
) -> TrustedAuthority:
    """Trust a CA no longer: sessions with its certificates are cut, later ones refused (R30).

    Raises Denied, Missing. Retiring twice is done once.
    """
    require(by, "agents.authorities")
    with transaction.atomic():
        authority = (
            TrustedAuthority.objects.select_for_update(of=("self",), no_key=True)
            .filter(pk=authority_id)
            .first()
        )
        if authority is None:
            raise Missing("trust.missing_authority")
        if authority.retired_at is None:
            authority.retired_at, authority.retired_why = now or timezone.now(), reason
            authority.change = _change()
            authority.save(update_fields=["retired_at", "retired_why", "change"])
            _record("ca.retired", authority, by, reason)
    return authority


def register_certificate(
    *,
    agent_id: int,
    certificate_pem: str,
    by: Actor,
    authority_id: int | None = None,
    now: datetime | None = None,
) -> AgentCertificate:
    """Write down that this certificate is this agent's. Registering it twice is done once.

    The first certificate of the PEM counts; what follows is its chain. Whether it may be used is the
    gateway's to verify: the registry says whose it is. Raises Denied, Missing for the agent or the
    authority, Invalid for PEM that cannot be read, Refused when it is another agent's already.
    """
    require(by, "agents.certificates")
    _, facts = _one(certificate_pem)
    now = now or timezone.now()
    with transaction.atomic():
        _check_known(agent_id, authority_id)
        found, is_new = AgentCertificate.objects.get_or_create(
            fingerprint=facts.fingerprint,
            defaults={
                "agent_id": agent_id,
                "authority_id": authority_id,
                "subject": facts.subject,
                "serial": facts.serial,
                "not_before": facts.not_before,
                "not_after": facts.not_after,
                "issued_at": now,
                "change": _change(),
            },
        )
        if not is_new and not found.is_observed:
            if found.agent_id != agent_id:
                raise Refused("trust.of_another", fingerprint=facts.fingerprint[:16])
            return found
        if found.is_observed:
            found.is_observed, found.agent_id, found.change = False, agent_id, _change()
            found.authority_id = authority_id or found.authority_id
            found.save(update_fields=["is_observed", "agent_id", "authority_id", "change"])
        _record("cert.registered", found, by)
    return found


def _check_known(agent_id: int, authority_id: int | None) -> None:
    if not Agent.objects.filter(pk=agent_id).exists():
        raise Missing("agent.missing")
    if authority_id is None:
        return
    if not TrustedAuthority.objects.filter(pk=authority_id).exists():
        raise Missing("trust.missing_authority")


def revoke_certificate(
    *, certificate_id: int, by: Actor, reason: str, now: datetime | None = None
) -> AgentCertificate:
    """Refuse a certificate from now on and cut its sessions (R30).

    Raises Denied, Missing. Revoking twice is done once.
    """
    require(by, "agents.certificates")
    with transaction.atomic():
        found = (
            AgentCertificate.objects.select_for_update(of=("self",), no_key=True)
            .filter(pk=certificate_id)
            .first()
        )
        if found is None:
            raise Missing("trust.missing_certificate")
        if found.revoked_at is None:
            found.revoked_at, found.revoked_why = now or timezone.now(), reason
            found.change = _change()
            found.save(update_fields=["revoked_at", "revoked_why", "change"])
            _record("cert.revoked", found, by, reason)
    return found


def supersede_certificate(*, certificate_id: int, by: Actor, now: datetime) -> None:
    """Write down since when a newer one is in use; it may be used all the same. Raises Denied."""
    require(by, "agents.certificates")
    AgentCertificate.objects.filter(pk=certificate_id, superseded_at=None).update(superseded_at=now)


def refuse_certificate(
    *, certificate_pem: str, by: Actor, reason: str, now: datetime | None = None
) -> AgentCertificate:
    """Revoke a certificate of a PKI elsewhere, which the registry need not know yet: whatever the rule
    of its authority says, it is refused from now on and its sessions are cut (R30).

    Raises Denied, and Invalid for PEM that cannot be read.
    """
    require(by, "agents.certificates")
    _, facts = _one(certificate_pem)
    now = now or timezone.now()
    with transaction.atomic():
        found, _ = AgentCertificate.objects.get_or_create(
            fingerprint=facts.fingerprint,
            defaults={
                "is_observed": True,
                "subject": facts.subject,
                "serial": facts.serial,
                "not_before": facts.not_before,
                "not_after": facts.not_after,
                "issued_at": now,
                "change": _change(),
            },
        )
        return revoke_certificate(certificate_id=found.pk, by=by, reason=reason, now=now)


def _one(pem: str) -> tuple[x509.Certificate, CertificateFacts]:
    try:
        first = read_pem(pem)[0]
        return first, facts_of(first)
    except ValueError as bad:
        why = bad.says if isinstance(bad, SaidError) else str(bad)
        raise Invalid.at("pem", text("trust.unreadable", why=why)) from bad


def _check_rule(rule: str) -> None:
    """Raise Invalid unless the rule is "" or a regular expression with a group uid or name."""
    if not rule:
        return
    try:
        groups = re.compile(rule).groupindex.keys() & {"uid", "name"}
    except re.error as bad:
        why = text("trust.bad_rule", why=str(bad))
        raise Invalid.at("identity_rule", why) from bad
    if not groups or len(rule) > MAX_RULE:
        raise Invalid.at("identity_rule", text("trust.rule_groups", most=MAX_RULE))


def _free_name(name: str, fingerprint: str) -> str:
    """Return the name, or with some digits of the certificate where another CA has it."""
    taken = TrustedAuthority.objects.filter(name=name).exclude(fingerprint=fingerprint).exists()
    return f"{name[:90]} {fingerprint[:8]}" if taken else name[:100]


def _change() -> int:
    with connection.cursor() as cursor:
        take_push_lock(cursor)
        return next_change(cursor)


def _record(
    act: str,
    row: TrustedAuthority | AgentCertificate,
    by: Actor,
    reason: str = "",
    **details: object,
) -> None:
    is_authority = isinstance(row, TrustedAuthority)
    agent = {} if isinstance(row, TrustedAuthority) else {"agent": row.agent_id}
    audit.record(
        actor=by,
        act=act,
        object_kind="trusted_authority" if is_authority else "agent_certificate",
        object_id=row.pk,
        object_name=str(row) if is_authority else row.subject,
        reason=reason,
        details={"fingerprint": row.fingerprint, **agent, **details},
    )
    transaction.on_commit(lambda: hints.publish(hints.SETTINGS))
