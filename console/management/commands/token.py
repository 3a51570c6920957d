"""manage.py token: credentials for scripts (a person's API token) and for agents (OpAMP)."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import ApiToken
from accounts.tokens import issue_api_token, revoke_api_token
from agents.actions.tokens import issue_token, revoke_token
from agents.models import AgentToken
from console.lib.problems import Missing, Problem


class Command(BaseCommand):
    help = "Make a token, which is printed once, or revoke one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        person = acts.add_parser("person", help="for the REST API, with the rights of a user")
        person.add_argument("user")
        person.add_argument("name", help="what it is for")
        person.add_argument("--days", type=int, default=90, help="until it expires (default 90)")
        agents = acts.add_parser("agents", help="for a pool of agents, as an OpAMP Bearer token")
        agents.add_argument("name", help="what the pool is called")
        agents.add_argument("--days", type=int, help="until it expires (default: never)")
        agents.add_argument(
            "--label",
            type=_label,
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help="a label that its new agents get; can be repeated",
        )
        revoke = acts.add_parser("revoke", help="end a token: agents are cut, scripts refused")
        revoke.add_argument("prefix", help="how it begins: tg_u_... or tg_a_..., 13 characters")

    def handle(self, *_: Any, **given: Any) -> None:
        by = Actor.at_shell("token")
        try:
            if given["act"] == "revoke":
                self.stdout.write(f"Revoked {_revoke(given['prefix'], by)}")
            else:
                self.stdout.write(_issue(given, by))
        except Problem as problem:
            raise CommandError(problem.detail) from problem


def _issue(given: dict[str, Any], by: Actor) -> str:
    now, days = timezone.now(), given["days"]
    if days is not None and days < 1:
        raise CommandError(f"--days {days}: write 1 or more.")
    if given["act"] == "person":
        return issue_api_token(
            username=given["user"], name=given["name"], life=timedelta(days=days), by=by, now=now
        )[1]
    expires_at = now + timedelta(days=days) if days is not None else None
    labels = dict(given["label"])
    return issue_token(name=given["name"], by=by, labels=labels, expires_at=expires_at, now=now)[1]


def _revoke(prefix: str, by: Actor) -> ApiToken | AgentToken:
    shown = prefix[:13]
    if (mine := ApiToken.objects.filter(shown_prefix=shown).first()) is not None:
        return revoke_api_token(token_id=mine.pk, by=by, now=timezone.now())
    if (theirs := AgentToken.objects.filter(shown_prefix=shown).first()) is not None:
        return revoke_token(token_id=theirs.pk, by=by)
    raise Missing("tokens.none_begins", shown=shown)


def _label(text: str) -> tuple[str, str]:
    key, is_given, value = text.partition("=")
    if not (key and is_given):
        raise CommandError(f"--label {text}: write it as KEY=VALUE.")
    return key, value
