"""What comes back is noted once, closes the right address, and nobody else's."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from returned import make_bounce, make_complaint

from lingxi.config import MailSettings
from lingxi.errors import FileUnreadable
from lingxi.ingest.consent import list_consent
from lingxi.messaging.email import open_links
from lingxi.messaging.email.intake import Taken, take_reports
from lingxi.messaging.email.links import Links
from lingxi.messaging.email.mailbox import list_maildir, mark_seen, read_messages
from lingxi.messaging.email.suppression import get_suppressed
from lingxi.messaging.email.tables import mail_day
from lingxi.profiles import put_traits
from lingxi.schema import Name
from lingxi.store import Store

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADDRESS = "mei@gmail.com"
Add = Callable[..., int]
Take = Callable[..., Taken]


@pytest.fixture
def links(store: Store) -> Links:
    return open_links(store.settings, store.keyring)


@pytest.fixture
def customer(add_customer: Add) -> int:
    return add_customer("mei", email=ADDRESS)


@pytest.fixture
def send(store: Store, links: Links, customer: int) -> Callable[..., str]:
    """The return path of a message to the customer."""

    def make(number: int = 1) -> str:
        hashed = store.keyring.blind(ADDRESS)
        return links.return_path(f"{number:032x}", customer, hashed, "bounces", "shop.example")

    return make


@pytest.fixture
def take(store: Store, links: Links) -> Take:
    def act(raw: bytes) -> Taken:
        return take_reports(store, links, MailSettings(soft_bounces=3), [raw], NOW)[0]

    return act


def _suppressed(store: Store, address: str = ADDRESS) -> str:
    with store.read() as tx:
        found = get_suppressed(tx, store.keyring.blind(address))
    return found.reason if found else ""


def _events(store: Store, *names: Name) -> list[dict[str, object]]:
    return [dict(event.properties) for event in store.log.read(names=list(names))]


def test_a_hard_bounce_closes_the_address_once(
    store: Store, take: Take, send: Callable[..., str]
) -> None:
    raw = make_bounce(to=send())
    assert take(raw) == Taken("noted", "bounce", "hard", "no_such_mailbox", suppressed=True)
    assert take(raw).outcome == "known"
    assert _suppressed(store) == "hard_bounce"
    (said,) = _events(store, Name.MESSAGE_BOUNCED)
    assert (said["weight"], said["reason"], said["status"]) == ("hard", "no_such_mailbox", "5.1.1")
    with store.read() as tx:
        rows = {tuple(row) for row in tx.execute(sa.select(mail_day))}
    assert rows == {
        ("2026-03-02", "gmail.com", "hard", 1),
        ("2026-03-02", "gmail.com", "suppressed", 1),
    }


def test_soft_bounces_close_the_address_when_there_are_enough(
    store: Store, take: Take, send: Callable[..., str]
) -> None:
    for number, closed in ((1, False), (2, False), (3, True)):
        taken = take(make_bounce("5.2.2", "smtp; 552 mailbox full", to=send(number)))
        assert (taken.weight, taken.suppressed) == ("soft", closed)
    assert _suppressed(store) == "soft_bounces"


def test_a_block_is_our_fault_and_closes_nothing(
    store: Store, take: Take, send: Callable[..., str]
) -> None:
    for number in range(1, 6):
        taken = take(make_bounce("5.7.1", "smtp; 550 5.7.1 blocked", to=send(number)))
        assert (taken.outcome, taken.weight, taken.suppressed) == ("noted", "blocked", False)
    assert _suppressed(store) == ""


def test_a_complaint_ends_marketing_and_is_told(
    store: Store, take: Take, customer: int, links: Links
) -> None:
    unsubscribe = links.unsubscribe("0" * 31 + "1", customer, store.keyring.blind(ADDRESS))
    raw = make_complaint(returned=False, link=False).replace(
        b"Subject: Your cart\n\nHello", f"List-Unsubscribe: <{unsubscribe}>\n\nHello".encode()
    )
    assert take(raw) == Taken("noted", "complaint", "", "abuse", suppressed=True)
    assert _suppressed(store) == "complaint"
    assert [said["reason"] for said in _events(store, Name.MESSAGE_COMPLAINED)] == ["abuse"]
    with store.read() as tx:
        assert [(w.purpose, w.channel, w.granted) for w in list_consent(tx, customer)] == [
            ("marketing", "email", False)
        ]


def test_a_report_never_closes_another_address(
    store: Store, take: Take, send: Callable[..., str], customer: int
) -> None:
    put_traits(store, customer, {"email": "new@gmail.com"})
    taken = take(make_bounce(to=send(), recipient="victim@gmail.com"))
    assert (taken.outcome, taken.suppressed) == ("noted", False)
    for address in (ADDRESS, "new@gmail.com", "victim@gmail.com"):
        assert _suppressed(store, address) == ""
    taken = take(make_bounce(to=send(2), recipient=ADDRESS))  # the one that it was sent to
    assert taken.suppressed
    assert _suppressed(store) == "hard_bounce"


def test_what_nobody_signed_and_what_says_nothing_changes_nothing(
    store: Store, take: Take, send: Callable[..., str]
) -> None:
    assert take(make_bounce(to="bounces+forged@shop.example")).outcome == "unsigned"
    assert take(make_bounce("4.0.0", action="delayed", to=send())).outcome == "ignored"
    assert take(b"From: a@b.example\n\nHello").outcome == "ignored"
    assert store.log.position() == 0
    assert _suppressed(store) == ""


def test_the_customer_of_a_report_may_be_gone(take: Take, links: Links) -> None:
    path = links.return_path("1" * 32, 999_999, "ab" * 32, "bounces", "shop.example")
    assert take(make_bounce(to=path)).outcome == "erased"


def test_mailboxes_are_read_in_every_form(tmp_path: Path) -> None:
    one, two = make_bounce(), make_complaint()
    (tmp_path / "one.eml").write_bytes(one)
    assert read_messages(tmp_path / "one.eml") == [one]
    (tmp_path / "empty").write_bytes(b"")
    assert read_messages(tmp_path / "empty") == []
    mbox = b"".join(
        b"From MAILER-DAEMON Mon Mar  2 12:00:00 2026\n" + m + b"\n" for m in (one, two)
    )
    (tmp_path / "mbox").write_bytes(mbox)
    assert [m.strip() for m in read_messages(tmp_path / "mbox")] == [one.strip(), two.strip()]
    box = tmp_path / "box"
    for name in ("new", "cur", "tmp"):
        (box / name).mkdir(parents=True)
    (box / "new" / "1.a").write_bytes(one)
    (box / "new" / "2.b").write_bytes(two)
    assert list_maildir(box) == [("1.a", one), ("2.b", two)]
    mark_seen(box, ["1.a", "gone"])
    assert [name for name, _ in list_maildir(box)] == ["2.b"]
    assert sorted(read_messages(box)) == sorted([one, two])
    for bad in (tmp_path / "absent", tmp_path):
        with pytest.raises(FileUnreadable):
            read_messages(bad)
