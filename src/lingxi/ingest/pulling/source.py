"""The plug-in point: where messages come from when nobody sends them."""

from typing import Protocol

import msgspec


class Page(msgspec.Struct, frozen=True):
    """Some messages, each as its bytes: one JSON object in the terms of the Segment specification.

    ``cursor`` is where to go on; ``more`` says that there is something there already, ``behind``
    how many messages that are, where the source knows.
    """

    messages: tuple[bytes, ...]
    cursor: str
    more: bool = False
    behind: int | None = None


class Source(Protocol):
    """Gives messages from where a cursor stands, in one order, as often as it is asked.

    A message names itself by ``messageId``, or has the same bytes each time; that is what makes it
    count once. The cursor is kept with the messages in one transaction: after a crash the source is
    asked again from the last one kept. Its contract: ``lingxi.testing.SourceContract``.
    """

    def pull(self, cursor: str, n: int, /) -> Page:
        """At most ``n`` messages past ``cursor``; the empty one stands before the first.

        The same cursor gives the same messages again, and at the end perhaps more.

        Raises
        ------
        SourceUnavailable
            If it cannot be reached now; it is asked again later.
        """

    def close(self) -> None:
        """Let go of files and connections."""
