"""Fields that have few values: pages say them by `word`, and every value has its words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import models
from django.template import Context, Template

from accounts.models import RoleBinding, User
from agents.models import Agent, AgentStatus, Quarantine
from certs.models import Certificate
from console.words.choices import KINDS, word
from rollouts.models import Rollback, RollbackTarget

ROOT = Path(__file__).parents[3]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
FIELDS = {
    "kind_of_agent": (Agent, "kind"),
    "config_status": (AgentStatus, "config_status"),
    "quarantine": (Quarantine, "outcome"),
    "kind_of_rollback": (Rollback, "kind"),
    "method_of_rollback": (Rollback, "method"),
    "origin_of_certificate": (Certificate, "origin"),
    "way_back": (RollbackTarget, "state"),
    "role": (RoleBinding, "role"),
    "theme": (User, "theme"),
}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_value_of_a_field_has_words(kind: str) -> None:
    model, name = FIELDS[kind]
    field = model._meta.get_field(name)
    assert isinstance(field, models.Field)
    assert {value for value, _ in field.flatchoices} == set(KINDS[kind])


def test_a_value_of_another_version_is_called_by_its_name() -> None:
    assert word("quarantine", "seen_on_the_moon") == "seen on the moon"


def test_templates_name_kinds_that_there_are() -> None:
    named = {kind for path in TEMPLATES for kind in re.findall(r'\|word:"(\w+)"', path.read_text())}
    assert named == set(KINDS)


def test_templates_leave_the_words_of_models_alone() -> None:
    """Those are English, and for programmers."""
    assert [
        path.name for path in TEMPLATES if re.search(r"get_\w+_display", path.read_text())
    ] == []


def test_a_template_says_a_value() -> None:
    template = Template('{% load tidegate %}{{ outcome|word:"quarantine" }}')
    assert template.render(Context({"outcome": "by_hand"})) == "set by a person"
