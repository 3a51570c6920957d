"""Leaves that any app may use. Nothing here imports anything of ours but its neighbours."""
