"""Placements of one shop: their definitions, lists made from them, previews, and why not."""
