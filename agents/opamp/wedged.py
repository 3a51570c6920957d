"""When an agent refuses everything: a supervisor whose stored config spoils each new one. Pure.

A collector supervisor (0.149) checks a new config together with the effective config it keeps. A
stored one that cannot run, null sections for instance, then lies over every file that comes, the
good old one too, and each is FAILED until the stored config is removed by hand. One refusal says
something about a config; refusing what ran before says something about the agent.

The collector of such a supervisor is down. One that becomes healthy runs something: what it refused,
it refused for another reason, a taken port for instance, and that is over (`note_well_again`).
"""

from __future__ import annotations


def wedged_since(
    refused: str, *, running: str, former: str, first_refused: str, is_unhealthy: bool
) -> str:
    """Return the hash since which an agent that now refuses `refused` refuses everything, or "".

    `running` is what it last applied, `former` what it ran before that, `first_refused` the first
    hash it refused since then ("" each when there is none). It does when it refuses what it ran,
    after another was refused; or what it ran before, while what it applied last makes it unhealthy.
    """
    if not refused or refused not in (running, former):
        return ""
    if first_refused and first_refused != refused:
        return first_refused
    return running if refused == former and is_unhealthy else ""
