"""Acts and objects of the audit log in words. Rows keep codes, which the API, exports and filters use.

The acts of rollouts and rollbacks are those of their events (`console.words.events`). An act that is not
here is shown by its own name, so that nothing is left out.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

Words = dict[str, Promise]

# Area: what stands before the dot in an act.
AREAS: Words = {
    "rollouts": pgettext_lazy("audit area", "Rollouts"),
    "rollbacks": pgettext_lazy("audit area", "Rollbacks"),
    "share": pgettext_lazy("audit area", "Share links"),
    "agents": pgettext_lazy("audit area", "Agents"),
    "quarantine": pgettext_lazy("audit area", "Quarantine"),
    "retirement_rules": pgettext_lazy("audit area", "Rules of retirement"),
    "configs": pgettext_lazy("audit area", "Configs"),
    "config": pgettext_lazy("audit area", "Signed configs"),
    "key": pgettext_lazy("audit area", "Signing keys"),
    "plans": pgettext_lazy("audit area", "Plans"),
    "selectors": pgettext_lazy("audit area", "Selectors"),
    "freeze_windows": pgettext_lazy("audit area", "Freeze windows"),
    "budgets": pgettext_lazy("audit area", "Budgets"),
    "environment_guards": pgettext_lazy("audit area", "Guards"),
    "needs": pgettext_lazy("audit area", "What needs a person"),
    "ca": pgettext_lazy("audit area", "Authorities of agents"),
    "cert": pgettext_lazy("audit area", "Certificates of agents"),
    "tls": pgettext_lazy("audit area", "TLS of gateways"),
    "people": pgettext_lazy("audit area", "People"),
    "role": pgettext_lazy("audit area", "Roles"),
    "token": pgettext_lazy("audit area", "Tokens"),
    "login": pgettext_lazy("audit area", "Sign-ins"),
    "logout": pgettext_lazy("audit area", "Sign-outs"),
    "sessions": pgettext_lazy("audit area", "Sessions"),
}

_MOVES: Words = {
    "draft": pgettext_lazy("audit", "drafted"),
    "edit": pgettext_lazy("audit", "changed the draft"),
    "discard": pgettext_lazy("audit", "discarded the draft"),
    "schedule": pgettext_lazy("audit", "scheduled"),
    "start": pgettext_lazy("audit", "started"),
    "redrawn": pgettext_lazy("audit", "drew phases again"),
    "accept_finding": pgettext_lazy("audit", "accepted a finding"),
    "pause": pgettext_lazy("audit", "paused"),
    "resume": pgettext_lazy("audit", "resumed"),
    "bake": pgettext_lazy("audit", "passed every phase"),
    "succeed": pgettext_lazy("audit", "completed"),
    "abort": pgettext_lazy("audit", "aborted"),
    "supersede": pgettext_lazy("audit", "superseded"),
    "roll_back": pgettext_lazy("audit", "decided to roll back"),
    "rolled_back": pgettext_lazy("audit", "rolled back"),
    "rollback_incomplete": pgettext_lazy("audit", "rolled back, some not back"),
    "stragglers_back": pgettext_lazy("audit", "brought the last straggler back"),
    "rollback_done": pgettext_lazy("audit", "brought all online agents back"),
    "rollback_again": pgettext_lazy("audit", "asked stragglers again"),
    "rollback_wave": pgettext_lazy("audit", "offered the version from before"),
    "rollback_check_failed": pgettext_lazy("audit", "failed the check after a batch"),
    "ask_approval": pgettext_lazy("audit", "waits for approval"),
    "approval_asked": pgettext_lazy("audit", "asked for approval"),
    "approval_approved": pgettext_lazy("audit", "approved"),
    "approval_rejected": pgettext_lazy("audit", "rejected"),
    "approval_lapsed": pgettext_lazy("audit", "let the question lapse"),
    "approval_expired": pgettext_lazy("audit", "let the question expire"),
    "approval_withdrawn": pgettext_lazy("audit", "withdrew the question"),
    "start_phase": pgettext_lazy("audit", "started a phase"),
    "deployed": pgettext_lazy("audit", "began to observe"),
    "pass_phase": pgettext_lazy("audit", "passed a phase"),
    "advance": pgettext_lazy("audit", "skipped the rest of a phase"),
    "fail_phase": pgettext_lazy("audit", "failed a phase"),
    "skip_phase": pgettext_lazy("audit", "skipped a phase"),
    "phase_rolled_back": pgettext_lazy("audit", "took a phase back"),
    "waive": pgettext_lazy("audit", "overrode a gate"),
    "gate_warning": pgettext_lazy("audit", "gate reached its warning"),
    "gate_critical": pgettext_lazy("audit", "gate failed"),
    "gate_notify": pgettext_lazy("audit", "gate gave notice"),
    "gate_calm": pgettext_lazy("audit", "gate calmed down"),
    "fell_back": pgettext_lazy("audit", "saw agents fall back"),
    "lost": pgettext_lazy("audit", "lost agents"),
    "quarantined": pgettext_lazy("audit", "quarantined the version"),
    "quarantine_lifted": pgettext_lazy("audit", "lifted the quarantine"),
    "agents_taken": pgettext_lazy("audit", "gave agents to a rollback"),
    "add_rest": pgettext_lazy("audit", "added a last wave"),
    "late_joiners": pgettext_lazy("audit", "gave it to late agents"),
}
_CHANGES: Words = {
    "create": pgettext_lazy("audit", "created"),
    "change": pgettext_lazy("audit", "changed"),
    "delete": pgettext_lazy("audit", "deleted"),
}
_OF_AREA: dict[str, Words] = {
    "rollouts": _MOVES,
    "rollbacks": _MOVES,
    "budgets": _CHANGES,
    "freeze_windows": _CHANGES,
    "environment_guards": _CHANGES,
    "retirement_rules": _CHANGES,
    "plans": _CHANGES,
    "selectors": _CHANGES,
    "people": _CHANGES,
}
ACTS: Words = {
    **{f"{area}.{verb}": said for area, words in _OF_AREA.items() for verb, said in words.items()},
    "agents.label": pgettext_lazy("audit", "changed labels"),
    "agents.retire": pgettext_lazy("audit", "retired"),
    "agents.restart": pgettext_lazy("audit", "asked to restart"),
    "agents.retry_config": pgettext_lazy("audit", "offered the config again"),
    "agents.rename": pgettext_lazy("audit", "gave a new id"),
    "agents.full_state": pgettext_lazy("audit", "asked to report everything"),
    "agents.custom_message": pgettext_lazy("audit", "sent a custom message"),
    "agents.settings": pgettext_lazy("audit", "offered settings"),
    "agents.take_over": pgettext_lazy("audit", "took over from a former agent"),
    "tls.reloaded": pgettext_lazy("audit", "took new TLS files or authorities"),
    "tls.reload_failed": pgettext_lazy("audit", "could not use new TLS files"),
    "ca.trusted": pgettext_lazy("audit", "trusted an authority"),
    "ca.retired": pgettext_lazy("audit", "retired an authority"),
    "ca.activated": pgettext_lazy("audit", "began to issue from an authority"),
    "cert.pending": pgettext_lazy("audit", "wanted a certificate"),
    "cert.approved": pgettext_lazy("audit", "approved a certificate"),
    "cert.issued": pgettext_lazy("audit", "issued a certificate"),
    "cert.offered": pgettext_lazy("audit", "offered a certificate"),
    "cert.applying": pgettext_lazy("audit", "saw a certificate being tried"),
    "cert.installed": pgettext_lazy("audit", "saw a certificate in use"),
    "cert.failed": pgettext_lazy("audit", "gave a certificate up"),
    "cert.rolled_back": pgettext_lazy("audit", "saw an agent go back to its old certificate"),
    "cert.reverted": pgettext_lazy("audit", "saw an agent back on the certificate before"),
    "cert.superseded": pgettext_lazy("audit", "replaced a certificate"),
    "cert.expired": pgettext_lazy("audit", "saw a certificate expire"),
    "cert.cancelled": pgettext_lazy("audit", "cancelled a certificate"),
    "cert.rotation_paused": pgettext_lazy("audit", "held up renewals"),
    "cert.rotation_resumed": pgettext_lazy("audit", "let renewals go on"),
    "agents.make_key": pgettext_lazy("audit", "had a key made"),
    "agents.no_certificate": pgettext_lazy("audit", "refused a certificate request"),
    "cert.registered": pgettext_lazy("audit", "registered a certificate"),
    "cert.revoked": pgettext_lazy("audit", "revoked a certificate"),
    "key.added": pgettext_lazy("audit", "trusted a signing key"),
    "key.marked_bad": pgettext_lazy("audit", "called a signing key bad"),
    "config.signed": pgettext_lazy("audit", "signed a version"),
    "key.used": pgettext_lazy("audit", "used a signing key"),
    "configs.upload": pgettext_lazy("audit", "saved a version"),
    "quarantine.add": pgettext_lazy("audit", "quarantined"),
    "quarantine.lift": pgettext_lazy("audit", "lifted a quarantine"),
    "needs.acknowledge": pgettext_lazy("audit", "acknowledged"),
    "role.changed": pgettext_lazy("audit", "changed roles"),
    "token.created": pgettext_lazy("audit", "made a token"),
    "token.revoked": pgettext_lazy("audit", "revoked a token"),
    "share.created": pgettext_lazy("audit", "made a share link"),
    "share.revoked": pgettext_lazy("audit", "revoked a share link"),
    "login.ok": pgettext_lazy("audit", "signed in"),
    "login.failed": pgettext_lazy("audit", "failed to sign in"),
    "login.locked": pgettext_lazy("audit", "was kept out: too many attempts"),
    "logout": pgettext_lazy("audit", "signed out"),
    "sessions.end": pgettext_lazy("audit", "ended other sessions"),
}

OBJECTS: Words = {
    "gateway": pgettext_lazy("audit object", "gateway"),
    "rollout": pgettext_lazy("audit object", "rollout"),
    "rollback": pgettext_lazy("audit object", "rollback"),
    "approval": pgettext_lazy("audit object", "question"),
    "share_link": pgettext_lazy("audit object", "share link"),
    "agent": pgettext_lazy("audit object", "agent"),
    "agent_token": pgettext_lazy("audit object", "token of agents"),
    "certificate": pgettext_lazy("audit object", "certificate"),
    "authority": pgettext_lazy("audit object", "authority"),
    "rotation_pause": pgettext_lazy("audit object", "renewals"),
    "signing_key": pgettext_lazy("audit object", "signing key"),
    "agent_certificate": pgettext_lazy("audit object", "certificate"),
    "trusted_authority": pgettext_lazy("audit object", "authority"),
    "connection_settings": pgettext_lazy("audit object", "settings of agents"),
    "config_version": pgettext_lazy("audit object", "config"),
    "config_hash": pgettext_lazy("audit object", "bytes"),
    "plan": pgettext_lazy("audit object", "plan"),
    "selector": pgettext_lazy("audit object", "selector"),
    "freeze_window": pgettext_lazy("audit object", "freeze window"),
    "budget": pgettext_lazy("audit object", "budget"),
    "environment_guard": pgettext_lazy("audit object", "guard"),
    "retirement_rule": pgettext_lazy("audit object", "rule of retirement"),
    "quarantine": pgettext_lazy("audit object", "quarantine"),
    "refused": pgettext_lazy("audit object", "refused agents"),
    "offline": pgettext_lazy("audit object", "agents that are away"),
    "late": pgettext_lazy("audit object", "agents that are late"),
    "user": pgettext_lazy("audit object", "person"),
    "api_token": pgettext_lazy("audit object", "API token"),
    "session": pgettext_lazy("audit object", "session"),
}


def act(code: str) -> Promise | str:
    """Return what was done in words; an act of another version by its own name."""
    return ACTS.get(code) or code.replace("_", " ").replace(".", ": ")


def kind(code: str) -> Promise | str:
    """Return what kind of thing it was done to."""
    return OBJECTS.get(code) or code.replace("_", " ")


def area_of(code: str) -> str:
    """Return the area of an act: what stands before its dot."""
    return code.partition(".")[0]
