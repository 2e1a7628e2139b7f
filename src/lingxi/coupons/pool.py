"""Pools: codes that come from elsewhere, each given to one customer."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from lingxi.coupons.book import find_shared, get_offer, list_offers
from lingxi.coupons.codes import check_code
from lingxi.coupons.ledger import Account, Move, post, read_totals
from lingxi.coupons.offer import PoolCode
from lingxi.coupons.tables import coupon
from lingxi.coupons.vault import Vault
from lingxi.errors import Conflict, InvalidInput
from lingxi.store.counters import allocate
from lingxi.store.keyed import fetch_by_keys

MOST_CODES = 1_000_000
_ROWS = 1_000
_HEADS = frozenset({"code", "codes", "coupon", "coupon code", "discount code", "优惠码", "券码"})


@dataclass(frozen=True)
class Imported:
    """What came of an import: codes that are new, known already, and that can be no code."""

    new: int
    known: int
    refused: int


@dataclass(frozen=True)
class LowPool:
    """A pool with few codes left."""

    offer: str
    free: int
    low_at: int


def import_codes(
    tx: sa.Connection,
    vault: Vault,
    offer: str,
    codes: Sequence[str],
    now: datetime,
    *,
    actor: str,
) -> Imported:
    """Add codes to the pool of an offer, each once.

    Raises
    ------
    UnknownOffer
        If there is no such offer.
    Conflict
        If its codes do not come from a pool.
    InvalidInput
        If there are more than a million codes.
    """
    kept = get_offer(tx, offer)
    if not isinstance(kept.offer.code, PoolCode):
        raise Conflict(f"The offer {offer!r} takes no codes: its code is not of the kind 'pool'.")
    if len(codes) > MOST_CODES:
        raise InvalidInput(f"At most {MOST_CODES} codes are imported at once.")
    wanted: dict[str, str] = {}
    refused = 0
    for code in codes:
        try:
            text = check_code(code)
        except InvalidInput:
            refused += 1
            continue
        wanted.setdefault(vault.find_by(text), text)
    new = 0
    keys = list(wanted)
    for start in range(0, len(keys), _ROWS):
        part = keys[start : start + _ROWS]
        new += _add(tx, vault, offer, kept.version, {key: wanted[key] for key in part})
    if new:
        post(tx, [Move(offer, Account.NOWHERE, Account.FREE, coupons=new)], now, actor=actor)
    return Imported(new, len(codes) - refused - new, refused)


def _add(tx: sa.Connection, vault: Vault, offer: str, version: int, codes: dict[str, str]) -> int:
    column = coupon.c.found_by
    known = {row[0] for row in fetch_by_keys(tx, [column], [(key,) for key in codes], [column])}
    fresh = [key for key in codes if key not in known and find_shared(tx, key) is None]
    if not fresh:
        return 0
    numbers = allocate(tx, "coupon", len(fresh))
    rows = [
        {
            "coupon": number,
            "offer": offer,
            "version": version,
            "state": str(Account.FREE),
            "found_by": key,
            "sealed": vault.seal(number, codes[key]),
        }
        for key, number in zip(fresh, numbers, strict=True)
    ]
    tx.execute(sa.insert(coupon), rows)
    return len(rows)


def read_codes(text: str) -> list[str]:
    """The codes of a CSV file: the column named code, or the first one where none is so named.

    >>> read_codes("id,Code\\n1,AAAA-1111\\n2,BBBB-2222\\n"), read_codes("AAAA-1111\\nBBBB-2222")
    (['AAAA-1111', 'BBBB-2222'], ['AAAA-1111', 'BBBB-2222'])
    """
    first = text.partition("\n")[0]
    mark = next((sign for sign in (",", ";", "\t") if sign in first), ",")
    rows = [
        row
        for row in csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=None), delimiter=mark)
        if row
    ]
    if not rows:
        return []
    heads = [head.strip().lower() for head in rows[0]]
    named = [at for at, head in enumerate(heads) if head in _HEADS]
    at, body = (named[0], rows[1:]) if named else (0, rows)
    return [row[at] for row in body if len(row) > at and row[at].strip()]


def list_low_pools(tx: sa.Connection) -> list[LowPool]:
    """Pools that are at or below the number at which the shop wants to know, paused ones aside."""
    offers = [each.offer for each in list_offers(tx)]
    return list(_find_low(tx, [each for each in offers if not each.paused]))


def _find_low(tx: sa.Connection, offers: Iterable[object]) -> Iterable[LowPool]:
    for offer in offers:
        rule = getattr(offer, "code", None)
        if isinstance(rule, PoolCode):
            name = str(getattr(offer, "name", ""))
            free = read_totals(tx, name).count(Account.FREE)
            if free <= rule.low_at:
                yield LowPool(name, free, rule.low_at)
