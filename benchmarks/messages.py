"""The sender and the rendering of texts: how many a second, beside their floors.

    python benchmarks/messages.py [--messages 5000] [--renders 2000]

The sender sends real messages with consent, suppression, limits and quiet hours checked, to a
channel that takes them at once, on SQLite with ``synchronous=FULL``. Its floor is what the database
needs alone: the same rows moved twice, in transactions of a hundred. The floor of rendering is
Liquid and MJML alone. Seconds of the processor are told beside those of the clock: the machine may
be busy.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import mrml
import sqlalchemy as sa
from liquid import Environment

from lingxi.app.rooms import METADATAS, PROJECTIONS
from lingxi.clock import FixedClock
from lingxi.config import MessagingSettings, Settings
from lingxi.ingest import resolve_subjects
from lingxi.ingest.sealed import TraitValue, put_traits
from lingxi.messaging import Message, Parcel, message_id, queue_messages
from lingxi.messaging.nouns import Accepted, Outcome
from lingxi.messaging.sending.sender import Sender
from lingxi.messaging.tables import message
from lingxi.messaging.templates import book
from lingxi.messaging.templates.compose import TemplateComposer
from lingxi.messaging.templates.render import render_template
from lingxi.messaging.templates.template import Template, Variant
from lingxi.store import Store

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BODY = """<mjml><mj-body><mj-section><mj-column><mj-text>Hello {{ customer.first_name }}</mj-text>
</mj-column></mj-section>{% render "items", items: items %}</mj-body></mjml>"""
MAIL = Template(
    name="news", channel="email", category="news",
    variants={"en": Variant(kind="mjml", subject="For {{ customer.first_name }}", body=BODY)},
)  # fmt: skip
TEXT = Template(
    name="text", channel="email", category="news",
    variants={"en": Variant(subject="For {{ customer.first_name }}", body="Hello {{ shop.name }}")},
)  # fmt: skip
ITEMS = [
    {"id": f"L{n}", "name": f"Lamp {n} & shade", "url": "https://s.example/l", "price": "£3.00"}
    for n in range(6)
]


class Sink:
    """Takes everything at once."""

    name, address_trait = "email", "email"

    def __init__(self) -> None:
        self.taken = 0

    def deliver(self, _parcel: Parcel) -> Outcome:
        """Take it."""
        self.taken += 1
        return Accepted("ok")

    def close(self) -> None:
        """Nothing is held."""


def measure(name: str, count: int, run: Callable[[], object]) -> None:
    """Print how many a second, of the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    run()
    wall, busy = time.perf_counter() - clock, time.process_time() - processor
    print(f"{name:44s} {count / wall:10,.0f}/s clock {count / busy:10,.0f}/s processor")


def open_store(folder: Path, n: int) -> tuple[Store, list[int]]:
    """A store with ``n`` customers who have an address and a name."""
    caps = MessagingSettings(caps=("all 5/day", "channel:email 9/week"))
    settings = Settings(folder=folder, messaging=caps)
    store = Store.open(settings, FixedClock(NOON), projections=PROJECTIONS, tables=METADATAS)
    names = [f"c{number}" for number in range(n)]
    customers = list(resolve_subjects(store, "user_id", names, known=True).values())
    for start in range(0, n, 500):
        said = [
            TraitValue(customer, trait, value, NOON)
            for customer in customers[start : start + 500]
            for trait, value in (("email", f"c{customer}@example.org"), ("first_name", "Ada"))
        ]
        with store.write() as tx:
            put_traits(store, tx, said)
    with store.write() as tx:
        for template in (MAIL, TEXT):
            book.put_template(tx, template, NOON, actor="bench")
            book.publish_template(tx, template.name, NOON, actor="bench")
    return store, customers


def make_messages(customers: list[int], template: str) -> list[Message]:
    """One message to each."""
    return [
        Message(
            id=message_id(template, "bench", customer), customer=customer, channel="email",
            template=template, queued_at=NOON, category="news",
        )
        for customer in customers
    ]  # fmt: skip


def measure_sender(n: int) -> None:
    """Queueing and sending, and the floor of both."""
    with tempfile.TemporaryDirectory() as folder:
        store, customers = open_store(Path(folder), n)
        messages = make_messages(customers, "text")

        def queue() -> None:
            for start in range(0, n, 100):
                with store.write() as tx:
                    queue_messages(store, tx, messages[start : start + 100])

        measure("queue, 100 a transaction", n, queue)
        sink = Sink()
        sender = Sender(store, {"email": sink}, TemplateComposer(store.settings))

        def send() -> None:
            while sender.run_once(NOON):
                pass

        measure("send, one worker, plain text", n, send)
        assert sink.taken == n, sink.taken
        sender.close()
        measure("floor: move the rows twice, nothing else", n, lambda: _move(store, messages))
        store.close()


def _move(store: Store, messages: list[Message]) -> None:
    change = (
        sa.update(message)
        .where(message.c.id == sa.bindparam("b_id"))
        .values(state=sa.bindparam("b_state"), attempts=1)
    )
    for start in range(0, len(messages), 100):
        for state in ("sending", "accepted"):
            rows = [{"b_id": m.id, "b_state": state} for m in messages[start : start + 100]]
            with store.write() as tx:
                tx.execute(change, rows)


def measure_rendering(n: int) -> None:
    """A mail of six items from MJML to HTML and plain text, and the floor."""
    values = {"customer": {"first_name": "Ada"}, "items": ITEMS}
    made = render_template(MAIL, "en", values)
    print(f"one mail: {len(made.content.html):,} characters of HTML, six items")
    measure(
        "render: Liquid, MJML, links, plain text", n,
        lambda: [render_template(MAIL, "en", values) for _ in range(n)],
    )  # fmt: skip
    source = BODY.replace(
        '{% render "items", items: items %}',
        "{% for item in items %}<mj-section><mj-column><mj-text>{{ item.name }}</mj-text>"
        "<mj-text>{{ item.price }}</mj-text></mj-column></mj-section>{% endfor %}",
    )
    floor = Environment(autoescape=True).from_string(source)
    measure(
        "floor: Liquid and MJML alone", n,
        lambda: [mrml.to_html(floor.render(**values)) for _ in range(n)],
    )  # fmt: skip


def main() -> None:
    """Both, with where they ran."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--renders", type=int, default=2_000)
    asked = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, SQLite")
    measure_sender(asked.messages)
    measure_rendering(asked.renders)


if __name__ == "__main__":
    main()
