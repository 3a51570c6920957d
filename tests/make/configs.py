"""Configs and their versions."""

from __future__ import annotations

import hashlib

from django.utils import timezone

from accounts.actor import Actor
from accounts.models import User
from agents.models import ConfigBody
from rollouts.models import Config, ConfigVersion
from tests.make.times import NOW

# The least that a collector runs.
RUNNABLE = """\
receivers: {otlp: }
exporters: {debug: }
service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}
"""
TEXT = """\
receivers:
  otlp:
processors:
  batch:
    send_batch_size: {n}
exporters:
  debug:
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [batch], exporters: [debug]}}
"""


def make_body(text: str = "receivers: {}\n") -> str:
    """Store a config body; return its hash."""
    body = text.encode()
    config_hash = hashlib.sha256(body).hexdigest()
    ConfigBody.objects.get_or_create(
        config_hash=config_hash,
        defaults={"body": body, "size_bytes": len(body), "created_at": NOW},
    )
    return config_hash


def make_version(
    config: str = "edge", text: str = "", author: Actor | None = None
) -> ConfigVersion:
    """Create the next version of a config, with a body of its own unless `text` is given."""
    row, _ = Config.objects.get_or_create(name=config, defaults={"created_at": NOW})
    number = row.versions.count() + 1
    return ConfigVersion.objects.create(
        config=row,
        number=number,
        body_ref_id=make_body(text or f"# {config} {number}\n{RUNNABLE}"),
        author=author.user if author else None,
        created_at=NOW,
    )


def make_config(name: str, versions: int, author: User | None = None) -> list[ConfigVersion]:
    """Create a config with numbered versions, oldest first."""
    now = timezone.now()
    config = Config.objects.create(name=name, created_at=now)
    made = []
    for number in range(1, versions + 1):
        body = f"# {name}\n{TEXT.format(n=number * 100)}".encode()
        ref = ConfigBody.objects.create(
            config_hash=hashlib.sha256(body).hexdigest(),
            body=body,
            size_bytes=len(body),
            created_at=now,
        )
        version = ConfigVersion.objects.create(
            config=config, number=number, body_ref=ref, author=author, created_at=now
        )
        made.append(version)
    return made
