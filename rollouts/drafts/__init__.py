"""What a rollout would do before it starts: who is in, who is not and why, what stands in the way.

Tests: `tests/rollouts/drafts`, `tests/rollouts/actions/test_start.py`.
"""
