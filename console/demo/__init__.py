"""The people, configs and plans of a demo.

Tests: `tests/console/demo/test_seed.py`.
"""
