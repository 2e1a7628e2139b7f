"""From the best items to the best list: diversity, caps, goals, exploration."""

from lingxi.recommend.rerank.diversify import Caps, Diversified, Method, diversify
from lingxi.recommend.rerank.explore import Explored, Exploring, explore
from lingxi.recommend.rerank.goals import Goal, find_goal_factors
from lingxi.recommend.rerank.likeness import Likeness, find_likeness

__all__ = [
    "Caps",
    "Diversified",
    "Explored",
    "Exploring",
    "Goal",
    "Likeness",
    "Method",
    "diversify",
    "explore",
    "find_goal_factors",
    "find_likeness",
]
