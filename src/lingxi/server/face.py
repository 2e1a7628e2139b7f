"""What the server needs of the application: the opened shop and its answers."""

from lingxi.app.answers import Answers
from lingxi.app.shop import Shop

__all__ = ["Answers", "Shop"]
