"""Words for values that a field has few of, as they stand inside a sentence: one table per field.

Models keep the values; what a state looks like besides its word is in `console.words.states`.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from accounts.models import Role
from agents.models import Agent, ConfigStatus, Quarantine
from certs.rotation.states import Origin
from rollouts.engine.states import RollbackTargetState
from rollouts.models import Rollback

Words = dict[object, Promise]

KIND_OF_AGENT: Words = {
    Agent.Kind.SUPERVISOR: pgettext_lazy("kind of agent", "supervisor"),
    Agent.Kind.COLLECTOR: pgettext_lazy("kind of agent", "collector"),
    Agent.Kind.CLIENT: pgettext_lazy("kind of agent", "client"),
    Agent.Kind.UNKNOWN: pgettext_lazy("kind of agent", "unknown"),
}
CONFIG_STATUS: Words = {
    ConfigStatus.UNSET: pgettext_lazy("agent's word", "unset"),
    ConfigStatus.APPLIED: pgettext_lazy("agent's word", "applied"),
    ConfigStatus.APPLYING: pgettext_lazy("agent's word", "applying"),
    ConfigStatus.FAILED: pgettext_lazy("agent's word", "failed"),
}
QUARANTINE: Words = {
    Quarantine.Outcome.FAILED: pgettext_lazy("why it is kept away", "failed"),
    Quarantine.Outcome.TIMED_OUT: pgettext_lazy("why it is kept away", "timed out"),
    Quarantine.Outcome.FELL_BACK: pgettext_lazy("why it is kept away", "fell back by itself"),
    Quarantine.Outcome.ROLLED_BACK: pgettext_lazy("why it is kept away", "rolled back"),
    Quarantine.Outcome.BY_HAND: pgettext_lazy("why it is kept away", "set by a person"),
}
KIND_OF_ROLLBACK: Words = {
    Rollback.Kind.AUTOMATIC: pgettext_lazy("kind of rollback", "automatic"),
    Rollback.Kind.MANUAL: pgettext_lazy("kind of rollback", "manual"),
    Rollback.Kind.SELECTOR: pgettext_lazy("kind of rollback", "by selector"),
}
METHOD_OF_ROLLBACK: Words = {
    Rollback.Method.IMMEDIATE: pgettext_lazy("method of a rollback", "immediate"),
    Rollback.Method.GRADUAL: pgettext_lazy("method of a rollback", "gradual"),
}
WAY_BACK: Words = {
    RollbackTargetState.WAITING: pgettext_lazy("agent on its way back", "waiting"),
    RollbackTargetState.OFFERED: pgettext_lazy("agent on its way back", "offered"),
    RollbackTargetState.CONFIRMED: pgettext_lazy("agent on its way back", "confirmed"),
    RollbackTargetState.FAILED: pgettext_lazy("agent on its way back", "failed"),
    RollbackTargetState.TIMED_OUT: pgettext_lazy("agent on its way back", "timed out"),
    RollbackTargetState.NO_VERSION: pgettext_lazy("agent on its way back", "no version"),
    RollbackTargetState.SKIPPED: pgettext_lazy("agent on its way back", "skipped"),
}
ROLE: Words = {
    Role.VIEWER: pgettext_lazy("role", "viewer"),
    Role.AUTHOR: pgettext_lazy("role", "author"),
    Role.OPERATOR: pgettext_lazy("role", "operator"),
    Role.APPROVER: pgettext_lazy("role", "approver"),
    Role.ADMIN: pgettext_lazy("role", "admin"),
}
THEME: Words = {
    "system": pgettext_lazy("theme", "as the system"),
    "light": pgettext_lazy("theme", "light"),
    "dark": pgettext_lazy("theme", "dark"),
}

ORIGIN_OF_CERTIFICATE: Words = {
    Origin.REQUEST: pgettext_lazy("why a certificate is made", "a request of the agent"),
    Origin.RENEWAL: pgettext_lazy("why a certificate is made", "renewal in time"),
    Origin.RETRY: pgettext_lazy("why a certificate is made", "another attempt"),
    Origin.REVERTED: pgettext_lazy("why a certificate is made", "an agent back on the one before"),
    Origin.OPERATOR: pgettext_lazy("why a certificate is made", "a person"),
}

KINDS = {
    "origin_of_certificate": ORIGIN_OF_CERTIFICATE,
    "kind_of_agent": KIND_OF_AGENT,
    "config_status": CONFIG_STATUS,
    "quarantine": QUARANTINE,
    "kind_of_rollback": KIND_OF_ROLLBACK,
    "method_of_rollback": METHOD_OF_ROLLBACK,
    "way_back": WAY_BACK,
    "role": ROLE,
    "theme": THEME,
}


def word(kind: str, value: object) -> Promise | str:
    """Return the words of a value; one of another version is called by its own name."""
    return KINDS[kind].get(value) or str(value).replace("_", " ")
