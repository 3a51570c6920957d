"""Import this first: Django set up for code that asks no database."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
os.environ.setdefault("SECRET_KEY", "only-for-benchmarks-" + "x" * 40)

django.setup()
