"""What is said of certificates of agents: requests, issuing, and what each one waits for.

Sentences about a request are read by an agent's administrator as well: they say what would be right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _l

from console.lib.texts import Sentence
from console.words.times import span

Params = Mapping[str, Any]


def _within(template: Any) -> Sentence:
    """Say a sentence in which `within` is the length of `within_s`."""
    return lambda params: template.format_map({**params, "within": span(params["within_s"])})


def _too_short(params: Params) -> str:
    template = _l(
        "The issuer gave a certificate that lasts {given} where {asked} were asked: it would be renewed "
        "without end. Set CERTIFICATES_LIFETIME_H to what the issuer gives."
    )
    return template.format_map({"given": span(params["given_s"]), "asked": span(params["asked_s"])})


REQUESTS: dict[str, Sentence] = {
    "csr.too_large": _l("The certificate request has {size:,} bytes; it may have {most:,}."),
    "csr.not_one_block": _l(
        "The certificate request must be one PEM block, -----BEGIN CERTIFICATE REQUEST-----, and "
        "nothing else; {blocks} blocks were read."
    ),
    "csr.unreadable": _l("The certificate request cannot be read: it is no PKCS #10 in PEM."),
    "csr.bad_signature": _l("The certificate request is not signed by its own key."),
    "csr.other_uid": _l(
        "The certificate request names {named}, and the message comes from {uid}: name the agent's own "
        "instance_uid, or none."
    ),
    "csr.rsa_size": _l("The RSA key has {bits} bits; it must have 2,048 to 4,096."),
    "csr.key_kind": _l("The key must be P-256, P-384, Ed25519 or RSA with 2,048 to 4,096 bits."),
}

ISSUING: dict[str, Sentence] = {
    "issuing.unfit": _l("The issuer returned a certificate that does not fit: {why}."),
    "issuing.wrong_key": _l("it is for another key"),
    "issuing.wrong_use": _l("it does not say clientAuth"),
    "issuing.wrong_ca": _l("it says CA:TRUE"),
    "issuing.wrong_name": _l("it is not for {name}"),
    "issuing.wrong_time": _l("it is not valid now"),
    "issuing.too_short": _too_short,
    "issuing.no_request": _l("There is no request with a key to certify any more."),
    "issuing.authority_expired": _l("The certificate of the authority expired at {at}."),
    "issuing.no_file": _l("{path} cannot be read: {why}."),
    "issuing.bad_key": _l("{path} holds no private key in PEM, unencrypted (P-256, Ed25519, RSA)."),
    "issuing.bad_certificate": _l("{path} holds no certificate in PEM."),
    "issuing.small_key": _l("The RSA key in {path} has {bits} bits; it must have 2,048 or more."),
    "issuing.key_is_open": _l(
        "{path} has mode {mode}: others can read the key of the authority. Mend it: chmod 600 {path}"
    ),
    "issuing.key_of_another": _l(
        "The key in {path} does not belong to the certificate in {other}."
    ),
    "issuing.no_authority": _l(
        "The certificate in {path} is no authority: it must say CA:TRUE. Make one: manage.py certs init"
    ),
    "issuing.other_authority": _l(
        "The file holds the authority {found}, and {active} is the active one. Agents that have its "
        "certificates would be cut: put its files back."
    ),
    "issuing.authority_retired": _l("The authority {name} is not trusted any more."),
    "issuing.bad_threshold": _l(
        "CERTIFICATES_RENEW_BEFORE_H is {threshold} h and a certificate lives {lifetime} h "
        "(CERTIFICATES_LIFETIME_H): it must be less, for example {right} h."
    ),
}

LIFE: dict[str, Sentence] = {
    "cert.waits_approval": _l("Waits for a person to approve it."),
    "cert.approve_first": _l(
        "Asked for by {credential}, which others share: a person must approve the certificate."
    ),
    "cert.approve_again": _l(
        "Asked for by {credential}, while the agent has a certificate that is good: a person must "
        "approve it."
    ),
    "cert.accepts_no_settings": _l(
        "The agent does not accept connection settings (AcceptsOpAMPConnectionSettings), so no "
        "certificate can be handed to it."
    ),
    "cert.no_tls_entrance": _l(
        "A certificate is of use over TLS only, and agents are told to connect to {url}. Set OPAMP_URL "
        "to a wss:// address."
    ),
    "cert.entrance_unproved": _l(
        "Nothing is offered, because our own connection to {url} failed: {why}. An agent that is sent "
        "there would not come back."
    ),
    "cert.offered": _l("A certificate for the agent"),
    "cert.expired_unused": _l("Its time was over before the agent used it."),
    "cert.agent_tries": _l("The agent says that it tries it."),
    "cert.left_with_it": _l("The agent went away after it was sent the certificate."),
    "cert.no_push": _l(
        "Keys of agents are not made here: set CERTIFICATES_PUSH to let a gateway make one and send it."
    ),
    "cert.waits_key": _l("Waits for the agent's gateway to make a key."),
    "cert.waits_agent": _l("Waits for the agent to connect."),
    "cert.waits_word": _l("Sent with the next answer; waits for the agent's word."),
    "cert.waits_use": _l("Waits for a connection that is made with it."),
    "cert.not_taken": _within(_l("The agent did not take it within {within}.")),
    "cert.not_used": _within(_l("The agent did not connect with it within {within}.")),
    "cert.not_back": _within(
        _l("The agent went away with it and has not been back for {within}: it may be lost.")
    ),
    "cert.came_back": _l("The agent came back with what it had before."),
    "cert.agent_failed": _l("The agent says: {says}"),
    "cert.proved": _l("The agent connected with it."),
    "cert.used_after_all": _l("The agent uses a certificate that had been given up."),
    "cert.time_over": _l("Its time is over."),
    "cert.kept_for_restart": _l(
        "Kept until it expires: after a restart the agent has no newer one, because it keeps offers in "
        "memory only."
    ),
    "cert.still_used": _l("Kept, because the agent is connected with it."),
    "cert.replaced": _l("Its successor has been in use for a day."),
    "cert.successor": _l("Certificate {successor} is in use instead."),
    "cert.asked_anew": _l("The agent asked for another one."),
    "cert.reverted": _l("The agent is back on the certificate before."),
    "cert.due": _l("The certificate in use is due for renewal."),
    "cert.retry": _l("Attempt {attempt}"),
    "cert.too_many_failed": _l(
        "More than one renewal in twenty failed. Look at the failed ones, then resume."
    ),
    "cert.paused_already": _l("Renewals are held up already."),
    "cert.not_paused": _l("Renewals are not held up."),
    "cert.missing": _l("There is no such certificate."),
    "cert.nothing_to_approve": _l("This certificate does not wait for approval."),
    "cert.nothing_to_revoke": _l("This certificate cannot be used as it is: {state}."),
    "cert.nothing_to_renew": _l("This certificate is not in use: {state}."),
    "cert.on_its_way": _l("Another certificate is on its way to this agent already."),
    "cert.revoked_by": _l("Revoked: {reason}"),
    "cert.refused": _l("Refused: {reason}"),
}
