"""manage.py certs: certificates for trying out, and which authorities agents may come with."""

from __future__ import annotations

import uuid
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.actor import Actor
from agents.actions.trust import refuse_certificate, retire_authority, trust_authority
from agents.models import TrustedAuthority
from console.lib.problems import Problem
from console.processes.trial_certificates import (
    AGENT_CA,
    FilesProblem,
    Made,
    make_agent_files,
    make_authorities,
    make_server_files,
)

DOMAIN = "tidegate"
UID_RULE = rf"spiffe://{DOMAIN}/agent/(?P<uid>[0-9a-f-]{{36}})"


class Command(BaseCommand):
    help = (
        "Make certificates for trying out (init, server, agent), with the openssl commands that make "
        "the same; say whose certificates agents may show (trust, retire, revoke, list)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        init = acts.add_parser("init", help="make two CAs: one for the gateway, one for agents")
        server = acts.add_parser("server", help="make the gateway's certificate")
        server.add_argument(
            "--host",
            action="append",
            dest="hosts",
            metavar="NAME",
            help="a name or address that agents use; can be repeated (localhost, 127.0.0.1)",
        )
        agent = acts.add_parser("agent", help="make an agent's certificate")
        agent.add_argument("--uid", type=uuid.UUID, help="its instance_uid (default: a new one)")
        for one, days in ((init, 3650), (server, 365), (agent, 30)):
            one.add_argument("--days", type=_days, default=days, help=f"until it expires ({days})")
            one.add_argument(
                "--dir", type=Path, help="where the files are (certs in TIDEGATE_DATA)"
            )
        trust = acts.add_parser("trust", help="let agents in with certificates of a CA")
        trust.add_argument("file", type=Path, help=f"the CA as PEM, e.g. {AGENT_CA}.crt")
        trust.add_argument("--name", help="how it is called (default: the name of the file)")
        trust.add_argument(
            "--rule",
            default=UID_RULE,
            help="whose a certificate is: a regular expression on a URI of its SAN, else its CN, with "
            f"a group uid or name; '' for registered ones only (default: {UID_RULE})",
        )
        trust.add_argument(
            "--label",
            type=_label,
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help="a label that its new agents get; can be repeated",
        )
        retire = acts.add_parser("retire", help="trust a CA no longer: its agents are cut")
        retire.add_argument("name")
        retire.add_argument("--reason", required=True)
        revoke = acts.add_parser("revoke", help="refuse one certificate: its sessions are cut")
        revoke.add_argument("file", type=Path, help="the certificate as PEM")
        revoke.add_argument("--reason", required=True)
        acts.add_parser("list", help="say which CAs are trusted")

    def handle(self, *_: Any, **given: Any) -> None:
        act = getattr(self, f"_{given['act']}")
        try:
            act(given)
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        except (FilesProblem, OSError) as problem:
            raise CommandError(str(problem)) from problem

    # --- Files -------------------------------------------------------------------------------

    def _init(self, given: dict[str, Any]) -> None:
        self._say(make_authorities(_folder(given), given["days"]))

    def _server(self, given: dict[str, Any]) -> None:
        folder = _folder(given)
        hosts = given["hosts"] or ["localhost", "127.0.0.1"]
        self._say(make_server_files(folder, hosts, given["days"]))
        self.stdout.write(
            f"\nThe gateway takes them by OPAMP_TLS_CERT={folder}/server.crt and "
            f"OPAMP_TLS_KEY={folder}/server.key;\nagents verify it with {folder}/server-ca.crt."
        )

    def _agent(self, given: dict[str, Any]) -> None:
        uid = given["uid"] or uuid.uuid4()
        self._say(make_agent_files(_folder(given), uid, DOMAIN, given["days"]))
        self.stdout.write(f"\nIts agent must have the instance_uid {uid}.")

    def _say(self, made: Made) -> None:
        for file in made.files:
            self.stdout.write(f"Made {file}")
        self.stdout.write(f"\nThe same with openssl, in {made.files[0].parent}:")
        for command in made.commands:
            self.stdout.write(command)

    # --- Trust -------------------------------------------------------------------------------

    def _trust(self, given: dict[str, Any]) -> None:
        file: Path = given["file"]
        made = trust_authority(
            name=given["name"] or file.stem,
            pem=file.read_text(errors="replace"),
            by=Actor.at_shell("certs"),
            identity_rule=given["rule"],
            labels=dict(given["label"]),
        )
        self.stdout.write(f"Trusted {_line(made)}")

    def _retire(self, given: dict[str, Any]) -> None:
        found = TrustedAuthority.objects.filter(name=given["name"]).first()
        if found is None:
            names = ", ".join(TrustedAuthority.objects.values_list("name", flat=True)) or "none"
            raise CommandError(f"There is no CA {given['name']}; there are: {names}.")
        by = Actor.at_shell("certs")
        retire_authority(authority_id=found.pk, by=by, reason=given["reason"])
        self.stdout.write(f"Retired {_line(found)}; its agents are cut within seconds")

    def _revoke(self, given: dict[str, Any]) -> None:
        file: Path = given["file"]
        revoked = refuse_certificate(
            certificate_pem=file.read_text(errors="replace"),
            by=Actor.at_shell("certs"),
            reason=given["reason"],
        )
        self.stdout.write(f"Revoked {revoked.subject}  {revoked.fingerprint[:16]}")

    def _list(self, _given: dict[str, Any]) -> None:
        for authority in TrustedAuthority.objects.order_by("name"):
            self.stdout.write(_line(authority))


def _line(authority: TrustedAuthority) -> str:
    state = "retired" if authority.retired_at else f"until {authority.not_after:%Y-%m-%d}"
    rule = authority.identity_rule or "registered certificates only"
    return f"{authority.name}  {authority.fingerprint[:16]}  {state}  {rule}"


def _folder(given: dict[str, Any]) -> Path:
    return Path(given["dir"] or settings.DATA_DIR / "certs").resolve()


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= 36500:
        raise ArgumentTypeError(f"{text} days; write 1 to 36500")
    return days


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise ArgumentTypeError(f"{text} is no label; write KEY=VALUE")
    return key, value
