"""Sentences, numbers and marks for people, made from codes and facts; for pages, API and commands."""
