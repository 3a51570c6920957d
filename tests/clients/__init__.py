"""Real OpAMP clients for the tests: built from the Go module here, run as child processes."""

from __future__ import annotations
