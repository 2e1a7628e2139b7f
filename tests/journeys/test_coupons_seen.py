"""From a journey's coupon step to the ledger: the message that brings it makes it seen."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from journey_road import Road
from lingxi.app.messages.checks import list_checks
from lingxi.app.runs.hands import make_hands
from lingxi.app.tasks import tend_coupons
from lingxi.coupons.file import read_offer
from lingxi.coupons.ledger import audit, read_totals
from lingxi.journeys.runner import Runner
from lingxi.messaging.email.happenings import mail_event
from lingxi.messaging.events import message_event
from lingxi.messaging.nouns import Message
from lingxi.messaging.queue import read_message
from lingxi.messaging.tables import message as messages
from lingxi.schema import Event, Name

GO = {"kind": "event", "events": ["Go"]}


def _bring(road: Road) -> Message:
    """A message of a journey with a real coupon in it, as it waits to be sent."""
    road.hands = replace(road.hands, issue=make_hands(road.shop).issue)
    road.runner = Runner(road.store, road.hands, "w2", sleep=lambda _seconds: None)
    offer = read_offer({"benefit": {"kind": "percent", "percent": 10}}, name="ten")
    with road.store.write() as tx:
        road.shop.coupons.put_offer(tx, offer, road.clock.now(), actor="test")
    steps = {
        "c": {"kind": "coupon", "offer": "ten", "next": "m", "otherwise": "end"},
        "m": {"kind": "message", "template": "a", "next": "end"},
        "end": {"kind": "end"},
    }
    road.publish(trigger=GO, steps=steps)
    road.know(1)
    road.happen("Go", 1)
    road.go()
    with road.store.read() as tx:
        (row,) = tx.execute(sa.select(messages)).mappings().all()
    return read_message(row)


def _happen(road: Road, name: Name, message: Message, **said: bool) -> Event:
    """What the pixel, a link or a page of the shop puts into the log."""
    now = road.clock.now()
    if name == Name.MESSAGE_SHOWN:
        event = message_event(name, message, now, **said)
    else:
        with road.store.read() as tx:
            event = mail_event(tx, name, message.id, message.customer, now, str(said), said)
    road.store.log.append([event])
    return event


def _accounts(road: Road) -> dict[str, int]:
    with road.store.read() as tx:
        assert audit(tx) == []
        return {name: n for name, n in read_totals(tx, "ten").coupons.items() if n}


@pytest.mark.parametrize("name", [Name.MESSAGE_OPENED, Name.MESSAGE_CLICKED, Name.MESSAGE_SHOWN])
def test_a_coupon_is_seen_when_its_message_is(road: Road, name: Name) -> None:
    message = _bring(road)
    (check,) = [each for each in list_checks(road.shop) if each.name == "coupon"]
    with road.store.read() as tx:
        assert check.function(tx, [message], road.clock.now()) == {}  # it may be sent
    assert _accounts(road) == {"issued": 1}
    if name != Name.MESSAGE_SHOWN:
        _happen(road, name, message, machine=True)
        tend_coupons(road.shop, road.clock.now())
        assert _accounts(road) == {"issued": 1}  # a mail server's scanner has seen nothing
    _happen(road, name, message)
    assert tend_coupons(road.shop, road.clock.now()) == 1
    assert _accounts(road) == {"seen": 1}
    (seen,) = road.store.log.read(names=["Coupon Seen"])
    assert (seen.subject, seen.properties["offer"]) == (1, "ten")
    assert seen.properties["coupon"] == message.context["coupon"]
