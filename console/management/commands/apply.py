"""manage.py apply -f FILE...: configs, plans and selectors from files (spec section 3)."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.actor import Actor
from accounts.models import User
from console.lib.problems import Problem
from rollouts.actions.files.apply_documents import Applied, Change, apply_documents
from rollouts.documents import File

SUFFIXES = {".yaml", ".yml", ".json"}


class Command(BaseCommand):
    help = (
        "Apply files of configs, plans and selectors. All of them or none; what is there already "
        "is left alone, so applying twice changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "-f",
            "--file",
            dest="files",
            nargs="+",
            action="extend",
            required=True,
            metavar="FILE",
            help="a YAML file, a directory of them, or - for standard input",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="print the difference and change nothing"
        )
        parser.add_argument("--user", help="act as this user, with the user's roles")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        files = [file for path in options["files"] for file in _files(path)]
        try:
            applied = apply_documents(
                files=files, by=_actor(options["user"]), dry_run=options["dry_run"]
            )
        except Problem as problem:
            lines = [f"{error.path}: {error.message}" for error in problem.errors]
            raise CommandError("\n".join(lines) or problem.detail) from problem
        if options["json"]:
            self.stdout.write(json.dumps([one.to_dict() for one in applied], indent=2))
            return
        for one in applied:
            self._print(one, options["dry_run"])

    def _print(self, applied: Applied, dry_run: bool) -> None:
        would = "would be " if dry_run and applied.change is not Change.UNCHANGED else ""
        version = f" v{applied.version}" if applied.version else ""
        self.stdout.write(f"{applied.kind} {applied.name}{version}: {would}{applied.change}")
        if applied.change is Change.CHANGED or (dry_run and applied.difference):
            self.stdout.write(applied.difference.rstrip("\n"))
        for note in applied.notes:
            self.stdout.write(f"  note: {note}")
        for check in applied.checks:
            if check["level"] != "ok":
                line = f"line {check['line']}: " if check["line"] else ""
                self.stdout.write(f"  {check['level']}: {line}{check['message']}")


def _files(path: str) -> list[File]:
    if path == "-":
        return [File("standard input", sys.stdin.buffer.read())]
    place = Path(path)
    try:
        if place.is_dir():
            inside = sorted(p for p in place.iterdir() if p.suffix in SUFFIXES)
            return [File.at(str(p), p.read_bytes()) for p in inside]
        return [File.at(path, place.read_bytes())]
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error


def _actor(username: str | None) -> Actor:
    if username is None:
        return Actor.at_shell("apply")
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(f"There is no user {username}.")
    return Actor.of(user)
