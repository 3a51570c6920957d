"""Finds configs and versions for pages, and reads their text."""

from __future__ import annotations

from console.lib.problems import Missing
from rollouts.models import Config, ConfigVersion


def find_config(name: str) -> Config:
    """Return a config by name. Raises Missing."""
    config = Config.objects.filter(name=name).first()
    if config is None:
        raise Missing("config.missing", name=name)
    return config


def find_version(config: Config, number: int) -> ConfigVersion:
    """Return one version with its body. Raises Missing."""
    found = config.versions.select_related("body_ref", "author").filter(number=number).first()
    if found is None:
        raise Missing("config.no_version", name=config.name, number=number)
    return found


def text_of(version: ConfigVersion) -> str:
    """Return a version's text. Bytes that are no UTF-8 are shown as replacement characters."""
    return bytes(version.body_ref.body).decode("utf-8", "replace")
