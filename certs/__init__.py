"""Certificates and signatures: what the issuer worker does, the only one with private keys.

Certificates of agents have the same anatomy as `rollouts`: `rotation` decides and is pure, `loop` loads
facts and carries out, `apply` is the one writer of states, `issuers` sign for agents, `actions` are acts
of people. The gateway knows nothing of this app: the two speak through rows of `agents` (requests,
registered fingerprints, offered settings, sessions). `signing` signs config versions.

Tests: `tests/certs`.
"""
