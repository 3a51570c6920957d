"""What preflight says of signatures: of the version itself, and of what its agents would return to.

A rollback must never meet a version that no gateway sends (security.md R34), so that is found here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db.models import QuerySet

from agents.models import SignedVersion
from agents.signing.signed import Signed
from console.lib.texts import text
from rollouts.drafts.eligibility import Group
from rollouts.drafts.finding import BLOCK, NOTE, Finding, agents_with
from rollouts.drafts.finding_agents import concern
from rollouts.models import ConfigVersion


def of_version(version: ConfigVersion) -> Iterable[Finding]:
    """Yield what is wrong with the signature of the version; it blocks where no gateway would send it."""
    rows = list(_newest_last(SignedVersion.objects.filter(body_id=version.config_hash)))
    good = [row for row in rows if row.signature and row.key and not row.key.bad_at]
    if good:
        if not good[-1].signed().holds():
            says = text("finding.signature_bad", version=str(version))
            yield Finding("signature", BLOCK, 0, says)
        return
    level = BLOCK if settings.CONFIG_SIGNING_REQUIRED else NOTE
    errors = [row.error for row in rows if row.error]
    if errors:
        says = text("finding.signature_waits", version=str(version), why=errors[-1])
        yield Finding("signature", level, 0, says)
    elif settings.CONFIG_SIGNING_REQUIRED:
        yield Finding(
            "signature", BLOCK, 0, text("finding.signature_missing", version=str(version))
        )


def of_ways_back(groups: Sequence[Group]) -> Iterable[Finding]:
    """Yield whose way back is a version that no gateway would send."""
    if not settings.CONFIG_SIGNING_REQUIRED:
        return
    running = {group.running for group in groups} - {""}
    signed = newest_of(running)
    unsigned = {one for one in running if one not in signed or not signed[one].holds()}
    if not unsigned:
        return
    whom = concern(running=unsigned)
    agents = whom.count(groups)
    yield Finding(
        "previous_version_unsigned",
        BLOCK,
        agents,
        text("finding.unsigned_ways_back", agents=agents),
        agents_with("status__running_hash", unsigned),
        whom,
    )


def newest_of(config_hashes: Iterable[str]) -> dict[str, Signed]:
    """Return the newest signature of each hash by a key that is not bad."""
    rows = SignedVersion.objects.good().filter(body_id__in=list(config_hashes))
    return {row.body_id: row.signed() for row in _newest_last(rows)}


def _newest_last(rows: QuerySet[SignedVersion]) -> QuerySet[SignedVersion]:
    return rows.select_related("key").order_by("signed_at", "pk")
