"""The gateway's numbers beside a bare aiohttp echo of the same messages, in one run.

python -m bench.gateway [--rows messages,accept,...] [--agents 10000] [--seconds 5] [--json]

The server under test has core 0 for itself; the load comes from the other cores.
"""

from __future__ import annotations
