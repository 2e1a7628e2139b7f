"""Composition root: config, store, rooms; jobs; and the answers that all edges share."""
