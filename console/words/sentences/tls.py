"""What is wrong with the files of TLS, each with its mend (security.md R3)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _l

from console.lib.texts import Sentence

PEM: dict[str, Sentence] = {
    "pem.none": _l("it holds no -----BEGIN CERTIFICATE-----"),
    "pem.broken": _l("certificate {number} cannot be read: {why}"),
}

TLS: dict[str, Sentence] = {
    "tls.certificate_unreadable": _l(
        "{file}: no certificate can be read ({why}). OPAMP_TLS_CERT is a PEM file: the server's own "
        "certificate first, then what stands between it and its CA."
    ),
    "tls.key_unreadable": _l(
        "{file}: no private key can be read ({why}). OPAMP_TLS_KEY is the PEM file of the key that "
        "belongs to OPAMP_TLS_CERT."
    ),
    "tls.key_encrypted": _l(
        "{file}: the key is encrypted, and nobody is there to type a password. Decrypt it once: "
        "openssl pkey -in {file} -out server.key && chmod 600 server.key"
    ),
    "tls.key_open": _l(
        "{file}: others than its owner may read the key (mode {mode}). Take that away: chmod 600 {file}"
    ),
    "tls.key_of_another": _l(
        "{file}: the key does not belong to the certificate in {certificate}. Both of these must "
        "print the same: openssl pkey -in {file} -pubout and openssl x509 -in {certificate} "
        "-noout -pubkey"
    ),
    "tls.key_weak": _l(
        "{file}: the RSA key has {bits} bits, and {least} are the least. Make a new one: openssl "
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out server.key"
    ),
    "tls.pair_unusable": _l(
        "{file}: OpenSSL cannot serve with it ({why}). The file holds the server's own certificate "
        "first, then what stands between it and its CA."
    ),
    "tls.bundle_unreadable": _l(
        "{file}: no CA can be read ({why}). OPAMP_TLS_CLIENT_CA is a PEM file of the authorities that "
        "sign agents' certificates."
    ),
    "tls.no_authority": _l(
        "{file}: {subject} is no CA, it does not say CA:TRUE. Make it with the extension "
        "basicConstraints=critical,CA:TRUE, or take it out of the file."
    ),
    "tls.expired": _l("{file}: the certificate expired at {ends} UTC. Put a valid one there."),
    "tls.other_names": _l(
        "{file}: the certificate has none of the names of the one before ({names}), so agents would "
        "refuse it. Keep one of them, or start the gateway anew to change all."
    ),
    "tls.has_expired": _l(
        "{file}: the server's certificate has expired. Agents that verify it stay away until a valid "
        "one is there; it is taken within seconds, without a restart."
    ),
    "tls.no_names": _l(
        "{file}: the server's certificate has no subjectAltName, and Go clients (supervisor, "
        "collector) refuse a name that stands in CN only. These two lines make one that has it:\n"
        'openssl req -new -key {key} -subj "/CN={name}" -addext "subjectAltName={kind}:{name}" '
        "-out server.csr\n"
        "openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 "
        "-copy_extensions copy -out server.crt"
    ),
    "tls.allows_12": _l(
        "OPAMP_TLS_MIN_VERSION allows TLS 1.2: with it certificates are seen by anyone on the way. "
        "Agents of today speak 1.3."
    ),
    "tls.self_test": _l(
        "The gateway cannot connect to its own port {port} over TLS: {why}. Agents could not either."
    ),
    "tls.self_test_other": _l(
        "The gateway's own port {port} shows another certificate than that of {file}: another process "
        "listens there too."
    ),
}
