"""Contract checks for those who write plug-ins: subclass one, say how to make yours, run pytest."""

from lingxi.testing.channel import ChannelContract
from lingxi.testing.scorer import ScorerContract
from lingxi.testing.source import SourceContract

__all__ = ["ChannelContract", "ScorerContract", "SourceContract"]
"""One contract for each plug-in point that is open."""
