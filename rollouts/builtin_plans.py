"""Keeps the built-in plans in the database as the files of this version say. Runs after migrations,
so that they are there before the first page, and again in every test database."""

from __future__ import annotations

from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps
from django.utils import timezone

from rollouts.plans.builtin import NAMES, builtin_plan, builtin_text


def keep_builtin_plans(*, using: str, apps: Apps = installed, **_: Any) -> None:
    """Write the built-in plans; a person's plan of the same name is left alone."""
    try:
        plans = apps.get_model("rollouts", "Plan").objects.using(using)
    except LookupError:  # migrated back to before there were plans
        return
    for name in NAMES:
        text, parsed = builtin_text(name), builtin_plan(name).to_dict()
        known = plans.filter(name=name).first()
        if known is None:
            plans.create(
                name=name, text=text, parsed=parsed, built_in=True, updated_at=timezone.now()
            )
        elif known.built_in and (known.text, known.parsed) != (text, parsed):
            plans.filter(pk=known.pk).update(text=text, parsed=parsed, updated_at=timezone.now())
