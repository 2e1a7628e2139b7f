"""Addresses that are not written to, by the address or its customer; every change is audited."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import msgspec

from lingxi.access.audit import record_audit
from lingxi.errors import InvalidInput
from lingxi.messaging.email.address import read_address
from lingxi.messaging.email.suppression import (
    Suppressed,
    count_suppressed,
    get_suppressed,
    list_suppressed,
    read_reason,
    release,
    suppress,
)

if TYPE_CHECKING:
    from lingxi.app.shop import Shop


class SuppressionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address to write to no more, and why."""

    address: Annotated[str, msgspec.Meta(min_length=3, max_length=320)]
    reason: str = "manual"
    detail: Annotated[str, msgspec.Meta(max_length=200)] = ""


class SuppressionRow(msgspec.Struct, frozen=True):
    """One address, by its keyed hash: what it is stays unknown."""

    address_hash: str
    reason: str
    everything: bool
    at: datetime
    detail: str
    actor: str


class SuppressionView(msgspec.Struct, frozen=True):
    """Addresses that are not written to; ``next_cursor`` leads to the next page."""

    total: int
    by_reason: Mapping[str, int]
    rows: Sequence[SuppressionRow]
    next_cursor: str | None


def list_addresses(
    shop: "Shop", *, reason: str = "", n: int = 50, cursor: str = ""
) -> SuppressionView:
    """Addresses that are not written to.

    Raises
    ------
    InvalidInput
        If there is no such reason.
    """
    with shop.store.read() as tx:
        counts = count_suppressed(tx)
        rows = list_suppressed(tx, n=n + 1, after=cursor, reason=reason)
    more = rows[n - 1].address_hash if len(rows) > n else None
    return SuppressionView(sum(counts.values()), counts, [_row(r) for r in rows[:n]], more)


def find_address(shop: "Shop", address: str) -> SuppressionRow | None:
    """Why an address is not written to; nothing where it is.

    Raises
    ------
    InvalidInput
        If it is no address.
    """
    with shop.store.read() as tx:
        found = get_suppressed(tx, _hash(shop, address))
    return None if found is None else _row(found)


def add_address(shop: "Shop", wanted: SuppressionRequest, *, actor: str) -> SuppressionRow:
    """Write to an address no more.

    Raises
    ------
    InvalidInput
        If it is no address, or there is no such reason.
    """
    hashed, reason = _hash(shop, wanted.address), read_reason(wanted.reason)
    now = shop.clock.now()
    with shop.store.write() as tx:
        suppress(tx, hashed, reason, now, detail=wanted.detail, actor=actor)
        record_audit(tx, now, actor=actor, action="address.suppressed", target=hashed[:12])
        found = get_suppressed(tx, hashed)
    assert found is not None
    return _row(found)


def remove_address(shop: "Shop", address: str, *, actor: str, why: str) -> bool:
    """Write to an address again; False where it was written to. Consent is asked all the same.

    Raises
    ------
    InvalidInput
        If it is no address, or no reason is given.
    """
    if not why.strip():
        raise InvalidInput("Say why the address may be written to again.")
    hashed, now = _hash(shop, address), shop.clock.now()
    with shop.store.write() as tx:
        gone = release(tx, hashed)
        if gone:
            target = f"{hashed[:12]}: {why.strip()[:100]}"
            record_audit(tx, now, actor=actor, action="address.released", target=target)
    return gone


def _hash(shop: "Shop", address: str) -> str:
    read_address(address)
    return shop.store.keyring.blind(address)


def _row(found: Suppressed) -> SuppressionRow:
    return SuppressionRow(
        found.address_hash, found.reason, found.everything, found.at, found.detail, found.actor
    )
