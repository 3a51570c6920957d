"""The gateway beside a bare echo of the same messages: `python -m bench.gateway`."""
