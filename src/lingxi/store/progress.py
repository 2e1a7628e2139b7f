"""How a long step tells how far it is."""

from typing import Protocol


class Progress(Protocol):
    """Told after each part of a step: its name, parts done, parts in all if that is known."""

    def __call__(self, step: str, done: int, total: int | None, /) -> None:
        """Take note."""


def silent(_step: str, _done: int, _total: int | None) -> None:
    """Nobody is watching."""
