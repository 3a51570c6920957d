"""Certificates. Nothing is here yet."""
