"""Who opened and clicked: people count, proxies and scanners are told apart."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from lingxi.messaging import Message, queue_message
from lingxi.messaging.email.hits import note_hit, read_click, settle_hits
from lingxi.messaging.email.machines import Sign, find_bursts, judge_request
from lingxi.messaging.email.tables import mail_hit, soft_bounce
from lingxi.messaging.email.tokens import Purpose, Ticket
from lingxi.messaging.tables import message as message_table
from lingxi.schema import Event, Name
from lingxi.store import Store

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MESSAGE = "ab" * 16
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
Add = Callable[..., int]


@pytest.mark.parametrize(
    ("method", "agent", "address", "purpose", "sign"),
    [
        ("GET", IPHONE, "192.0.2.7", "", None),
        ("HEAD", IPHONE, "192.0.2.7", "", Sign.HEAD),
        ("GET", IPHONE, "192.0.2.7", "prefetch;anonymous-client-ip", Sign.PREFETCH),
        ("GET", "Mozilla/5.0", "17.58.98.1", "", Sign.PROXY),
        ("GET", "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com "
         "GoogleImageProxy)", "66.249.84.1", "", Sign.PROXY),
        ("GET", "YahooMailProxy; https://help.yahoo.com", "98.137.1.1", "", Sign.PROXY),
        ("GET", "", "192.0.2.7", "", Sign.BOT),
        ("GET", "python-requests/2.32", "192.0.2.7", "", Sign.BOT),
        ("GET", IPHONE, "40.94.20.1", "", Sign.NETWORK),
        ("GET", IPHONE, "::ffff:104.47.1.1", "", Sign.NETWORK),
        ("GET", IPHONE, "2603:1000::5", "", Sign.NETWORK),
        ("GET", IPHONE, "not an address", "", None),
    ],
)  # fmt: skip
def test_a_request_says_who_made_it(
    method: str, agent: str, address: str, purpose: str, sign: Sign | None
) -> None:
    assert judge_request(method, agent, address, purpose) is sign


def test_a_burst_is_three_links_at_once() -> None:
    def at(*seconds: float) -> list[tuple[datetime, int]]:
        return [(NOW + timedelta(seconds=s), i) for i, s in enumerate(seconds)]

    assert find_bursts(at(0, 1, 2)) == {0, 1, 2}
    assert find_bursts(at(0, 6, 12)) == set()
    assert find_bursts([(NOW, 1)] * 9) == set()  # one link again and again is impatience
    assert find_bursts(at(0, 60, 61, 62)) == {1, 2, 3}


def _ticket(customer: int, number: int = 0, purpose: Purpose = Purpose.CLICK) -> Ticket:
    extra = f"{number} https://shop.example/p/{number}?mail=mei@x" if number else ""
    return Ticket(purpose, MESSAGE, customer, "cd" * 5, extra)


def _queue(store: Store, customer: int, sent: datetime) -> None:
    with store.write() as tx:
        message = Message(
            id=MESSAGE, customer=customer, channel="email", template="hello", queued_at=sent,
            journey="cart", run="r1", node="mail",
        )  # fmt: skip
        queue_message(store, tx, message)
        tx.execute(sa.update(message_table).values(state="accepted", ended_at=sent))


def _told(store: Store) -> list[Event]:
    return store.log.read(names=[Name.MESSAGE_OPENED, Name.MESSAGE_CLICKED])


def test_a_persons_click_reaches_the_log_with_where_it_came_from(
    store: Store, add_customer: Add
) -> None:
    customer = add_customer("mei")
    _queue(store, customer, NOW - timedelta(hours=1))
    note_hit(store, _ticket(customer, 2), None, NOW)
    assert settle_hits(store, NOW + timedelta(seconds=5)) == 0  # a burst could still follow
    assert settle_hits(store, NOW + timedelta(seconds=10)) == 1
    assert settle_hits(store, NOW + timedelta(seconds=10)) == 0
    (event,) = _told(store)
    assert event.subject == customer
    assert event.occurred_at == NOW
    said = dict(event.properties)
    assert said["machine"] is False
    assert (said["link"], said["target"]) == (2, "shop.example/p/2")
    assert (said["message"], said["journey"], said["node"]) == (MESSAGE, "cart", "mail")
    with store.read() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(mail_hit)).scalar() == 0


def test_machines_are_marked_and_their_whole_burst_with_them(
    store: Store, add_customer: Add
) -> None:
    customer = add_customer("mei")
    _queue(store, customer, NOW - timedelta(seconds=4))
    note_hit(store, _ticket(customer, purpose=Purpose.OPEN), None, NOW)  # four seconds after
    later = NOW + timedelta(minutes=5)
    for number in (1, 2, 3):
        note_hit(store, _ticket(customer, number), None, later + timedelta(seconds=number))
    note_hit(store, _ticket(customer, 1), Sign.HEAD, later)
    assert settle_hits(store, later + timedelta(minutes=1)) == 1
    assert [e.properties["sign"] for e in _told(store)] == ["too_soon", "head", *["burst"] * 3]
    assert all(e.properties["machine"] is True for e in _told(store))


def test_a_test_message_that_is_in_no_queue_is_told_all_the_same(
    store: Store, add_customer: Add
) -> None:
    customer = add_customer("mei")
    with store.write() as tx:
        row = {"address_hash": "a", "message": "m", "customer": customer, "at": NOW}
        tx.execute(sa.insert(soft_bounce).values(row))
    note_hit(store, _ticket(customer, purpose=Purpose.OPEN), None, NOW)
    settle_hits(store, NOW + timedelta(minutes=1))
    (event,) = _told(store)
    assert event.name == "Message Opened"
    assert event.properties["machine"] is False
    with store.read() as tx:  # somebody reads there: soft bounces of before are forgotten
        assert tx.execute(sa.select(sa.func.count()).select_from(soft_bounce)).scalar() == 0


def test_a_click_that_leads_nowhere_safe_is_none() -> None:
    assert read_click(_ticket(1, 3)) == (3, "https://shop.example/p/3?mail=mei@x")
    for extra in ("1 javascript:alert(1)", "x https://a.example", "", "1 //evil.example"):
        assert read_click(Ticket(Purpose.CLICK, MESSAGE, 1, "00" * 5, extra)) is None
