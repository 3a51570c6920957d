"""How versions of a config stand: what is known to be wrong with them, and who runs them now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count

from agents.models import AgentStatus, Quarantine
from rollouts.configs.findings import Severity
from rollouts.engine.states import RolloutState
from rollouts.models import Config, ConfigVersion, Rollout

CAME_BACK = frozenset(
    {RolloutState.ROLLING_BACK, RolloutState.ROLLED_BACK, RolloutState.ROLLBACK_INCOMPLETE}
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What happened to one version. `last` is the newest rollout of it that started; `errors` of its
    checks block a start, `final` of them cannot be accepted by anybody; `agents` run it now."""

    last: Rollout | None = None
    quarantine: Quarantine | None = None
    errors: int = 0
    final: int = 0
    agents: int = 0

    @property
    def came_back(self) -> Rollout | None:
        """The newest rollout of it, if that one went back."""
        return self.last if self.last is not None and self.last.state in CAME_BACK else None

    @property
    def can_roll_out(self) -> bool:
        """Whether a start of it can be anything but refused."""
        return self.quarantine is None and not self.final

    @property
    def is_good(self) -> bool:
        """Whether nothing is known against it."""
        return self.can_roll_out and not self.errors and self.came_back is None


GOOD = Standing()


def standings(
    versions: Sequence[ConfigVersion], agents: Mapping[str, int] | None = None
) -> dict[int, Standing]:
    """Return how each version stands, by primary key: three queries whatever their number, two where
    it is known how many `agents` run each hash."""
    if not versions:
        return {}
    if agents is None:
        agents = running(version.config_hash for version in versions)
    kept = Quarantine.objects.filter(
        agent=None, lifted_at=None, config_hash__in=[version.config_hash for version in versions]
    )
    quarantines = {row.config_hash: row for row in kept}
    begun = Rollout.objects.filter(version__in=versions, started_at__isnull=False)
    newest = begun.order_by("version_id", "-started_at").distinct("version_id")
    last = {rollout.version_id: rollout for rollout in newest.defer("plan", "preview")}
    return {
        version.pk: Standing(
            last=last.get(version.pk),
            quarantine=quarantines.get(version.config_hash),
            errors=_errors(version, final=False),
            final=_errors(version, final=True),
            agents=agents.get(version.config_hash, 0),
        )
        for version in versions
    }


def running(hashes: Iterable[str]) -> dict[str, int]:
    """Return how many living agents run each of these hashes."""
    found = AgentStatus.objects.filter(running_hash__in=set(hashes), agent__retired_at=None)
    counted = found.order_by().values_list("running_hash").annotate(n=Count("pk"))
    return dict(counted)


def in_use(config: Config) -> ConfigVersion | None:
    """Return the version that most agents run; when nobody runs any, what the newest completed
    rollout delivered, and None before the first one."""
    versions = ConfigVersion.objects.filter(config=config)
    counts = running(versions.values_list("body_ref_id", flat=True))
    if counts:
        most = max(counts, key=lambda one: counts[one])
        return versions.get(body_ref=most)
    done = Rollout.objects.filter(config=config, state=RolloutState.SUCCEEDED)
    last = done.select_related("version").order_by("-finished_at").first()
    return last.version if last is not None else None


def newest_good(
    versions: Sequence[ConfigVersion], found: dict[int, Standing]
) -> ConfigVersion | None:
    """Return the newest version that may be rolled out and did not come back; else the newest."""
    ordered = sorted(versions, key=lambda version: -version.number)
    for good in (lambda s: s.is_good, lambda s: s.can_roll_out, lambda s: True):
        for version in ordered:
            if good(found.get(version.pk, GOOD)):
                return version
    return None


def _errors(version: ConfigVersion, *, final: bool) -> int:
    errors = [
        check
        for check in version.checks
        if isinstance(check, dict) and check.get("level") == Severity.ERROR
    ]
    return sum(int(check.get("count", 1)) for check in errors if not final or check.get("final"))
