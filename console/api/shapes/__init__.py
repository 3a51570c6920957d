"""The shapes of answers and bodies, each declared once.

Answers are typed dictionaries (`answer`): mypy checks what routes make, and the OpenAPI document is
made from the same class. Bodies are serializers (`base`) that read what was sent and describe it.

Tests: `tests/console/api/test_answers.py`, `tests/console/api/test_openapi.py`,
`tests/console/api/contract.py`.
"""

from __future__ import annotations
