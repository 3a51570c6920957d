"""Rollouts from the wizard to the timeline, approvals and rollbacks."""
