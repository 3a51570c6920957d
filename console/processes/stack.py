"""Which processes make up Tidegate, with which commands: the single-machine form of spec section 2."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from console import embedded
from console.processes import probes
from console.processes.child import STOP_PATIENCE_S, Spec
from console.processes.trial_certificates import AGENT_CA, SERVER_CA

ROOT = Path(__file__).resolve().parents[2]
ISSUER_ONLY = ("CERTIFICATES_CA_KEY_FILE", "CONFIG_SIGNING_KEY_FILE", "CONFIG_SIGNER_COMMAND")


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What `manage.py up` was asked for."""

    data_dir: Path
    host: str
    port: int
    opamp_port: int
    demo: bool
    agents: int
    simulate: tuple[str, ...] = ()
    tls: bool = False

    @property
    def console_url(self) -> str:
        return f"http://{probes.in_url(probes.reachable(self.host))}:{self.port}"

    @property
    def opamp_url(self) -> str:
        host = probes.in_url(probes.reachable(self.host))
        return f"{'wss' if self.tls else 'ws'}://{host}:{self.opamp_port}/v1/opamp"

    @property
    def certificates(self) -> Path:
        """Where `--tls` keeps its certificates."""
        return self.data_dir / "certs"


def names(options: StackOptions) -> list[str]:
    """Return every name that can stand before a log line."""
    one_off = ["migrate", "collectstatic", *(["seed"] if options.demo else [])]
    one_off += ["trust"] if options.tls else []
    running = ["console", "gateway", "worker", "rollbacks", "issuer", "beat"]
    return [
        "postgres",
        "redis",
        *one_off,
        *running,
        *(["simulate"] if options.demo else []),
    ]


def store_specs(options: StackOptions) -> tuple[list[Spec], dict[str, str]]:
    """Return the embedded servers to run and the two URLs; a URL in the environment is used as is."""
    prepared: list[embedded.Prepared] = []
    urls = {
        name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name)
    }
    if "DATABASE_URL" not in urls:
        prepared.append(embedded.prepare_postgres(options.data_dir / "postgres"))
        urls["DATABASE_URL"] = prepared[-1].url
    if "REDIS_URL" not in urls:
        prepared.append(embedded.prepare_redis(options.data_dir / "redis"))
        urls["REDIS_URL"] = prepared[-1].url
    return [_store_spec(server) for server in prepared], urls


# The stores' own small talk at start and stop, and advice about a machine that is not theirs alone.
_BORING = {
    "postgres": re.compile(
        r"LOG:  (starting PostgreSQL|listening on|database system (was shut|is (ready|shut))"
        r"|received fast shutdown|aborting any|background worker|shutting down|could not receive data"
        r"|unexpected EOF)"
    ),
    "redis": re.compile(
        r"oO0OoO0|Redis version=|Configuration loaded|Server initialized|overcommit_memory"
        r"|signal-handler|User requested shutdown|Redis is now ready to exit"
    ),
}


def _store_spec(server: embedded.Prepared) -> Spec:
    return Spec(
        name=server.name,
        argv=server.argv,
        env=server.env,
        cwd=server.cwd,
        is_ready=_as_async(server.is_ready),
        stop_signal=server.stop_signal,
        stop_patience_s=2.5,
        tied=True,
        before_start=server.clear_leftovers,
        boring=_BORING.get(server.name),
    )


def _as_async(ask: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def asked() -> bool:
        return ask()

    return asked


def environment(options: StackOptions, urls: dict[str, str], secret_key: str) -> dict[str, str]:
    """Return what every process of ours is given. A value the operator has set stays."""
    defaults = {
        "SECRET_KEY": secret_key,
        "PUBLIC_URL": options.console_url,
        "OPAMP_URL": options.opamp_url,
        "CONFIG_SIGNING_KEY_FILE": str(options.data_dir / "signing.pem"),
        "TIDEGATE_DEMO": "true" if options.demo else "",
        "PYTHONUNBUFFERED": "1",
    }
    if options.tls:
        defaults["OPAMP_TLS_CERT"] = str(options.certificates / "server.crt")
        defaults["OPAMP_TLS_KEY"] = str(options.certificates / "server.key")
    mine = {name: os.environ.get(name) or value for name, value in defaults.items()}
    return {**mine, **urls, "TIDEGATE_DATA": str(options.data_dir)}


def manage(name: str, env: dict[str, str], *words: str) -> Spec:
    """Return a `manage.py` command as a process."""
    return Spec(name, [sys.executable, str(ROOT / "manage.py"), *words], env, ROOT)


def service_specs(options: StackOptions, env: dict[str, str]) -> list[Spec]:
    """Return console, gateway, workers and beat. A rollback has a worker of its own: it must
    never wait behind measurements (style.md section 7). So has issuing: nobody else reads the key
    of the authority (security.md section 1)."""
    # Root in a container is the operator's choice; Celery's ten lines about it help nobody there.
    no_lecture = ["-W", "ignore:You're running the worker with superuser privileges"]
    celery = [sys.executable, *no_lecture, "-m", "celery", "--app", "console.celery", "--quiet"]
    quiet = ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    worker = [*celery, "worker", *quiet, "--queues", "tick,notify", "--concurrency", "2"]
    rollbacks = [*celery, "worker", *quiet, "--queues", "rollback", "--concurrency", "1"]
    issuer = [*celery, "worker", *quiet, "--queues", "certs", "--concurrency", "1"]
    # Who issues and signs is the only one to know where the keys are.
    others = {**env, **dict.fromkeys(ISSUER_ONLY, "")}
    gateway = ["gateway", "--host", options.host, "--port", str(options.opamp_port)]
    gateway += ["--stop-within", f"{STOP_PATIENCE_S - 0.5:g}"]
    gateway += ["--auth", "any"] if options.tls else []
    host = probes.reachable(options.host)
    return [
        Spec(
            "console",
            _uvicorn(options),
            others,
            ROOT,
            is_ready=probes.answers_http(f"{options.console_url}/healthz"),
        ),
        Spec(
            "gateway",
            manage("gateway", others, *gateway).argv,
            others,
            ROOT,
            is_ready=probes.accepts(host, options.opamp_port),
        ),
        _worker("worker", [*worker, "--hostname", "worker@%h"], others),
        _worker("rollbacks", [*rollbacks, "--hostname", "rollbacks@%h"], others),
        _worker("issuer", [*issuer, "--hostname", "issuer@%h"], env),
        Spec("beat", [*celery, "beat", "--loglevel", "INFO", "--pidfile="], others, ROOT),
    ]


def _worker(name: str, argv: list[str], env: dict[str, str]) -> Spec:
    """Workers are stopped at once: a task is one transaction, and the next tick does it again."""
    return Spec(name, argv, env, ROOT, stop_signal=signal.SIGQUIT)


def _uvicorn(options: StackOptions) -> list[str]:
    return [
        *(sys.executable, "-m", "uvicorn", "console.asgi:application"),
        *("--host", options.host, "--port", str(options.port)),
        *("--no-access-log", "--log-level", "warning", "--no-server-header"),
        # A forwarded address would choose which sign-ins are throttled, and what the audit says.
        "--no-proxy-headers",
        # Live pages are told to come back (1012) and are not waited for.
        *("--timeout-graceful-shutdown", "2"),
    ]


def simulate_spec(options: StackOptions, env: dict[str, str]) -> Spec:
    """Return the demo's fleet: a process that knows nothing but the gateway's address."""
    words = ["--agents", str(options.agents), "--server", options.opamp_url]
    words += ["--initial-config", str(ROOT / "console" / "demo" / "examples" / "edge-v1.yaml")]
    words += ["--state-file", str(options.data_dir / "fleet.json")]
    if options.tls:
        words += ["--server-ca", str(options.certificates / f"{SERVER_CA}.crt")]
        words += ["--agent-ca", str(options.certificates / f"{AGENT_CA}.crt")]
    return manage("simulate", env, "simulate", *words, *options.simulate)
