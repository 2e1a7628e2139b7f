"""A worker to be killed: it sends a shop's messages into a file, a line each, until nothing is due.

python kill_worker.py FOLDER SINK [DATABASE]
"""

import os
import sys
import time
from pathlib import Path

from lingxi.app.rooms import PROJECTIONS
from lingxi.clock import Clock, SystemClock
from lingxi.config import MessagingSettings, Settings, StoreSettings
from lingxi.messaging import Parcel
from lingxi.messaging.nouns import Accepted, Content, Outcome
from lingxi.messaging.sending.judgement import Composed
from lingxi.messaging.sending.sender import Sender
from lingxi.store import Store

SENDING = MessagingSettings(
    caps=(), quiet_hours="", batch=20, deliveries=4, lease_seconds=600, retry_seconds=0.01
)


class FileSink:
    """Notes each message that arrives, whole lines only, before it answers."""

    name, address_trait = "fax", ""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def deliver(self, parcel: Parcel) -> Outcome:
        os.write(self._file, f"{parcel.message_id}\n".encode())
        time.sleep(0.002)  # a kill often falls between arrival and answer
        return Accepted()

    def close(self) -> None:
        os.close(self._file)


class Words:
    """The same text for everybody."""

    def compose(self, *_: object) -> Composed:
        return Composed(Content(text="Hello"), 1)


def make_settings(folder: Path, database: str = "") -> Settings:
    """Of a shop on SQLite, or on the PostgreSQL at this address."""
    return Settings(folder=folder, messaging=SENDING, store=StoreSettings(url=database))


def send_all(settings: Settings, sink: Path, clock: Clock) -> None:
    """Send until nothing is due."""
    store = Store.open(settings, clock, projections=PROJECTIONS)
    sender = Sender(store, {"fax": FileSink(sink)}, Words())
    while sender.run_once(clock.now()):
        pass
    sender.close()
    store.close()


if __name__ == "__main__":
    folder, sink, *database = sys.argv[1:]
    send_all(make_settings(Path(folder), *database), Path(sink), SystemClock())
