"""`manage.py up`: everything on one machine, from an empty directory to a printed URL."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from typing import Any, TextIO

from certs.signing.key_file import kept_key
from console import embedded
from console.embedded.server import kept_secret
from console.processes import probes, stack
from console.processes.child import StartFailed
from console.processes.private_file import write_private
from console.processes.record import AlreadyRunning, DataLock, ProcessList
from console.processes.stack import StackOptions
from console.processes.stream import LogStream
from console.processes.supervisor import Supervisor
from console.processes.trial_certificates import (
    AGENT_CA,
    SERVER_CA,
    FilesProblem,
    ensure_server_files,
)

ENV_FILE = "env.json"
CREDENTIALS_FILE = "credentials.json"


def run(options: StackOptions, out: TextIO) -> int:
    """Run until stopped; return the exit code (0: stopped as asked, 1: could not go on)."""
    stream = LogStream(out, stack.names(options))
    try:
        options.data_dir.mkdir(parents=True, exist_ok=True)
        lock = DataLock(options.data_dir)
        lock.acquire(options.console_url)
    except (AlreadyRunning, OSError) as error:
        stream.plain(str(error))
        return 1
    try:
        return asyncio.run(_run_locked(options, stream))
    except BrokenPipeError:
        # The terminal is gone; asyncio.run has cancelled, and the kernel ends what we started.
        return 1
    finally:
        lock.release()


async def _run_locked(options: StackOptions, stream: LogStream) -> int:
    processes = ProcessList(options.data_dir)
    leftovers = await asyncio.to_thread(processes.end_leftovers)
    if leftovers:
        stream.plain(f"Ended what an earlier run left behind: {', '.join(leftovers)}.")
    supervisor = Supervisor(stream, processes)
    asked_to_stop = _stop_on_signals(supervisor, stream)
    starting = asyncio.create_task(_start(options, stream, supervisor), name="start")
    stopping = asyncio.create_task(asked_to_stop.wait(), name="stop")
    code = 0
    try:
        either: set[asyncio.Future[Any]] = {starting, stopping}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            either = {stopping, supervisor.failure}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if supervisor.failure.done():
            raise StartFailed(supervisor.failure.result())
    except (StartFailed, FilesProblem, embedded.EmbeddedError, probes.PortTaken) as error:
        stream.plain(f"Tidegate cannot go on: {error}")
        code = 1
    finally:
        starting.cancel()
        stopping.cancel()
        await asyncio.gather(starting, stopping, return_exceptions=True)
        await supervisor.stop()
        (options.data_dir / ENV_FILE).unlink(missing_ok=True)
    stream.plain("Stopped.")
    return code


def _stop_on_signals(supervisor: Supervisor, stream: LogStream) -> asyncio.Event:
    """First signal: stop in order. Second one: end everything at once."""
    asked = asyncio.Event()

    def ask() -> None:
        if asked.is_set():
            supervisor.kill()
            return
        asked.set()
        stream.plain("Stopping (once more to end everything at once) ...")

    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(signal_number, ask)
    return asked


async def _start(options: StackOptions, stream: LogStream, supervisor: Supervisor) -> None:
    started = time.monotonic()
    probes.check_port_free(options.host, options.port, "--port")
    probes.check_port_free(options.host, options.opamp_port, "--opamp-port")
    stream.plain(f"Starting in {options.data_dir} ...")
    specs, urls = await asyncio.to_thread(stack.store_specs, options)
    await supervisor.start_group(specs)
    secret_key = kept_secret(options.data_dir / "secret-key")
    env = stack.environment(options, urls, secret_key)
    if env["CONFIG_SIGNING_KEY_FILE"] == str(own := options.data_dir / "signing.pem"):
        await asyncio.to_thread(kept_key, own)
    write_private(options.data_dir / ENV_FILE, {k: env[k] for k in _SHARED if k in env})
    stream.plain("Preparing tables and files ...")
    await _prepare(options, supervisor, env)
    stream.plain("Starting console, gateway and workers ...")
    await supervisor.start_group(stack.service_specs(options, env))
    if options.demo:
        await supervisor.start_group([stack.simulate_spec(options, env)])
    stream.plain(_banner(options, time.monotonic() - started))


# What `manage.py` in a second terminal reads from the running `up`.
_SHARED = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PUBLIC_URL")


async def _prepare(options: StackOptions, supervisor: Supervisor, env: dict[str, str]) -> None:
    """Bring tables, static files and the demo's people and files up to date."""
    migrate = stack.manage("migrate", env, "migrate", "--verbosity", "0")
    collect = stack.manage("collectstatic", env, "collectstatic", "--noinput", "--verbosity", "0")
    await asyncio.gather(supervisor.run_to_end(migrate), supervisor.run_to_end(collect))
    if options.tls:
        await _prepare_tls(options, supervisor, env)
    if options.demo:
        seed = ["seed_demo", "--console-url", options.console_url, "--opamp-url", options.opamp_url]
        await supervisor.run_to_end(stack.manage("seed", env, *seed))


async def _prepare_tls(options: StackOptions, supervisor: Supervisor, env: dict[str, str]) -> None:
    """Make certificates where there are none yet, and trust the agents' CA."""
    host = probes.reachable(options.host)
    hosts = list(dict.fromkeys([host, "localhost", "127.0.0.1"]))
    await asyncio.to_thread(ensure_server_files, options.certificates, hosts)
    trust = ["certs", "trust", str(options.certificates / f"{AGENT_CA}.crt")]
    await supervisor.run_to_end(stack.manage("trust", env, *trust))


def _banner(options: StackOptions, took_s: float) -> str:
    lines = ["", f"  Tidegate is ready after {took_s:.0f} s: {options.console_url}", ""]
    credentials = options.data_dir / CREDENTIALS_FILE
    shown = options.data_dir / "credentials.shown"
    if options.demo and credentials.exists():
        if not shown.exists():
            found = json.loads(credentials.read_text())
            for role, person in found["users"].items():
                lines.append(f"  {role:<10} {person['username']:<10} {person['password']}")
            lines.append(f"  {'API token':<10} {found['api_token']}  (of the operator)")
            shown.touch()
        lines.append(f"  Sign-ins are kept in {credentials}.")
    if options.tls:
        folder = options.certificates
        lines.append(f"  They verify it with {folder / SERVER_CA}.crt; a certificate for one:")
        lines.append(f"  manage.py certs agent --dir {folder}")
    lines.append(f"  Agents connect to {options.opamp_url}. Ctrl-C stops everything.")
    return "\n".join([*lines, ""])
