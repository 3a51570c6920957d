"""Upload a version of a config. The bytes are kept and hashed exactly as they came (R32)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.actor import Actor
from accounts.audit import record
from accounts.policy import require
from agents.actions import signing
from agents.models import ComponentSet, ConfigBody
from console.lib import hints
from console.lib.problems import Invalid
from console.lib.texts import text
from rollouts.configs.checks import check_config
from rollouts.configs.findings import ConfigFinding
from rollouts.configs.parse import parse_config
from rollouts.models import Config, ConfigVersion

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_TAKEN = frozenset({"new"})  # /configs/new/, /plans/new/
MAX_MESSAGE = 2_000


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The version that holds these bytes, and whether this upload made it."""

    version: ConfigVersion
    created: bool


def upload_config(
    *, name: str, body: bytes, by: Actor, message: str = "", signature: str = ""
) -> Uploaded:
    """Keep `body` as the next version of the config `name`, which is made if it is new.

    Bytes that any version of this config already holds give that version again, `created` False.
    `signature` is one made elsewhere, by a key that is trusted here; without it the signer makes one.
    Raises Denied, Invalid (with line; nothing is kept), TooLarge. Locks the config row, so that
    two uploads at once get two numbers, or the same bytes one.
    """
    require(by, "configs.write")
    check_name(name, "name")
    if len(message) > MAX_MESSAGE or "\x00" in message:
        raise Invalid.at("message", text("config.long_message", most=MAX_MESSAGE))
    # Read outside the transaction: it only informs the checks.
    checks = [finding.to_dict() for finding in check_body(name, body)]
    config_hash = hashlib.sha256(body).hexdigest()
    key = signing.key_of(config_hash, signature) if signature else None
    with transaction.atomic():
        config = _locked_config(name)
        known = config.versions.filter(body_ref=config_hash).first()
        if known is not None:
            return Uploaded(known, created=False)
        version = _next_version(config, config_hash, body, checks, by, message)
        signing.ask(
            config=name,
            version=version.number,
            config_hash=config_hash,
            now=version.created_at,
            signature=signature,
            key=key,
        )
        record(
            actor=by,
            act="configs.upload",
            object_kind="config_version",
            object_id=version.pk,
            object_name=str(version),
            reason=message,
            details={"config_hash": config_hash, "size_bytes": len(body)},
        )
        transaction.on_commit(lambda: hints.mark_dirty("configs"))
    return Uploaded(version, created=True)


def check_body(name: str, body: bytes) -> list[ConfigFinding]:
    """Return what the checks say of a body, against the components that agents report. Nothing is
    kept. Raises Invalid with line for what cannot be a config at all, TooLarge."""
    document = parse_config(body, file=f"{name}.yaml")
    sets = [frozenset(names) for names in ComponentSet.objects.values_list("names", flat=True)]
    return check_config(document, component_sets=sets)


def check_name(name: str, field: str) -> None:
    """Refuse what cannot name a config, plan or selector. Raises Invalid."""
    if name in _TAKEN:
        raise Invalid.at(field, text("name.taken_by_page", read=name), code="bad_name")
    if not _NAME.fullmatch(name):
        raise Invalid.at(field, text("name.bad", read=name[:60]), code="bad_name")


def _locked_config(name: str) -> Config:
    config, _ = Config.objects.get_or_create(name=name, defaults={"created_at": timezone.now()})
    return Config.objects.select_for_update(no_key=True).get(pk=config.pk)


def _next_version(
    config: Config,
    config_hash: str,
    body: bytes,
    checks: list[dict[str, object]],
    by: Actor,
    message: str,
) -> ConfigVersion:
    now = timezone.now()
    # Another config may hold the same bytes: bodies are shared by hash.
    ConfigBody.objects.bulk_create(
        [ConfigBody(config_hash=config_hash, body=body, size_bytes=len(body), created_at=now)],
        ignore_conflicts=True,
    )
    latest = config.versions.aggregate(latest=Max("number"))["latest"] or 0
    return ConfigVersion.objects.create(
        config=config,
        number=latest + 1,
        body_ref_id=config_hash,
        author=by.user,
        message=message,
        checks=checks,
        created_at=now,
    )
