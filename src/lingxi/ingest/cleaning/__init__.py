"""Cleaning of one message, as a list of named steps."""

from lingxi.ingest.cleaning.clean import STEPS, clean
from lingxi.ingest.cleaning.rules import Rules

__all__ = ["STEPS", "Rules", "clean"]
