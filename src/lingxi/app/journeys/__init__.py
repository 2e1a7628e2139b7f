"""Journeys of one shop: definitions, lint against what the shop has, the gallery, simulation."""
