from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

import uvloop
from django.core.management.base import BaseCommand

from agents.simulator import fleet
from agents.simulator.certificates import Certificates
from agents.simulator.connection import Server
from agents.simulator.faults import AFTER_S, MEANINGS, Behaviour, Fault
from agents.simulator.fleet import FleetOptions


class Command(BaseCommand):
    help = "Run a simulated fleet of collectors against an OpAMP server."
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--agents", type=int, required=True, help="how many")
        parser.add_argument("--server", required=True, help="ws://HOST:PORT/v1/opamp")
        parser.add_argument("--seed", type=int, default=1, help="same seed, same fleet (1)")
        parser.add_argument("--token", help="bearer token for the server")
        parser.add_argument(
            "--server-ca", type=Path, help="the CA that the server's certificate is verified with"
        )
        parser.add_argument(
            "--agent-ca",
            type=Path,
            help="a CA beside its .key: each agent shows a certificate of its own (needs --server-ca)",
        )
        parser.add_argument("--http-share", type=_share, default=0.05, help="poll by HTTP (5%%)")
        parser.add_argument("--poll-interval", type=float, default=5.0, help="seconds (5)")
        parser.add_argument("--heartbeat", type=float, default=30.0, help="seconds (30)")
        parser.add_argument(
            "--own-metrics", type=float, default=30.0, help="seconds between own metrics (30)"
        )
        parser.add_argument("--connect-rate", type=float, default=250.0, help="agents/s (250)")
        parser.add_argument(
            "--initial-config", type=Path, help="a file that every agent runs already"
        )
        parser.add_argument(
            "--state-file", type=Path, help="what each agent runs, kept over restarts (JSON)"
        )
        faults = parser.add_argument_group(
            "faults",
            "Shares of the fleet, drawn apart for each fault; the same seed draws the same agents. "
            "All but those marked `always` are met by configurations not run well before.",
        )
        faults.add_argument(
            "--apply-delay", type=_range, default=(0.3, 1.5), help="seconds, FROM-TO (0.3-1.5)"
        )
        faults.add_argument("--slow-delay", type=float, default=30.0, help="seconds (30)")
        for fault, meaning in MEANINGS.items():
            faults.add_argument(f"--{fault}-share", type=_share, default=0.0, help=meaning)
        for fault, after_s in AFTER_S.items():
            text = f"seconds from APPLIED until it does ({after_s:g})"
            faults.add_argument(f"--{fault}-after", type=float, default=after_s, help=text)
        faults.add_argument(
            "--faults-on", default="", help="only for configurations that contain this text"
        )
        faults.add_argument(
            "--storm-every", type=float, help="all reconnect, every so many seconds"
        )

    def handle(self, **given: object) -> None:
        options = _options(argparse.Namespace(**given))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(options))


async def _run(options: FleetOptions) -> None:
    stop = asyncio.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    await fleet.run(options, stop)


def _options(given: argparse.Namespace) -> FleetOptions:
    headers = (("Authorization", f"Bearer {given.token}"),) if given.token else ()
    certificates = Certificates(given.server_ca, given.agent_ca) if given.server_ca else None
    return FleetOptions(
        agents=given.agents,
        server=Server(given.server, given.heartbeat, given.poll_interval, headers, certificates),
        behaviour=Behaviour(
            seed=given.seed,
            apply_delay_s=given.apply_delay,
            slow_delay_s=given.slow_delay,
            shares=_by_fault(given, "share"),
            after_s=_by_fault(given, "after"),
            faults_on=given.faults_on.encode(),
        ),
        http_share=given.http_share,
        connect_rate=given.connect_rate,
        initial_config=given.initial_config,
        state_file=given.state_file,
        storm_every_s=given.storm_every,
        own_metrics_s=given.own_metrics,
    )


def _by_fault(given: argparse.Namespace, what: str) -> dict[Fault, float]:
    """Return the options `--FAULT-what` that are not zero."""
    values = {fault: getattr(given, f"{fault}_{what}".replace("-", "_"), 0.0) for fault in Fault}
    return {fault: value for fault, value in values.items() if value}


def _share(text: str) -> float:
    """Read `5%`: a bare number could mean two things (spec section 3)."""
    if not text.endswith("%"):
        raise argparse.ArgumentTypeError(f'share "{text}" has no unit; write {text}%')
    share = float(text[:-1]) / 100
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0% and 100%")
    return share


def _range(text: str) -> tuple[float, float]:
    first, _, last = text.partition("-")
    return float(first), float(last or first)
