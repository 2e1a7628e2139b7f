"""Erasure of a customer: every room forgets, identity last, and a receipt says what went."""

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa

from lingxi.app.rooms import FORGETTERS, Forget
from lingxi.config import ConsentSettings
from lingxi.errors import InvalidInput
from lingxi.ingest import find_customer
from lingxi.ingest.consent import is_allowed
from lingxi.ingest.emails import read_email
from lingxi.ingest.identity import seek_customer
from lingxi.ingest.sealed import list_subjects, read_traits
from lingxi.ingest.tables import privacy_request
from lingxi.messaging.email.suppression import Reason, suppress
from lingxi.policy import get_totals
from lingxi.policy.export import write_plan_files

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

OWNER = 0
"""Whose key seals whom a request names: the shop's own."""


class Receipt(msgspec.Struct, frozen=True):
    """What was erased: rows by room. It names nobody.

    ``signature`` is an HMAC-SHA256 with the shop's own secret over the rest, so that the shop can
    later prove that it issued the receipt.
    """

    erased_at: datetime
    rows: Mapping[str, int]
    signature: str = ""


def erase_customer(shop: "Shop", customer_id: str) -> Receipt:
    """Erase everything held on a customer; written plans are rewritten without them.

    Raises
    ------
    UnknownCustomer
        If there is no such customer.
    """
    with shop.store.read() as tx:
        customer = find_customer(tx, customer_id, store=shop.store)
        planned = get_totals(tx) is not None
        subjects = list_subjects(tx, customer)
    _close_exports(shop, customer)
    _remember_refusal(shop, customer)
    rows: dict[str, int] = {}
    rooms = [_count(name, forget, rows) for name, forget in FORGETTERS.items()]
    total = shop.store.forget(frozenset({customer}), rooms=rooms)
    rows["store"] = total - sum(rows.values())
    shop.recent.forget(subjects)
    if planned:
        write_plan_files(shop.store, shop.settings)
    return sign(shop, Receipt(shop.clock.now(), rows))


def _close_exports(shop: "Shop", customer: int) -> None:
    """Forget whom an open request for an export names: there is nothing left to hand over."""
    c = privacy_request.c
    with shop.store.write() as tx:
        waiting = sa.select(c.id, c.person).where(c.kind == "export", c.done_at.is_(None))
        for number, person in tx.execute(waiting).all():
            ids = msgspec.json.decode(shop.store.keyring.decrypt(OWNER, person) or "[]")
            if any(seek_customer(tx, each, store=shop.store) == customer for each in ids):
                values = {"done_at": shop.clock.now(), "outcome": "erased", "person": b""}
                tx.execute(sa.update(privacy_request).where(c.id == number).values(values))


def _remember_refusal(shop: "Shop", customer: int) -> None:
    """The address of who has said no to marketing stays closed to it, as its keyed hash: who comes
    back by the same address is not written to because their no was erased."""
    silence_is_yes = ConsentSettings(marketing="assumed")
    with shop.store.write() as tx:
        address = read_traits(shop.store, tx, customer).get("email")
        if address and not is_allowed(tx, silence_is_yes, customer, "marketing", "email"):
            for written in {address, read_email(address) or address}:
                digest = shop.store.keyring.blind(written)
                suppress(tx, digest, Reason.UNSUBSCRIBE, shop.clock.now(), detail="erased")


def sign(shop: "Shop", receipt: Receipt) -> Receipt:
    """The receipt with its signature."""
    bare = msgspec.structs.replace(receipt, signature="")
    body = msgspec.json.encode(bare, order="deterministic").decode()
    return msgspec.structs.replace(receipt, signature=shop.store.keyring.blind(body))


def is_ours(shop: "Shop", receipt: Receipt) -> bool:
    """Whether this shop has signed the receipt, and nothing in it was changed since."""
    return hmac.compare_digest(sign(shop, receipt).signature, receipt.signature)


def read_receipt(raw: bytes) -> Receipt:
    """A receipt as it was written.

    Raises
    ------
    InvalidInput
        If it is none.
    """
    try:
        return msgspec.json.decode(raw, type=Receipt)
    except msgspec.DecodeError as error:
        raise InvalidInput(f"That is no receipt of an erasure: {error}.") from error


def _count(name: str, forget: Forget, rows: dict[str, int]) -> Callable[..., int]:
    def run(tx: sa.Connection, customers: frozenset[int]) -> int:
        rows[name] = forget(tx, customers)
        return rows[name]

    return run
