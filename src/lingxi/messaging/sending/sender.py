"""The sender: one turn takes what is due, judges it, commits, delivers, and notes what came of it.

queued → sending (committed before the first byte leaves) → accepted | failed | skipped | unknown.
"""

import os
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import sqlalchemy as sa
import structlog

from lingxi.messaging.caps import read_caps
from lingxi.messaging.channels.channel import Channel
from lingxi.messaging.nouns import (
    Deferred,
    Message,
    Outcome,
    Parcel,
    Recipient,
    SkipReason,
    Unclear,
)
from lingxi.messaging.sending.check import Checks, Known
from lingxi.messaging.sending.claim import Claim, Claimed, claim_due, has_due
from lingxi.messaging.sending.commit import Judged, Ready, commit_sending
from lingxi.messaging.sending.judgement import (
    Composer,
    Links,
    MakeLinks,
    Reader,
    SendCheck,
    Skip,
    Wait,
)
from lingxi.messaging.sending.permits import Asked
from lingxi.messaging.sending.record import Delivered, Told, record_outcomes
from lingxi.store import Store

_RECORD_AT_ONCE = 25
_JUDGE_AT_ONCE = 25


@dataclass(frozen=True)
class _Reached:
    reader: Reader
    asked: Asked


def _no_links(_message: object, _reader: object, _address: str) -> Links:
    return Links()


class Sender:
    """Sends a shop's messages; several may run at once, in threads, processes or machines.

    Parameters
    ----------
    channels
        By name; a message whose channel is not here is skipped.
    composer
        Makes the text of a message.
    checks
        What other rooms know that keeps a message back.
    make_links
        The addresses for unsubscribing and preferences, for each message.
    told
        Hears each outcome that counts, in the transaction that keeps it: an address that is to
        blame can be suppressed there.
    worker
        The name of this worker, told apart from all others; made up where none is given.

    Raises
    ------
    InvalidSetting
        If the limits, quiet hours or holidays of the settings cannot be read.
    """

    def __init__(
        self,
        store: Store,
        channels: Mapping[str, Channel],
        composer: Composer,
        *,
        checks: Sequence[SendCheck] = (),
        make_links: MakeLinks = _no_links,
        told: Told | None = None,
        worker: str = "",
    ) -> None:
        self._store = store
        self._settings = store.settings.messaging
        self._channels = dict(channels)
        self._composer = composer
        self._checks = Checks(store, checks)
        self._caps = read_caps(self._settings.caps)
        self._make_links = make_links
        self._told = told
        self.worker = (worker or f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}")[:64]
        self._pool = ThreadPoolExecutor(
            self._settings.deliveries, thread_name_prefix="lingxi-deliver"
        )
        self._log = structlog.get_logger()
        self._closed = threading.Event()

    def run_once(self, now: datetime, limit: int = 0) -> dict[str, int]:
        """Send what is due, at most a batch; how many messages came to what.

        Keys are ``accepted``, ``failed``, ``skipped``, ``unknown``, ``deferred``, ``waiting``,
        ``stale``; empty where nothing was due.
        """
        if not has_due(self._store, now):
            return {}
        wanted = min(limit or self._settings.batch, self._settings.batch)
        claimed: Claimed = claim_due(self._store, self.worker, now, wanted)
        counts = {"unknown": claimed.unknown} if claimed.unknown else {}
        judged = list(self._judge_all(claimed.claims, now))
        if judged:
            committed = commit_sending(self._store, self._caps, judged, now)
            for name, count in (("skipped", committed.skipped), ("waiting", committed.waiting)):
                if count:
                    counts[name] = counts.get(name, 0) + count
            self._deliver(committed.sending, counts)
        return counts

    def close(self) -> None:
        """Wait for what is being delivered, and close the channels."""
        self._closed.set()
        self._pool.shutdown(wait=True)
        for channel in self._channels.values():
            with suppress(Exception):
                channel.close()

    def _judge_all(self, claims: Sequence[Claim], now: datetime) -> Iterator[Judged]:
        """Each message on the state of the moment: what is known of people is read for a few."""
        for start in range(0, len(claims), _JUDGE_AT_ONCE):
            part = claims[start : start + _JUDGE_AT_ONCE]
            with self._store.read() as tx:
                readers = self._checks.find_readers(tx, [claim.message for claim in part])
                found = [(claim, self._reach(claim.message, readers, now)) for claim in part]
                asked = [each.asked for _, each in found if isinstance(each, _Reached)]
                known = self._checks.read_known(tx, asked, now)
                for claim, each in found:
                    if isinstance(each, Skip):
                        yield claim, each
                    else:
                        yield claim, self._judge(tx, known, claim, each, now)

    def _reach(
        self, message: Message, readers: Mapping[int, Reader], now: datetime
    ) -> "_Reached | Skip":
        """Who a message reaches and where, or why nobody."""
        if now >= self._checks.last_moment(message):
            return Skip(SkipReason.TOO_LATE)
        channel = self._channels.get(message.channel)
        if channel is None:
            return Skip(SkipReason.NO_CHANNEL, message.channel)
        reader = readers.get(message.customer)
        if reader is None:
            return Skip(SkipReason.NO_CUSTOMER)
        address = reader.traits.get(channel.address_trait, "") if channel.address_trait else ""
        if channel.address_trait and not address:
            return Skip(SkipReason.NO_ADDRESS, channel.address_trait)
        return _Reached(reader, Asked(message, reader.customer, address))

    def _judge(
        self, tx: sa.Connection, known: Known, claim: Claim, reached: "_Reached", now: datetime
    ) -> Ready | Skip | Wait:
        message, reader, asked = claim.message, reached.reader, reached.asked
        verdict = self._checks.judge_by(known, asked, reader, now)
        if verdict is not None:
            return verdict
        links = self._make_links(message, reader, asked.address)
        composed = self._composer.compose(tx, message, reader, links, now)
        if isinstance(composed, Skip):
            return composed
        return Ready(claim, reader, composed, asked.address, links)

    def _deliver(self, sending: Sequence[Ready], counts: dict[str, int]) -> None:
        waiting: list[Delivered] = []
        futures = [self._pool.submit(self._deliver_one, ready) for ready in sending]
        for future in as_completed(futures):
            waiting.append(future.result())
            if len(waiting) >= _RECORD_AT_ONCE:
                self._record(waiting, counts)
                waiting = []
        if waiting:
            self._record(waiting, counts)

    def _deliver_one(self, ready: Ready) -> Delivered:
        """Hand one message to its channel, unless its lease is over: it may be another's now."""
        claim = ready.claim
        if self._store.clock.now() >= claim.until:
            return Delivered(ready, Deferred(0.0, "lease_over", tried=False))
        parcel = self._pack(ready)
        try:
            outcome: Outcome = self._channels[claim.message.channel].deliver(parcel)
        except Exception as error:  # a plug-in's defect: nobody knows what it has done
            self._log.warning(
                "channel_failed", channel=claim.message.channel, error=type(error).__name__
            )
            outcome = Unclear("channel_error", f"{type(error).__name__}: {error}")
        return Delivered(ready, outcome)

    def _pack(self, ready: Ready) -> Parcel:
        message, reader = ready.claim.message, ready.reader
        return Parcel(
            message_id=message.id,
            attempt=ready.claim.attempts + 1,
            recipient=Recipient(
                address=ready.address,
                name=reader.name,
                language=reader.language,
                timezone=reader.timezone,
            ),
            content=ready.composed.content,
            category=message.category,
            message_class=message.message_class,
            customer=reader.customer,
            unsubscribe_url=ready.links.unsubscribe_url,
            preferences_url=ready.links.preferences_url,
        )

    def _record(self, delivered: Sequence[Delivered], counts: dict[str, int]) -> None:
        now = self._store.clock.now()
        last = [self._checks.last_moment(each.ready.claim.message) for each in delivered]
        done = record_outcomes(self._store, delivered, last, now, told=self._told)
        for name, count in done.items():
            counts[name] = counts.get(name, 0) + count
