"""The door for what collectors measure of themselves (OTLP over HTTP)."""
