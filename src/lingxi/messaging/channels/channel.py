"""The plug-in point ``Channel``: one way to reach a customer."""

from typing import Protocol, runtime_checkable

from lingxi.messaging.nouns import Outcome, Parcel


@runtime_checkable
class Channel(Protocol):
    """Carries a rendered message to one address, and says what came of it.

    ``deliver`` is called from several threads at once, and again for the same message after
    ``Deferred`` (and, for a transactional one, after ``Unclear`` or a crash), always with the same
    ``message_id``. It answers honestly: ``Deferred`` and ``Failed`` promise that nothing was taken
    over; where that cannot be known the answer is ``Unclear``. An exception counts as ``Unclear``.
    Check yours with ``lingxi.testing.ChannelContract``.
    """

    @property
    def name(self) -> str:
        """What messages call it: email, sms, push, on_site, webhook."""

    @property
    def address_trait(self) -> str:
        """The trait that holds a customer's address, such as email; empty where none is needed."""

    def deliver(self, parcel: Parcel) -> Outcome:
        """Hand the message over, within a bounded time."""

    def close(self) -> None:
        """Let go of connections; ``deliver`` is not called afterwards."""
