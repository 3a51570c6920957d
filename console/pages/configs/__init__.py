"""Configs, their versions and differences."""
