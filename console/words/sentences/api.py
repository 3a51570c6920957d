"""What the API answers to a request that it cannot carry out, and what is not there. Read by
`console.words.tables`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from console.lib.texts import Sentence


def _migrations(params: Mapping[str, Any]) -> str:
    return ngettext(
        "{count} migration is not applied; run manage.py migrate",
        "{count} migrations are not applied; run manage.py migrate",
        params["count"],
    ).format_map(params)


TITLES: dict[str, Sentence] = {
    "problem.any": _l("The request could not be carried out."),
    "problem.denied": _l("Not allowed."),
    "problem.fault": _l("Tidegate made a mistake."),
    "problem.invalid": _l("The input is not valid."),
    "problem.missing": _l("Not found."),
    "problem.not_our_name": _l("This name is not known here."),
    "problem.not_possible": _l("Not possible here."),
    "problem.not_readable": _l("Not readable."),
    "problem.refused": _l("Refused."),
    "problem.sign_in": _l("Sign in first."),
    "problem.stale": _l("Nothing was done."),
    "problem.too_large": _l("The input is too large."),
    "problem.too_many": _l("Too many requests."),
    "problem.transient": _l("Try again later."),
}

ANSWERS: dict[str, Sentence] = {
    "system.migrations": _migrations,
    "system.not_our_name": _l(
        "This console does not answer under the name {name}. If the name is right, add it to the setting "
        "ALLOWED_HOSTS, and set PUBLIC_URL to the address that people use."
    ),
    "api.database_away": _l("The database does not answer at the moment. Try again."),
    "api.csrf_failed": _l("CSRF Failed: {why}"),
    "api.denied": _l("You may not do this."),
    "api.fault": _l(
        "Something went wrong in Tidegate. The log has the reason under the request id."
    ),
    "api.no_slash": _l("There is nothing at this address. API addresses end without a slash."),
    "api.not_stored": _l(
        "Tidegate could not store this. The log has the reason under the request id."
    ),
    "api.nothing_here": _l("There is nothing at this address."),
    "page.nothing_here": _l(
        "There is nothing at this address. The object does not exist, or it is outside your scope."
    ),
    "api.restarts": _l("This console restarts. Ask again."),
    "api.sign_in": _l("Send an API token (Authorization: Bearer tg_u_...), or sign in."),
    "api.token_expired": _l("This API token expired on {on}. Make a new one."),
    "api.token_unknown": _l(
        "This API token is not known, or was revoked. Tokens look like tg_u_..."
    ),
    "api.too_many_wait": _l("Too many requests wait at once. Ask again in a moment."),
    "api.unreadable_request": _l("The request cannot be read."),
}

BODIES: dict[str, Sentence] = {
    "api.a_config": _l("A config"),
    "api.a_json_body": _l("A JSON body"),
    "api.a_key_twice": _l("A key is given twice."),
    "api.and_more": _l("{what} ({more} more)"),
    "api.body_not_utf8": _l("The body is not UTF-8 text (byte {at})."),
    "api.body_too_deep": _l("The body is nested more than {most} deep."),
    "api.body_too_large": _l("The body is too large."),
    "api.holds_nul": _l("holds NUL"),
    "api.key_twice": _l("This key is given twice."),
    "api.large_number": _l("{read} is too large a number."),
    "api.large_request": _l("A request may have at most {most:,} bytes."),
    "api.long_number": _l("The body holds a number that is too long."),
    "api.looks_like_form": _l(
        ' It looks like a form; send a JSON object such as {{"reason": "..."}}.'
    ),
    "api.no_json_number": _l("{read} is not a JSON number."),
    "api.not_a_form": _l("Send the file itself, not a form: curl --data-binary @FILE (not -F)."),
    "api.not_json": _l("The body is not JSON: {what} ({place}).{hint}"),
    "api.nul": _l("A NUL character is not text."),
    "api.nul_or_surrogate": _l("NUL characters and lone surrogates are not text."),
    "api.place": _l("line {line}, column {column}"),
    "api.plan_not_utf8": _l("The plan is not UTF-8 text."),
    "api.too_many_bytes": _l("{what} may have at most {most:,} bytes."),
    "api.unkept_text": _l("The body holds text that cannot be kept."),
}

ABSENT: dict[str, Sentence] = {
    "agents.picked_missing": _l("One of the picked agents does not exist."),
    "api.agent_missing": _l("There is no such agent, or it is outside your scope."),
    "api.no_agent": _l("There is no agent {uid}."),
    "api.no_agent_here": _l("there is no agent {uid}"),
    "api.no_such_name": _l("There is nothing of this name."),
    "api.not_reported": _l("This agent has not reported that yet."),
    "config.missing": _l("There is no config {name}."),
    "config.no_version_yet": _l("{name} has no version yet."),
    "plan.missing": _l("There is no plan {name}."),
    "rollback.missing": _l("There is no rollback {number}."),
    "rollout.missing_or_hidden": _l(
        "There is no rollout R-{number:04d}, or it is outside your scope."
    ),
    "rollout.no_number": _l("{read} is not a rollout number; they look like R-0042."),
}

PARAMETERS: dict[str, Sentence] = {
    "api.bad_key": _l("Idempotency-Key must be 1 to {most} printable ASCII characters."),
    "api.bad_timeout": _l("timeout {what}"),
    "api.beside_version": _l("stands beside a version number"),
    "api.differs_from_header": _l("differs from If-Match"),
    "api.give_count": _l("Give the count that a dry run answered."),
    "api.key_of_another": _l("belongs to another request"),
    "api.key_reused": _l("This Idempotency-Key was used for another request. Use a new key."),
    "api.long_wait": _l("is longer than 10m; ask again when the time is up"),
    "api.must_be_flag": _l("must be true or false"),
    "api.must_be_hash": _l("must be 64 hex digits, sha256- may stand before them"),
    "api.must_be_revision": _l('must be a revision such as "7"'),
    "api.must_be_time": _l("must be a time such as 2026-11-24T10:00:00Z"),
    "api.must_be_whole": _l("must be a whole number from {least} to {most}"),
    "api.must_have_offset": _l("must have an offset, as 2026-11-24T10:00:00Z has"),
    "api.no_flag": _l("{name} is neither true nor false."),
    "api.no_hash": _l(
        '"{read}" is not a config hash; write 64 hex digits, or sha256- before them.'
    ),
    "api.no_name_in_address": _l("is missing from the address: ?name=edge"),
    "api.no_offset": _l('{name}="{read}" says no offset; write 2026-11-24T10:00:00Z.'),
    "api.no_revision": _l(
        "If-Match {read} is not a revision; send the ETag of the answer you saw."
    ),
    "api.no_time": _l('{name}="{read}" is not a time; write 2026-11-24T10:00:00Z.'),
    "api.no_whole_number": _l('{name}="{read}" is not a whole number from {least} to {most}.'),
    "api.one_goal": _l("Say to_version or config_hash, not both."),
    "api.one_of": _l("must be one of {known}"),
    "api.say_which_config": _l("Say which config this is: /api/v1/config?name=edge"),
    "api.some_of": _l("must be one or more of {known}"),
    "api.two_revisions": _l(
        "If-Match says revision {header} and the body {body}; send one of them."
    ),
    "api.unknown_word": _l('{name}="{read}" is not known; write one of {known}.'),
    "api.unknown_words": _l('{name}="{read}" is not known; write one or more of {known}.'),
    "api.unusable_key": _l("not usable as a key"),
}
