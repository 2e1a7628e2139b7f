"""Journeys at work in a shop: what they are handed, their standing work, and what edges show."""
