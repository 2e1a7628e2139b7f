"""Double opt-in of one shop: the request, and the message that asks."""

from datetime import datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Annotated

import msgspec
import sqlalchemy as sa

from lingxi.i18n import LANGUAGES, Translator
from lingxi.ingest import customer_ids, find_customer
from lingxi.ingest.sealed import read_traits
from lingxi.messaging.email import open_email, open_links
from lingxi.messaging.email.double_opt_in import Request, ask_opt_in, list_requests
from lingxi.messaging.email.replies import back_off
from lingxi.messaging.email.tables import opt_in as table
from lingxi.messaging.email.tokens import tag_of
from lingxi.messaging.nouns import (
    TRANSACTIONAL,
    Accepted,
    Content,
    Deferred,
    Failed,
    Parcel,
    Recipient,
)

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

_LEASE = timedelta(minutes=2)
_BATCH = 20


class OptInRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who signed up, for what, where, and to which version of the text."""

    customer_id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    category: Annotated[str, msgspec.Meta(max_length=30)] = ""
    source: Annotated[str, msgspec.Meta(max_length=60)] = "api"
    text_version: Annotated[str, msgspec.Meta(max_length=100)] = ""


class OptInRow(msgspec.Struct, frozen=True):
    """One request; ``state`` is pending, confirmed or expired."""

    id: str
    customer_id: str
    category: str
    state: str
    asked_at: datetime
    confirmed_at: datetime | None
    source: str
    text_version: str


def request_opt_in(shop: "Shop", wanted: OptInRequest) -> OptInRow:
    """Note a request; the message that asks the customer leaves with the next turn of the work.

    Raises
    ------
    UnknownCustomer
        If there is no such customer.
    InvalidInput
        If the customer has no address that can be written to.
    """
    with shop.store.write() as tx:
        customer = find_customer(tx, wanted.customer_id, store=shop.store)
        request = ask_opt_in(
            shop.store,
            tx,
            customer,
            shop.clock.now(),
            category=wanted.category,
            source=wanted.source,
            text_version=wanted.text_version,
        )
        return _to_row(tx, request)


def list_opt_ins(shop: "Shop", *, customer_id: str = "", n: int = 50) -> list[OptInRow]:
    """Requests, newest first.

    Raises
    ------
    UnknownCustomer
        If a customer is named that there is none of.
    """
    with shop.store.read() as tx:
        customer = find_customer(tx, customer_id, store=shop.store) if customer_id else None
        found = list_requests(
            tx, shop.clock.now(), days=shop.settings.mail.opt_in_days, n=n, customer=customer
        )
        return [_to_row(tx, each) for each in found]


def _to_row(tx: sa.Connection, request: Request) -> OptInRow:
    label = customer_ids(tx, [request.customer]).get(request.customer, str(request.customer))
    return OptInRow(
        request.id,
        label,
        request.category,
        request.state,
        request.asked_at,
        request.confirmed_at,
        request.source,
        request.text_version,
    )


def send_opt_ins(shop: "Shop", now: datetime) -> int:
    """Send the messages that ask; how many left.

    Each is claimed before it leaves and, after a crash, sent again under its first Message-ID.
    """
    with shop.store.write() as tx:
        due = sa.select(table).where(table.c.due_at <= now).order_by(table.c.due_at).limit(_BATCH)
        rows = list(tx.execute(due).mappings())
        if not rows:
            return 0
        ids = [row["id"] for row in rows]
        claim = sa.update(table).where(table.c.id.in_(ids))
        tx.execute(claim.values(due_at=now + _LEASE, attempts=table.c.attempts + 1))
    channel = open_email(shop.settings, shop.store.keyring, shop.clock)
    try:
        for row in rows:
            parcel = _write(shop, row)
            outcome = channel.deliver(parcel) if parcel is not None else Failed("address_changed")
            ended = isinstance(outcome, Accepted | Failed) or _is_over(shop, row, now)
            pause = back_off(row["attempts"] + 1)
            if isinstance(outcome, Deferred):
                pause = max(pause, outcome.seconds)
            values = {
                "due_at": None if ended else now + timedelta(seconds=pause),
                "sent_at": now if isinstance(outcome, Accepted) else row["sent_at"],
            }
            with shop.store.write() as tx:
                tx.execute(sa.update(table).where(table.c.id == row["id"]).values(values))
    finally:
        channel.close()
    return len(rows)


def _is_over(shop: "Shop", row: sa.RowMapping, now: datetime) -> bool:
    asked: datetime = row["asked_at"]
    return now - asked > timedelta(days=shop.settings.mail.opt_in_days)


def _write(shop: "Shop", row: sa.RowMapping) -> Parcel | None:
    """The message that asks; nothing where the address is another by now."""
    with shop.store.read() as tx:
        traits = read_traits(shop.store, tx, row["customer"])
    address = traits.get("email", "")
    address_hash = shop.store.keyring.blind(address)
    if not address or tag_of(address_hash) != row["tag"]:
        return None
    language = traits.get("language", "")[:2].lower()
    reader = Translator(language if language in LANGUAGES else shop.settings.shop.language)
    links = open_links(shop.settings, shop.store.keyring)
    url = links.confirm(row["id"], row["customer"], address_hash)
    said: dict[str, str | int] = {
        "shop": shop.settings.shop.name,
        "n": shop.settings.mail.opt_in_days,
    }
    lines = [reader.text(f"mail.opt_in.{name}", **said) for name in ("hello", "why", "ignore")]
    button = reader.text("mail.opt_in.button")
    html = (
        f'<!doctype html><html lang="{reader.language}"><body style="font-family:sans-serif">'
        f"<p>{escape(lines[0])}</p><p>{escape(lines[1])}</p>"
        f'<p><a href="{escape(url)}" style="display:inline-block;padding:10px 16px;'
        f'background:#0b5cad;color:#fff;text-decoration:none;border-radius:6px">{escape(button)}</a>'
        f"</p><p>{escape(lines[2])}</p></body></html>"
    )
    text = f"{lines[0]}\n\n{lines[1]}\n\n{button}: {url}\n\n{lines[2]}\n"
    subject = reader.text("mail.opt_in.subject", **said)
    return Parcel(
        message_id=row["id"],
        attempt=row["attempts"] + 1,
        recipient=Recipient(address=address, name=traits.get("name", ""), language=reader.language),
        content=Content(subject=subject, html=html, text=text),
        category="opt-in",
        message_class=TRANSACTIONAL,
        customer=row["customer"],
    )
