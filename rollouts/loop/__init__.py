"""The loop of rollouts: claim what is due, load facts, decide, carry out, say why. Reads and writes."""
