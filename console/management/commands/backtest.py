"""manage.py backtest -f FILE: what a plan or a set of thresholds would have done to past rollouts."""

from __future__ import annotations

import json
import re
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.actor import Actor
from console.lib.problems import Problem
from console.words import backtests as backtest_words
from rollouts.analysis.backtest import Result
from rollouts.analysis.past import MAX_ROLLOUTS, back_test_last, back_test_one
from rollouts.plans.parse import parse_thresholds
from rollouts.plans.plan import Plan


class Command(BaseCommand):
    help = (
        "Run a plan, or its thresholds and triggers alone, over the stored measurements of past "
        "rollouts, and say which it would have stopped. Nothing is changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "-f", "--file", required=True, metavar="FILE", help="a plan, or - for standard input"
        )
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--rollout", metavar="R-0042", help="this rollout only")
        which.add_argument(
            "--last",
            type=int,
            default=20,
            metavar="N",
            help=f"the newest N that are over (default 20, at most {MAX_ROLLOUTS})",
        )
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        plan = _plan(options["file"])
        results = _results(plan, options["rollout"], options["last"])
        if options["json"]:
            self.stdout.write(
                json.dumps({"rollouts": [backtest_words.to_dict(one) for one in results]}, indent=2)
            )
            return
        if not results:
            self.stdout.write("No rollout is over yet.")
        for one in results:
            self.stdout.write(f"{one.rollout.number}  {backtest_words.line(one)}")


def _plan(path: str) -> Plan:
    try:
        text = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return parse_thresholds(text, file="standard input" if path == "-" else path)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    except Problem as problem:
        lines = [f"{error.path}: {error.message}" for error in problem.errors]
        raise CommandError("\n".join(lines) or problem.detail) from problem


def _results(plan: Plan, number: str | None, last: int) -> Sequence[Result]:
    by = Actor.at_shell("backtest")
    if number is None:
        if last < 1:
            raise CommandError(f"--last {last} is not a number of rollouts; write 1 or more.")
        return back_test_last(plan, by, last)
    match = re.fullmatch(r"(?:[Rr]-)?0*([1-9]\d{0,9})", number)
    if match is None:
        raise CommandError(f'"{number}" is not a rollout; write it as R-0042.')
    found = back_test_one(plan, by, int(match[1]))
    if not found:
        raise CommandError(f"There is no rollout {number}.")
    return found
