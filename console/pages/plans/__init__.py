"""Plans, and a plan tried on a rollout of the past."""
