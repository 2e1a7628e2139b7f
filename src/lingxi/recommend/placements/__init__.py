"""Placements: where lists stand in a shop, what fills them, and what they keep to."""
