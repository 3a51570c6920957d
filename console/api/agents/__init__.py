"""Agents over REST: read, act, quarantine."""
