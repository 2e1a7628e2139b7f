"""Identifiers that were seen together and not joined: who, what and why."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from lingxi.app.collect_views import RefusedCount, RefusedRow, RefusedView
from lingxi.i18n import Sentence
from lingxi.ingest import customer_ids
from lingxi.ingest.merging import Refusal, count_refusals, list_refusals

if TYPE_CHECKING:
    from lingxi.app.shop import Shop


def get_refused(shop: "Shop", *, days: int, n: int) -> RefusedView:
    """What was not joined within ``days``, and the ``n`` places where it happened most."""
    now = shop.clock.now()
    since = now - timedelta(days=days)
    with shop.store.read() as tx:
        counts = count_refusals(tx, since=since)
        rows = to_rows(tx, list_refusals(tx, since=since, most=True, n=n))
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return RefusedView(
        as_of=now,
        since=since,
        counts=tuple(RefusedCount(rule, kind, n, _say(rule)) for (rule, kind), n in ordered),
        rows=rows,
    )


def to_rows(tx: Connection, refusals: Sequence[Refusal]) -> tuple[RefusedRow, ...]:
    """Refusals with the names of their customers."""
    customers = {c for each in refusals for c in (each.customer, each.other) if c is not None}
    ids = customer_ids(tx, customers)
    return tuple(
        RefusedRow(
            customer_id=ids.get(each.customer, f"visitor-{each.customer}"),
            other_id=None if each.other is None else ids.get(each.other, f"visitor-{each.other}"),
            rule=each.rule,
            kind=each.kind,
            masked=each.masked,
            n=each.n,
            first_at=each.first_at,
            last_at=each.last_at,
            event_id=each.event_id,
            sentence=_say(each.rule),
        )
        for each in refusals
    )


def _say(rule: str) -> Sentence:
    return Sentence(f"identity.refused.{rule}", {})
