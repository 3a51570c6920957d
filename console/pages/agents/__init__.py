"""The agents list, one agent, and the acts on it."""
