"""What every ``Channel`` that carries messages keeps to."""

from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b

import msgspec

from lingxi.messaging.channels.channel import Channel
from lingxi.messaging.nouns import (
    Accepted,
    Content,
    Deferred,
    Failed,
    Outcome,
    Parcel,
    Recipient,
    Unclear,
)

_OUTCOMES = (Accepted, Deferred, Failed, Unclear)


class ChannelContract(ABC):
    """Subclass it, make your channel over a sink of yours, and say what the sink has received."""

    @abstractmethod
    def make(self) -> Channel:
        """A fresh channel whose other side takes everything; all of them share the sink."""

    @abstractmethod
    def received(self) -> list[str]:
        """The message ids that the other side has taken, in order, repetitions included."""

    @abstractmethod
    def refuse(self) -> None:
        """From now on the other side takes nothing, and says so or is not there."""

    def address(self) -> str:
        """An address of the channel's kind; empty where it needs none."""
        return "ada@example.org"

    def parcel(self, key: str, attempt: int = 1, **changes: object) -> Parcel:
        """A message to ``address``; the same key is the same message."""
        whole = Parcel(
            message_id=blake2b(key.encode(), digest_size=16).hexdigest(),
            attempt=attempt,
            recipient=Recipient(address=self.address(), name="Ada Lovelace 王"),
            content=Content(
                subject="Hello 你好",
                html="<p>Hello &amp; 你好</p>",
                text="Hello & 你好",
                title="Hello",
                body="Hello & 你好",
                url="https://shop.example/?a=1&b=2",
            ),
            category="news",
            customer=1,
        )
        return msgspec.structs.replace(whole, **changes)

    def test_it_has_a_name_and_says_which_trait_holds_its_address(self) -> None:
        channel = self.make()
        assert 0 < len(channel.name) <= 32
        assert isinstance(channel.address_trait, str)
        assert isinstance(channel, Channel)
        channel.close()

    def test_what_it_says_was_taken_has_arrived_under_its_id(self) -> None:
        channel = self.make()
        parcel = self.parcel("arrives")
        outcome = channel.deliver(parcel)
        assert isinstance(outcome, Accepted)
        assert len(outcome.reference) <= 4_000
        assert self.received() == [parcel.message_id]
        channel.close()

    def test_another_try_is_the_same_message(self) -> None:
        channel = self.make()
        for attempt in (1, 2):
            assert isinstance(channel.deliver(self.parcel("again", attempt)), Accepted)
        assert set(self.received()) == {self.parcel("again").message_id}
        channel.close()

    def test_many_threads_may_deliver_at_once(self) -> None:
        channel = self.make()
        parcels = [self.parcel(f"thread {number}") for number in range(24)]
        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(channel.deliver, parcels))
        assert all(isinstance(outcome, Accepted) for outcome in outcomes)
        assert sorted(self.received()) == sorted(parcel.message_id for parcel in parcels)
        channel.close()

    def test_what_is_refused_is_an_answer_and_not_an_error(self) -> None:
        """An exception would leave a marketing message unknown for ever."""
        channel = self.make()
        self.refuse()
        before = self.received()
        outcome: Outcome = channel.deliver(self.parcel("refused"))
        assert isinstance(outcome, _OUTCOMES)
        assert not isinstance(outcome, Accepted)
        assert outcome.reason
        assert len(outcome.reason) <= 64
        if not isinstance(outcome, Unclear):
            assert self.received() == before
        channel.close()

    def test_an_address_that_is_none_fails_for_good(self) -> None:
        """Asking again would not help."""
        channel = self.make()
        if channel.address_trait:
            nowhere = Recipient(address="\x00 no address")
            outcome = channel.deliver(self.parcel("nowhere", recipient=nowhere))
            assert isinstance(outcome, Failed | Accepted)
        channel.close()

    def test_it_can_be_closed_twice_and_another_goes_on(self) -> None:
        channel = self.make()
        channel.deliver(self.parcel("before"))
        channel.close()
        channel.close()
        other = self.make()
        assert isinstance(other.deliver(self.parcel("after")), Accepted)
        other.close()
