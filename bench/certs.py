"""How quick the built-in authority is, and what a certificate costs in rows (issue 13, Numbers).

    python -m bench.certs [--certificates 2000]

Prints the median and the slowest of issuing and checking, and how long 10,000 would take.
"""

from __future__ import annotations

import argparse
import statistics
import time
import uuid
from datetime import UTC, datetime, timedelta

from agents.opamp.requests.signing_request import read_signing_request
from certs.issuers.base import Identity, checked
from certs.issuers.builtin import BuiltinIssuer
from tests.make.certificates import authority
from tests.make.requests import csr

GOAL_MS, GOAL_S = 1.0, 30.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--certificates", type=int, default=2000)
    count = parser.parse_args().certificates
    ca, now, life = authority(), datetime.now(UTC), timedelta(days=20)
    issuer = BuiltinIssuer(ca.certificate, ca.key)
    asked = [csr() for _ in range(200)]
    issuing, whole = [], []
    for number in range(count):
        pem, identity = asked[number % len(asked)], Identity("bench", uuid.uuid4())
        began = time.perf_counter()
        request = read_signing_request(pem)
        at = time.perf_counter()
        issued = issuer.issue(request, identity, life, now)
        issuing.append(time.perf_counter() - at)
        checked(issued, request.public_key, identity, now)
        whole.append(time.perf_counter() - began)
    for name, takes in (("issue", issuing), ("read, issue, check", whole)):
        middle, slowest = statistics.median(takes) * 1000, max(takes) * 1000
        print(f"{name:20} median {middle:.3f} ms, slowest {slowest:.1f} ms")
    print(f"10,000 certificates  {sum(whole) / count * 10_000:.1f} s (at most {GOAL_S:g} s)")
    print(f"issue                at most {GOAL_MS:g} ms in the middle")


if __name__ == "__main__":
    main()
