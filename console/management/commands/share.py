"""manage.py share: links to how a rollout went, to read without an account (for incident channels)."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.actor import Actor
from console.api.links import shared as address_of
from console.lib.durations import BadValue, parse_duration
from console.lib.problems import Problem
from rollouts.actions.share import revoke_share, share
from rollouts.models import ShareLink


class Command(BaseCommand):
    help = "Make a link to how a rollout went, which is printed once; list links, or revoke one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        make = acts.add_parser("make", help="make a link")
        make.add_argument("rollout", type=int, help="number of the rollout, such as 42")
        make.add_argument("--for", dest="life", default="7d", help="how long it opens (default 7d)")
        make.add_argument("--note", default="", help="for whom it is")
        listed = acts.add_parser("list", help="list the links of a rollout")
        listed.add_argument("rollout", type=int)
        revoke = acts.add_parser("revoke", help="revoke a link: it opens nothing any more")
        revoke.add_argument("link", type=int, help="its id, as `list` prints it")

    def handle(self, *_: Any, **given: Any) -> None:
        by = Actor.at_shell("share")
        try:
            if given["act"] == "list":
                for line in _lines(given["rollout"]):
                    self.stdout.write(line)
            elif given["act"] == "revoke":
                self.stdout.write(f"Revoked {revoke_share(link_id=given['link'], by=by)}")
            else:
                life = parse_duration(given["life"])
                _link, secret = share(
                    rollout_id=given["rollout"], by=by, life=life, note=given["note"]
                )
                self.stdout.write(address_of(secret))
        except BadValue as bad:
            raise CommandError(f"--for {given['life']}: {bad}") from bad
        except Problem as problem:
            raise CommandError(problem.detail) from problem


def _lines(rollout_id: int) -> Iterator[str]:
    now = timezone.now()
    for link in ShareLink.objects.filter(rollout_id=rollout_id):
        state = "revoked" if link.revoked_at else "opens" if link.is_valid(now) else "expired"
        until = link.expires_at.isoformat(timespec="minutes")
        yield f"{link.pk}  {link.shown_prefix}…  {state}  {until}  {link.created_by_name}  {link.note}"
