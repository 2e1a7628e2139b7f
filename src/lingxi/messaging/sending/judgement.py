"""What a worker may decide on a message before it is sent, and the checks that others bring."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa

from lingxi.messaging.nouns import Content, Message, SkipReason


@dataclass(frozen=True)
class Skip:
    """It is not sent, and this is why."""

    reason: SkipReason
    detail: str = ""


@dataclass(frozen=True)
class Wait:
    """Not now, but from this moment on."""

    until: datetime


@dataclass(frozen=True)
class Reader:
    """The customer as a message meets them; ``customer`` is who they are after all merges."""

    customer: int
    subjects: tuple[int, ...]
    traits: Mapping[str, str]
    language: str
    timezone: str

    @property
    def name(self) -> str:
        """What to call them, or nothing."""
        whole = self.traits.get("name", "")
        first = self.traits.get("first_name") or self.traits.get("firstName", "")
        last = self.traits.get("last_name") or self.traits.get("lastName", "")
        return whole or " ".join(part for part in (first, last) if part)


@dataclass(frozen=True)
class SendCheck:
    """A reason not to send that another room knows of: stock, a coupon's validity, a holdout.

    ``function`` is asked of many messages in a reading transaction right before they are sent, and
    answers those that it objects to, by their id.
    """

    name: str
    function: Callable[[sa.Connection, Sequence[Message], datetime], Mapping[str, SkipReason]]
    transactional: bool = False
    """Whether it is asked of transactional messages too."""


@dataclass(frozen=True)
class Composed:
    """The text of a message, of the version that it was made from."""

    content: Content
    version: int


@dataclass(frozen=True)
class Links:
    """Addresses that belong into a message to this reader."""

    unsubscribe_url: str = ""
    preferences_url: str = ""


class Composer(Protocol):
    """Makes the text of a message; ``lingxi.messaging.templates`` is the one that ships."""

    def compose(
        self, tx: sa.Connection, message: Message, reader: Reader, links: Links, now: datetime
    ) -> Composed | Skip:
        """The text, or why there is none."""


MakeLinks = Callable[[Message, Reader, str], Links]
"""For a message to a reader at an address."""
