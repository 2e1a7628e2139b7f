"""The shop's offers: the latest version is in force, every version stays for the codes under it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from lingxi.coupons.offer import Offer, SharedCode
from lingxi.coupons.tables import coupon, coupon_offer, coupon_shared
from lingxi.coupons.vault import Vault
from lingxi.errors import Conflict, UnknownOffer, did_you_mean
from lingxi.store.prepared import Prepared
from lingxi.store.tables import driver_type, from_micros

MOST_OFFERS = 2_000
_c = coupon_offer.c
_VERSIONS = sa.select(
    *(sa.type_coerce(each, driver_type(each.type)) for each in (_c.body, _c.version, _c.at)),
    _c.actor,
)
_NAME = sa.bindparam("name", type_=sa.String)
_LATEST = Prepared(
    _VERSIONS.where(_c.name == _NAME).order_by(_c.version.desc()).limit(1),
    "name",
)
_ONE = Prepared(
    _VERSIONS.where(_c.name == _NAME, _c.version == sa.bindparam("version", type_=sa.Integer)),
    "name",
    "version",
)
_SHARED = Prepared(
    sa.select(coupon_shared.c.offer).where(
        coupon_shared.c.found_by == sa.bindparam("found_by", type_=sa.String)
    ),
    "found_by",
)


@dataclass(frozen=True)
class Kept:
    """One version of an offer, and who made it so."""

    offer: Offer
    version: int
    at: datetime
    actor: str


def put_offer(tx: sa.Connection, vault: Vault, offer: Offer, now: datetime, *, actor: str) -> Kept:
    """Make the offer so, as a new version unless it is so already. Codes that are out keep theirs.

    Raises
    ------
    Conflict
        If its shared code is another offer's or a single customer's, its kind of code changes while
        codes of the old kind are out, or there are too many offers.
    """
    latest = find_offer(tx, offer.name)
    if latest is not None and latest.offer == offer:
        return latest
    if latest is None and len(list_offers(tx)) >= MOST_OFFERS:
        raise Conflict(f"A shop may have {MOST_OFFERS} offers.")
    if latest is not None and type(latest.offer.code) is not type(offer.code):
        _refuse_other_kind(tx, offer.name)
    if isinstance(offer.code, SharedCode):
        _claim(tx, vault, offer.name, offer.code.text)
    kept = Kept(offer, 1 if latest is None else latest.version + 1, now, actor[:80])
    row = {
        "name": offer.name,
        "version": kept.version,
        "body": msgspec.json.encode(offer).decode(),
        "at": now,
        "actor": kept.actor,
    }
    tx.execute(sa.insert(coupon_offer).values(row))
    return kept


def remove_offer(tx: sa.Connection, name: str) -> None:
    """Take an offer away that never had a coupon.

    Raises
    ------
    UnknownOffer
        If there is none of this name.
    Conflict
        If coupons of it are out: pause it instead.
    """
    get_offer(tx, name)
    if tx.execute(sa.select(coupon.c.coupon).where(coupon.c.offer == name).limit(1)).first():
        raise Conflict(f"The offer {name!r} has coupons; pause it instead of removing it.")
    tx.execute(sa.delete(coupon_shared).where(coupon_shared.c.offer == name))
    tx.execute(sa.delete(coupon_offer).where(coupon_offer.c.name == name))


def find_offer(tx: sa.Connection, name: str, version: int | None = None) -> Kept | None:
    """The offer in force of this name, or one version of it, if there is one."""
    row = _LATEST.first(tx, name) if version is None else _ONE.first(tx, name, version)
    return None if row is None else _to_kept(row)


def get_offer(tx: sa.Connection, name: str, version: int | None = None) -> Kept:
    """The offer in force of this name, or one version of it.

    Raises
    ------
    UnknownOffer
        If there is none.
    """
    found = find_offer(tx, name, version)
    if found is None:
        known = [each.offer.name for each in list_offers(tx)]
        raise UnknownOffer(f"There is no offer {name!r}{did_you_mean(name, known)}.")
    return found


def list_offers(tx: sa.Connection) -> list[Kept]:
    """The offers in force, by name."""
    last = sa.func.max(_c.version).label("version")
    newest = sa.select(_c.name, last).group_by(_c.name).subquery()
    query = _VERSIONS.join(
        newest, sa.and_(_c.name == newest.c.name, _c.version == newest.c.version)
    )
    return [_to_kept(row) for row in tx.execute(query.order_by(_c.name))]


def list_versions(tx: sa.Connection, name: str) -> list[Kept]:
    """Every version of an offer, newest first."""
    query = _VERSIONS.where(_c.name == name).order_by(_c.version.desc())
    return [_to_kept(row) for row in tx.execute(query)]


def find_shared(tx: sa.Connection, found_by: str) -> str | None:
    """The offer whose shared code this is."""
    row = _SHARED.first(tx, found_by)
    return None if row is None else str(row[0])


def _claim(tx: sa.Connection, vault: Vault, name: str, text: str) -> None:
    """Make a shared code the offer's own; codes it had before stay its own."""
    found_by = vault.find_by(text)
    owner = find_shared(tx, found_by)
    single = sa.select(coupon.c.coupon).where(coupon.c.found_by == found_by)
    if owner not in (None, name) or tx.execute(single).first():
        raise Conflict(f"The code of the offer {name!r} belongs to another offer.")
    if owner is None:
        tx.execute(sa.insert(coupon_shared).values(found_by=found_by, offer=name))


def _refuse_other_kind(tx: sa.Connection, name: str) -> None:
    held = sa.select(coupon.c.coupon).where(coupon.c.offer == name).limit(1)
    if tx.execute(held).first():
        raise Conflict(
            f"The offer {name!r} has codes of another kind already; make a new offer of it."
        )


def _to_kept(row: Sequence[Any]) -> Kept:
    body, version, at, actor = row
    return Kept(_read_body(body), version, from_micros(at), actor)


@lru_cache(maxsize=4_096)
def _read_body(body: str) -> Offer:
    return msgspec.json.decode(body, type=Offer)
