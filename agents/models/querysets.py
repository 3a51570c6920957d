"""Questions about sets of agents, in the words of the spec. Chainable, one SQL query each."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Self

from django.apps import apps
from django.db import connection, models
from django.db.models import Case, Count, Exists, F, Func, OuterRef, Q, Value, When
from django.db.models.lookups import Exact

from agents.status_words import STATUS_WORDS

if TYPE_CHECKING:
    from accounts.actor import Actor

ACCEPTS_REMOTE_CONFIG = 0x2
PRODUCTION = frozenset({"prod", "production", "live"})  # values of the label `env`
APPLYING, FAILED = 2, 3  # RemoteConfigStatuses of OpAMP


class AgentQuerySet(models.QuerySet["Agent"]):  # type: ignore[name-defined]
    def visible_to(self, actor: Actor) -> Self:
        """Agents inside the actor's scope. Every page and API list starts here."""
        return self.all()

    def living(self) -> Self:
        """Agents that are not retired: all that is counted, selected and shown unasked."""
        return self.filter(retired_at=None)

    def in_production(self) -> Self:
        """Agents whose label `env` says that they are production."""
        named = (Q(labels__contains={"env": value}) for value in sorted(PRODUCTION))
        return self.filter(reduce(or_, named))

    def matching(self, condition: Q) -> Self:
        """Living agents that match a compiled selector (`agents.selectors.compile.to_q`)."""
        return self.living().filter(condition)

    def in_status(self, words: Collection[str]) -> Self:
        """Agents read `with_status_word` that have one of these; the living when none is asked.

        Only who asks for "retired" finds the retired.
        """
        found = self if "retired" in words else self.living()
        return found.filter(status_word__in=words) if words else found

    def label_keys(self) -> list[str]:
        """Names of the labels that these agents have."""
        key = Func(F("labels"), function="jsonb_object_keys", output_field=models.TextField())
        return list(
            self.order_by().annotate(label_key=key).values_list("label_key", flat=True).distinct()
        )

    def by_status(self) -> dict[str, int]:
        """Count these agents, read `with_status_word`, by that word."""
        return dict(self.order_by().values_list("status_word").annotate(n=Count("pk")))

    def by_sick_component(self) -> dict[str, int]:
        """Count these agents by the component that each calls unhealthy (`exporter otlp/eu`)."""
        sick = self.order_by().filter(status__sick_component__gt="").annotate(sick=sick_name())
        return dict(sick.values_list("sick").annotate(n=Count("pk")))

    def by_label(self) -> dict[str, dict[str, int]]:
        """Count these agents by every value of every label, in one pass."""
        sql, params = self.order_by().values("labels").query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT l.key, l.value, count(*) FROM ({sql}) AS matched, "  # noqa: S608 ours
                "jsonb_each_text(matched.labels) AS l GROUP BY 1, 2",
                params,
            )
            counts: dict[str, dict[str, int]] = {}
            for key, value, number in cursor.fetchall():
                counts.setdefault(key, {})[value] = number
        return counts

    def sample_of_label_keys(self, agents: int) -> list[str]:
        """Return the names of labels of the first so many of these agents."""
        found: AgentQuerySet = self.model.objects.filter(pk__in=self.values("pk")[:agents])
        return found.label_keys()

    def labels_nobody_has(self, keys: Collection[str]) -> list[str]:
        """Return which of these labels none of these agents has. Stops at the first that has one."""
        sql, params = self.order_by().values("labels").query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT k FROM unnest(%s::text[]) AS k WHERE NOT EXISTS (SELECT FROM ({sql}) AS a "  # noqa: S608 ours
                "WHERE jsonb_exists(a.labels, k)) ORDER BY k",
                [list(keys), *params],
            )
            return [key for (key,) in cursor.fetchall()]

    def label_values(self, key: str, limit: int) -> list[str]:
        """Up to `limit` values that the label has among these agents."""
        value = Func(
            F("labels"),
            Value(key),
            function="jsonb_extract_path_text",
            output_field=models.TextField(),
        )
        found = self.filter(labels__has_key=key).annotate(label_value=value)
        return list(
            found.order_by("label_value").values_list("label_value", flat=True).distinct()[:limit]
        )

    def connected(self, now: datetime) -> Self:
        """Agents with a live connection: connected, on a gateway whose lease is alive."""
        return self.filter(connected_q(now))

    def accepting_remote_config(self) -> Self:
        """Agents that announced AcceptsRemoteConfig (OP-20)."""
        return self.annotate(_caps=F("capabilities").bitand(ACCEPTS_REMOTE_CONFIG)).filter(
            _caps__gt=0
        )

    def with_status_word(self, now: datetime) -> Self:
        """Annotate `status_word` and `status_rank` (ui.md 1.1), each decided by the first rule
        that holds. A closed socket is offline at once, as everywhere else a connection is shown."""
        rules = _status_rules(now)
        ranks = {word: rank for rank, word in enumerate(STATUS_WORDS)}
        return self.annotate(
            status_word=Case(
                *(When(rule, then=Value(word)) for word, rule in rules),
                default=Value("unknown"),
                output_field=models.CharField(),
            ),
            status_rank=Case(
                *(When(rule, then=Value(ranks[word])) for word, rule in rules),
                default=Value(ranks["unknown"]),
                output_field=models.SmallIntegerField(),
            ),
        )

    def for_list(self) -> Self:
        """Read what a row of a list shows, without the large columns."""
        return self.select_related("status", "desired").defer(
            "identifying", "non_identifying", "operator_labels", "version_keys"
        )

    def for_page(self) -> Self:
        """Read what the page of one agent shows of it: all columns, its settings, who replaced it."""
        return self.for_list().select_related("desired_settings", "replaced_by").defer(None)


def sick_name() -> Func:
    """Return the component that an agent calls unhealthy, without what it says of it; "" for none."""
    said = F("status__sick_component")
    return Func(said, Value(": "), 1, function="split_part", output_field=models.TextField())


def status_q(words: Collection[str], now: datetime | Func) -> Q:
    """Return the condition for having one of these status words, for use beside others. Only the
    rules down to the last of them are asked; `now` may be the database's own clock."""
    rules = _status_rules(now)
    while rules and "unknown" not in words and rules[-1][0] not in words:
        rules.pop()
    wanted = Case(
        *(When(rule, then=Value(word in words)) for word, rule in rules),
        default=Value("unknown" in words),
        output_field=models.BooleanField(),
    )
    return Q(Exact(wanted, True))


def connected_q(now: datetime | Func) -> Q:
    """Return the condition for a live connection, for use beside others."""
    leases = apps.get_model("agents", "GatewayLease")
    alive = leases.objects.filter(renewed_at__gt=now - leases.LIFE, stopped_at=None)
    return Q(status__connected=True, status__gateway__in=alive.values("pk"))


def _status_rules(now: datetime | Func) -> list[tuple[str, Q]]:
    quarantines = apps.get_model("agents", "Quarantine").objects.filter(
        agent=OuterRef("pk"), lifted_at=None, outcome="by_hand"
    )
    deliveries = apps.get_model("agents", "Delivery").objects.filter(
        agent=OuterRef("pk"), state="open"
    )
    of_desired = Q(status__config_hash=F("desired__config_hash"))
    return [
        ("retired", Q(retired_at__isnull=False)),
        ("quarantined", Q(Exists(quarantines))),
        ("offline", ~connected_q(now)),
        ("config_failed", Q(status__config_status=FAILED) & of_desired),
        ("unhealthy", Q(status__healthy=False)),
        ("degraded", ~Q(status__sick_component="")),
        ("applying", Q(status__config_status=APPLYING) & of_desired),
        ("applying", Q(Exists(deliveries.exclude(sent_at=None)))),
        ("queued", Q(Exists(deliveries))),
        (
            "drifted",
            Q(desired__config_hash__isnull=False)
            & ~Q(status__running_hash=F("desired__config_hash")),
        ),
        ("healthy", Q(status__healthy=True)),
    ]
