"""The shapes of answers and bodies, for reading input and for the OpenAPI document.

Answers are plain dictionaries made by readers; the classes here describe them, and the tests
compare what the routes really answer with them.

Tests: `tests/console/api/test_openapi.py`, `tests/console/api/contract.py`.
"""

from __future__ import annotations
