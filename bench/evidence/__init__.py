"""How often the gates are right, over simulated rollouts: `python -m bench.evidence`."""
