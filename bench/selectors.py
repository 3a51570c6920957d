"""How long a selector takes to count over a large fleet (spec section 3: < 100 ms over 100,000).

    python -m bench.selectors [--agents 100000] [--runs 7] [--json]

Each selector is counted `--runs` times through the ORM on a real PostgreSQL with default
settings; the table shows the median and the worst, and exits 1 when a worst is over the budget.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
import uuid
from typing import Any

from bench import store  # isort: skip  # noqa: F401 - starts the database Django is set up with
from django.db import connection
from django.utils import timezone

from agents.models import Agent
from agents.selectors.compile import to_q
from agents.selectors.grammar import parse
from agents.selectors.versions import version_key
from bench.machine import machine

BUDGET_MS = 100.0
SELECTORS = [
    "*",
    "env=canary",
    "env=prod",
    "env!=prod",
    "env=prod,region in (eu-west,us-east)",
    "env=prod,tier in (gold,silver),version>=0.140.0",
    "version>=0.140.0",
    "version>=0.130.0,version<0.142.0",
    "version!=0.142.1",
    "host.name~edge-00*",
    "!legacy",
    "env=prod,!legacy,version>=0.100.0",
    "has(transform_processor)",
    "has(accepts_remote_config),has(ottl_version>=1.0)",
    "env=canary or region=eu-west or version>=0.142.0",
    "env~p*,region~eu-*,version>=0.1,version<1.0,has(transform_processor)",
]
VERSIONS = [f"0.{minor}.{patch}" for minor in range(120, 143) for patch in (0, 1)]

# Columns that differ from agent to agent; the rest is copied from one made by the model.
COLUMNS = {
    "instance_uid": "gen_random_uuid()",
    "name": "'edge-' || lpad(i::text, 6, '0')",
    "version": "v.text",
    "labels": """jsonb_build_object(
        'service.name', 'otelcol', 'service.version', v.text, 'version', v.text,
        'service.instance.id', md5(i::text), 'host.name', 'edge-' || lpad(i::text, 6, '0'),
        'host.arch', 'amd64', 'os.type', 'linux',
        'ottl_version', CASE h % 3 WHEN 0 THEN '0.9' ELSE '1.2' END,
        'env', CASE WHEN h % 100 < 2 THEN 'canary' WHEN h % 100 < 30 THEN 'staging'
               ELSE 'prod' END,
        'region', (ARRAY['eu-west', 'eu-north', 'us-east', 'us-west', 'ap-south'])[h / 100 % 5 + 1],
        'tier', (ARRAY['gold', 'silver', 'bronze'])[h / 500 % 3 + 1]
    ) || CASE WHEN h / 7 % 20 = 0 THEN '{"legacy": "true"}' ELSE '{}' END::jsonb""",
    "version_keys": """jsonb_build_object('version', v.key, 'service.version', v.key,
        'ottl_version', CASE h % 3 WHEN 0 THEN ottl[1] ELSE ottl[2] END)""",
    "identifying": "jsonb_build_object('service.instance.id', md5(i::text))",
    "non_identifying": "jsonb_build_object('host.name', 'edge-' || i, 'os.type', 'linux')",
    "capabilities": "CASE h % 10 WHEN 0 THEN 1 ELSE 7175 END",
    "components_hash": "'set-' || h % 8",
}
FROM = """
FROM (SELECT i, (hashint4(i) & 2147483647) AS h FROM generate_series(1, %(agents)s) AS i) AS a
CROSS JOIN (SELECT %(ottl)s::text[] AS ottl) AS o
JOIN unnest(%(versions)s::text[], %(keys)s::text[]) WITH ORDINALITY AS v(text, key, n)
    ON v.n = h % %(count)s + 1
CROSS JOIN agents_agent AS template WHERE template.id = %(template)s
"""
SETS = """
INSERT INTO agents_componentset (components_hash, names, details, at)
SELECT 'set-' || n, CASE WHEN n %% 2 = 0
    THEN '["processor:transform", "processor:batch", "receiver:otlp"]'
    ELSE '["processor:batch", "receiver:otlp"]' END::jsonb, '{}', now()
FROM generate_series(0, 7) AS n WHERE %s
"""


def fill(agents: int) -> None:
    """Insert the fleet in one statement and let PostgreSQL know its statistics."""
    template = Agent.objects.create(
        instance_uid=uuid.uuid4(), kind="supervisor", first_seen_at=timezone.now()
    )
    fields = [str(f.column) for f in Agent._meta.concrete_fields if not f.primary_key]
    values = [COLUMNS.get(column, f"template.{column}") for column in fields]
    statement = f"INSERT INTO agents_agent ({', '.join(fields)}) SELECT {', '.join(values)}"
    given: dict[str, Any] = {
        "agents": agents,
        "versions": VERSIONS,
        "keys": [version_key(version) for version in VERSIONS],
        "count": len(VERSIONS),
        "ottl": [version_key("0.9"), version_key("1.2")],
        "template": template.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("%", "%%") + FROM.replace("h % %", "h %% %"), given)
        template.delete()
        cursor.execute(SETS, [True])
        cursor.execute("VACUUM ANALYZE agents_agent, agents_componentset")


def measure(text: str, runs: int) -> dict[str, object]:
    """Count one selector `runs` times after one warm-up; milliseconds."""
    matching = Agent.objects.matching(to_q(parse(text)))
    count = matching.count()
    times: list[float] = []
    for _ in range(runs):
        start = time.perf_counter()
        matching.count()
        times.append((time.perf_counter() - start) * 1000)
    return {
        "selector": text,
        "count": count,
        "median_ms": round(statistics.median(times), 1),
        "worst_ms": round(max(times), 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("--agents", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    before = machine()
    fill(options.agents)
    rows = [measure(text, options.runs) for text in SELECTORS]
    over = [row for row in rows if float(str(row["worst_ms"])) > BUDGET_MS]
    if options.json:
        about = {"machine": before, "agents": options.agents, "budget_ms": BUDGET_MS, "rows": rows}
        print(json.dumps(about, indent=2))
    else:
        print(f"{before}\n")
        print(f"{options.agents:,} agents, {options.runs} runs, budget {BUDGET_MS:.0f} ms\n")
        print(f"{'selector':70} {'count':>8} {'median':>8} {'worst':>8}")
        for row in rows:
            print(
                f"{row['selector']:70} {row['count']:8,} {row['median_ms']:8} {row['worst_ms']:8}"
            )
        print(f"\n{len(over)} of {len(rows)} over budget")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
