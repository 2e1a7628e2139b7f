"""A sender with a sink that answers what it is told to, on a clock that stands still."""

from collections.abc import Sequence

import sqlalchemy as sa

from lingxi.clock import FixedClock
from lingxi.messaging import Message, Parcel, queue_messages
from lingxi.messaging.nouns import Accepted, Content, Outcome
from lingxi.messaging.sending.judgement import Composed, SendCheck, Skip
from lingxi.messaging.sending.sender import Sender
from lingxi.messaging.tables import message as table
from lingxi.store import Store


class Sink:
    """Counts what arrives, and answers what it is told to."""

    name, address_trait = "email", "email"

    def __init__(self) -> None:
        self.arrived: list[Parcel] = []
        self.answers: list[Outcome | Exception] = []
        self.closed = False

    def deliver(self, parcel: Parcel) -> Outcome:
        self.arrived.append(parcel)
        answer = self.answers.pop(0) if self.answers else Accepted("ok")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        self.closed = True


class SimpleComposer:
    """The same text for everybody, or why there is none."""

    def __init__(self) -> None:
        self.skip: Skip | None = None

    def compose(self, *_: object) -> Composed | Skip:
        return self.skip or Composed(Content(subject="Hi", text="Hello"), 4)


class Bench:
    """A sender with its sink, on a store whose time stands still."""

    def __init__(self, store: Store, clock: FixedClock) -> None:
        self.store, self.clock = store, clock
        self.sink, self.composer = Sink(), SimpleComposer()
        self.senders: list[Sender] = []
        self.sender = self.make()

    def make(self, checks: Sequence[SendCheck] = ()) -> Sender:
        sender = Sender(self.store, {"email": self.sink}, self.composer, checks=checks)
        self.senders.append(sender)
        return sender

    def queue(self, *messages: Message) -> None:
        with self.store.write() as tx:
            queue_messages(self.store, tx, messages)

    def run(self, sender: Sender | None = None) -> dict[str, int]:
        return (sender or self.sender).run_once(self.clock.now())

    def row(self, message: Message) -> sa.RowMapping:
        with self.store.read() as tx:
            query = sa.select(table).where(table.c.id == message.id)
            return tx.execute(query).mappings().one()

    def names(self) -> list[str]:
        return [event.name for event in self.store.log.read() if event.source == "messaging"]
