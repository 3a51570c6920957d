"""The house in figures, each beside its target. `python -m tools.house` prints them."""
