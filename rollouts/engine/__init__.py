"""Decisions about a rollout: pure functions of frozen facts and `now`. `loop` feeds them."""
