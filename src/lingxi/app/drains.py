"""Draining Kafka into the log, once or for as long as somebody wants it, and how far that is."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from lingxi.app.orphans import is_orphan
from lingxi.app.views import Lag
from lingxi.errors import InvalidSetting, MissingExtra, SourceUnavailable
from lingxi.ingest.pulling.state import list_pulls
from lingxi.store.topics.offsets import read_lag

if TYPE_CHECKING:
    from lingxi.app.shop import Shop
    from lingxi.ingest.draining import Drained
    from lingxi.store import Progress

_ASK_SECONDS = 10.0
_STATUS_SECONDS = 1.0
_PAUSE_SECONDS = 2.0
_JOIN_SECONDS = 60.0


def drain(shop: "Shop", progress: "Progress") -> "Drained":
    """Bring everything that waits in the topic into the log.

    Raises
    ------
    InvalidSetting
        If the shop's settings name no Kafka.
    SourceUnavailable
        If the topic cannot be read, or others of the group have all its partitions.
    """
    from lingxi.ingest.draining import Drained, Drainer
    from lingxi.store.topics import describe_topic

    check_kafka(shop)
    describe_topic(shop.settings.kafka, seconds=_ASK_SECONDS)
    drainer = Drainer(
        shop.store,
        shop.intake,
        shop.clock,
        shop.settings.kafka,
        n=shop.settings.collect.commit_events,
    )
    total = Drained()
    end = time.monotonic() + _JOIN_SECONDS
    try:
        while True:
            found = drainer.step()
            total = total + found
            progress("Draining", total.records, None)
            if not found.records and drainer.is_at_end():
                return total
            if not drainer.has_part() and time.monotonic() > end:
                raise SourceUnavailable(
                    f"The group {shop.settings.kafka.group!r} gave us no partition of the topic; "
                    "other processes drain it."
                )
    finally:
        drainer.close()


def keep_draining(
    shop: "Shop", told: "Callable[[Drained], None]", is_over: Callable[[], bool]
) -> None:
    """Drain until told to stop. What goes wrong is logged and tried again.

    Raises
    ------
    InvalidSetting, MissingExtra
        If the shop's settings name no Kafka, or there is no client library.
    """
    from lingxi.ingest.draining import Drainer

    check_kafka(shop)
    kafka, n = shop.settings.kafka, shop.settings.collect.commit_events
    drainer = Drainer(shop.store, shop.intake, shop.clock, kafka, n=n)
    try:
        while not (is_over() or is_orphan()):
            try:
                found = drainer.step()
            except SourceUnavailable as error:
                structlog.get_logger().warning("drain_failed", error=str(error))
                time.sleep(_PAUSE_SECONDS)
                continue
            if found.records:
                told(found)
    finally:
        drainer.close()


def check_kafka(shop: "Shop") -> None:
    """Refuse to drain where there is nothing to drain.

    Raises
    ------
    InvalidSetting
    """
    if not shop.settings.kafka.brokers:
        raise InvalidSetting(
            "This shop has no Kafka: write brokers under [kafka] in lingxi.toml, and "
            'queue = "kafka" under [collect].'
        )


def find_lags(shop: "Shop") -> list[Lag]:
    """What waits in the topic in front of the log, and at sources that say how much waits there."""
    kafka = shop.settings.kafka
    with shop.store.read() as tx:
        pulls = list_pulls(tx)
        known = read_lag(tx, kafka.topic)
    lags = [
        Lag(each.name, each.messages, each.behind, each.pulled_at)
        for each in pulls
        if each.behind is not None
    ]
    if shop.settings.collect.queue != "kafka" and not known.read:
        return lags
    behind = known.behind
    if kafka.brokers:
        from lingxi.store.topics import describe_topic

        try:
            state = describe_topic(kafka, seconds=_STATUS_SECONDS)
            behind = state.count_behind(known.read)
        except (SourceUnavailable, MissingExtra) as error:  # as it was when last drained
            structlog.get_logger().warning("topic_not_asked", error=str(error))
    return [Lag("kafka", sum(known.read.values()), behind, known.moved_at), *lags]
