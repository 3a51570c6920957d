"""All sentences that the domain's texts are said with, registered when the console app is ready.

One table per kind, each in the module of its subject in `sentences`; `tests/console/words/test_tables.py` compares
them with the texts that the code makes.
"""

from __future__ import annotations

from console.lib.texts import register
from console.words import tally, why
from console.words.sentences import (
    acts_refused,
    api,
    certificates,
    config_checks,
    files,
    gates,
    input_errors,
    metrics,
    needs,
    readiness,
    reading_notes,
    rollout_acts,
    rollout_moves,
    selectors,
    signing,
    tls,
)

TABLES = (
    input_errors.VALUES,
    input_errors.FIELDS,
    input_errors.YAML,
    input_errors.TIMES,
    input_errors.OUTBOUND,
    selectors.BOTH,
    selectors.TEXT_FORM,
    selectors.YAML_FORM,
    acts_refused.POLICY,
    acts_refused.AGENTS,
    acts_refused.SETTINGS,
    tls.PEM,
    tls.TLS,
    certificates.REQUESTS,
    certificates.ISSUING,
    certificates.LIFE,
    api.TITLES,
    api.ANSWERS,
    api.BODIES,
    api.ABSENT,
    api.PARAMETERS,
    config_checks.SHAPE,
    config_checks.PIPELINES,
    config_checks.PASSED,
    config_checks.SECRETS,
    signing.KEYS,
    signing.SIGNER,
    signing.FINDINGS,
    files.PLANS,
    files.GATES,
    files.PROMQL,
    files.DOCUMENTS,
    rollout_acts.REASONS,
    rollout_acts.STATES,
    rollout_acts.PHASES,
    rollout_acts.STARTING,
    rollout_acts.ROLLBACKS,
    rollout_acts.SHARES,
    rollout_acts.LIMITS,
    rollout_acts.SAVED,
    metrics.METRICS,
    metrics.WORDS,
    metrics.TITLES,
    gates.SENTENCES,
    gates.READINGS,
    reading_notes.NOTES,
    readiness.FINDINGS,
    readiness.PREVIEW,
    needs.NEEDS,
    tally.TALLY,
    rollout_moves.BUSY,
    rollout_moves.REASONS,
    rollout_moves.WAYS_BACK,
    rollout_moves.TIMES,
    rollout_moves.TARGETS,
    why.SAY,
    why.NEXT,
    why.PARTS,
)


def register_all() -> None:
    """Register every table; called once per process."""
    for table in TABLES:
        register(table)
