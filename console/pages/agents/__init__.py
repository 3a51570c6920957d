"""The agents list, one agent, and the acts on it.

Tests: `tests/console/pages/agents`, `tests/console/pages/test_query_counts.py`,
`tests/browser/test_agents_list.py`.
"""
