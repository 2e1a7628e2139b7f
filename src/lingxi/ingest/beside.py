"""A process beside the collector that reads and cleans batches, while the collector keeps them.

Much of what an event costs is done before anything is looked up, and all Python of a process
shares one lock: with a second core that part takes no time of the process that answers and commits.
What comes back is what ``clean`` says there; whatever is out of the ordinary (a body that cannot be
read, one in a form of its own) is left to the collector itself, which then says what is wrong.
"""

import gc
import pickle
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from io import BufferedReader, BufferedWriter

import msgspec

from lingxi.clock import SystemClock
from lingxi.config import Settings
from lingxi.errors import BodyUnreadable, LingxiError
from lingxi.ingest.carried import Carried, Judged, carry, restore
from lingxi.ingest.cleaning import Rules, clean
from lingxi.ingest.message import Cleaned, Message
from lingxi.ingest.rates import RateBook
from lingxi.ingest.wire import Parcel, Sender, address_parcel, read_body, read_raw
from lingxi.store import Store

LENGTH = 4
"""Bytes of the number before each text that says how long it is."""
COMMAND = "from lingxi.ingest.beside import main; main()"


class Errand(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The unpacked body of a batch, and who sent it."""

    number: int
    body: bytes
    source: str
    received_at: datetime
    agent: str | None
    address: str | None


class Told(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What became of the messages of an errand: ``cuts`` holds where in the body each begins and
    ends; ``others`` those that fit no row, pickled, by their place. ``failed``: do it yourself."""

    number: int
    failed: bool = False
    cuts: list[int] = []
    rows: list[Carried] = []
    others: bytes = b""
    sent_at: str | int | float | None = None


class LaterBody(Mapping[str, object]):
    """The decoded body of a message that was cleaned elsewhere, decoded when somebody asks."""

    __slots__ = ("_body", "_raw")

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._body: Mapping[str, object] | None = None

    def _read(self) -> Mapping[str, object]:
        if self._body is None:
            try:
                self._body = read_raw(self._raw)
            except BodyUnreadable:
                self._body = {}
        return self._body

    def __getitem__(self, key: str) -> object:
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


encode = msgspec.msgpack.Encoder().encode
read_told = msgspec.msgpack.Decoder(Told).decode
_read_errand = msgspec.msgpack.Decoder(Errand).decode


def judge(errand: Errand, rules: Rules) -> Told:
    """Read and clean a batch."""
    try:
        parcel = read_body(errand.body)
    except LingxiError:
        return Told(errand.number, failed=True)
    cuts = _cut(errand.body, parcel)
    sent_at = parcel.sent_at
    if cuts is None or not isinstance(sent_at, str | int | float | None):
        return Told(errand.number, failed=True)
    sender = Sender(errand.source, errand.received_at, errand.agent, errand.address)
    judged = [clean(message, rules) for message in address_parcel(parcel, sender)]
    rows = [carry(each) for each in judged if isinstance(each, Cleaned)]
    others = {place: e for place, e in enumerate(judged) if not isinstance(e, Cleaned)}
    told = Told(errand.number, False, cuts, rows, pickle.dumps(others) if others else b"", sent_at)
    try:
        encode(told)
    except (OverflowError, TypeError, ValueError):  # a value has no form there
        everything = pickle.dumps(dict(enumerate(judged)))
        told = Told(errand.number, False, cuts, [], everything)
    return told


def _cut(body: bytes, parcel: Parcel) -> list[int] | None:
    """Where in the body each message begins and ends; nothing where they are not pieces of it."""
    cuts: list[int] = []
    end = 0
    for part in parcel.parts:
        start = end + 1  # past a comma
        if not body.startswith(part.raw, start):
            start = body.find(part.raw, end)
            if start < 0:
                return None
        end = start + len(part.raw)
        cuts += (start, end)
    return cuts


def take_back(told: Told, errand: Errand) -> list[Judged]:
    """The cleaned messages, in their order, from what the process beside has told."""
    others: Mapping[int, Judged] = pickle.loads(told.others) if told.others else {}
    rows = iter(told.rows)
    body, cuts = errand.body, told.cuts
    judged: list[Judged] = []
    for place in range(len(cuts) // 2):
        if place in others:
            judged.append(others[place])
            continue
        raw = body[cuts[2 * place] : cuts[2 * place + 1]]
        message = Message(
            body=LaterBody(raw),
            raw=raw,
            received_at=errand.received_at,
            source=errand.source,
            sent_at=told.sent_at,
            agent=errand.agent,
            address=errand.address,
        )
        judged.append(restore(next(rows), message))
    return judged


def start_text(settings: Settings) -> bytes:
    """The first text that the process beside is to get."""
    return pickle.dumps(settings, protocol=5)


def frame(text: bytes) -> bytes:
    """How long a text is, as it is said before it."""
    return len(text).to_bytes(LENGTH, "big")


def main(arguments: Sequence[str] | None = None) -> None:
    """Do errands that come over a socket, until it is closed; its number is the first argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server itself ends this process
    number = int((sys.argv[1:] if arguments is None else arguments)[0])
    link = socket.socket(fileno=number)
    gone = suppress(BrokenPipeError, ConnectionResetError)  # the collector has ended
    with gone, link, link.makefile("rb") as ours, link.makefile("wb") as theirs:
        first = _receive(ours)
        if first is not None:
            _work(ours, theirs, pickle.loads(first))


def _work(ours: BufferedReader, theirs: BufferedWriter, settings: Settings) -> None:
    store = Store.open(settings, SystemClock())
    try:
        rates = RateBook(store)
        rules = Rules.of(settings, rates.rate)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        _send(theirs, Told(0))
        while (text := _receive(ours)) is not None:
            errand = _read_errand(text)
            try:
                rates.refresh(errand.received_at)
                told = judge(errand, rules)
            except Exception:  # the collector finds out what it is, and says so
                told = Told(errand.number, failed=True)
            _send(theirs, told)
    finally:
        store.close()


def _receive(stream: BufferedReader) -> bytes | None:
    head = stream.read(LENGTH)
    size = int.from_bytes(head, "big")
    text = stream.read(size) if len(head) == LENGTH else b""
    return text if len(head) == LENGTH and len(text) == size else None


def _send(stream: BufferedWriter, told: Told) -> None:
    text = encode(told)
    stream.write(frame(text))
    stream.write(text)
    stream.flush()
