"""Contract checks for those who write plug-ins: subclass one, say how to make yours, run pytest."""

from lingxi.testing.scorer import ScorerContract

__all__ = ["ScorerContract"]
"""One contract for each plug-in point that is open."""
