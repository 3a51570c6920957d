"""The life of a certificate, decided: states, schedule, pace. Pure: frozen facts and `now` in, what
should happen out. Nothing here reads a clock, a row or a socket.

Tests: `tests/certs/rotation`.
"""
