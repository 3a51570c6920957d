"""manage.py role USER ROLE: what a person may do; the way in for the first one."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.actor import Actor
from accounts.models import Role
from accounts.roles import set_role
from console.lib.problems import Problem


class Command(BaseCommand):
    help = "Give a user a role, or take it away. Without a role a user sees nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user")
        parser.add_argument("role", choices=Role.values)
        parser.add_argument("--remove", action="store_true", help="take the role away")
        parser.add_argument("--reason", default="", help="kept in the audit log")

    def handle(self, *_: Any, **given: Any) -> None:
        held = not given["remove"]
        try:
            changed = set_role(
                username=given["user"],
                role=Role(given["role"]),
                held=held,
                by=Actor.at_shell("role"),
                reason=given["reason"],
            )
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        now = "is" if held else "is not"
        already = "" if changed else " already, nothing was done"
        self.stdout.write(f"{given['user']} {now} {given['role']}{already}.")
