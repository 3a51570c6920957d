"""Keys of agents that cannot make one: made in memory, sent once with the certificate, and forgotten.

Security.md section 4, mode `push`. A gateway that dies takes the key with it; the certificate for it is then
never sent, and another one is made.
"""

from __future__ import annotations

import hashlib
import time
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from agents.gateway.connections import Held
from agents.opamp.requests.signing_request import read_signing_request
from agents.opamp.state import CertificateAsked

# Who asks in a request that a gateway made for an agent.
PRINCIPAL = "gateway"


def make_key(agent: Held) -> None:
    """Make a key and a request for it, which is written like one of the agent's own."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(UUID(bytes=agent.uid)))])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    pem = csr.public_bytes(Encoding.PEM)
    request = read_signing_request(pem)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    agent.held_key = (hashlib.sha256(request.spki).hexdigest(), private)
    asked = CertificateAsked(pem.decode(), time.time())
    asked.principal = PRINCIPAL
    agent.change().requests[request.digest] = asked
