"""Segments of one shop: defined, counted, looked into."""

from datetime import date, timedelta
from itertools import combinations
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lingxi.access.audit import record_audit
from lingxi.app.cursors import check_size, decode_cursor, encode_cursor
from lingxi.app.segments.views import (
    CountView,
    ExplainView,
    GrowthDay,
    GrowthView,
    MemberRow,
    MembersView,
    OverlapRow,
    OverlapView,
    SegmentRow,
    SegmentsView,
    SegmentView,
)
from lingxi.errors import Conflict, InvalidInput
from lingxi.ingest import customer_ids, find_customer
from lingxi.segments import Rule, Segment, put_segment, write_rule
from lingxi.segments.definitions import (
    StoredSegment,
    delete_segment,
    get_segment,
    list_segments,
    resolve_rule,
)
from lingxi.segments.live import Keeper
from lingxi.segments.needs import list_references
from lingxi.segments.tables import segment_day, segment_member

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

MOST_COMPARED = 8


class SegmentDesk:
    """What API, pages and CLI ask of segments."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self.keeper = Keeper(shop.judge)

    def list(self) -> SegmentsView:
        """All segments."""
        with self._shop.store.read() as tx:
            rows = tuple(_to_row(each) for each in list_segments(tx))
            return SegmentsView(rows, self._shop.known.count(tx))

    def get(self, name: str) -> SegmentView:
        """One segment.

        Raises
        ------
        UnknownSegment
            If there is none of this name.
        """
        since = f"{self._today() - timedelta(days=6):%Y-%m-%d}"
        d = segment_day.c
        sums = sa.select(sa.func.sum(d.entered), sa.func.sum(d.left))
        with self._shop.store.read() as tx:
            found = get_segment(tx, name)
            used_by = tuple(
                each.segment.name
                for each in list_segments(tx)
                if name in list_references(each.segment.rule)
            )
            entered, left = tx.execute(sums.where(d.segment == name, d.day >= since)).one()
            known = self._shop.known.count(tx)
        rule = write_rule(found.segment.rule)
        return SegmentView(_to_row(found), rule, known, entered or 0, left or 0, used_by)

    def put(
        self, given: Segment, *, actor: str, expected: int | None = None, now: bool = False
    ) -> SegmentView:
        """Keep a segment; a changed rule is a new version. With ``now`` its members are found at
        once, else by the standing work.

        Parameters
        ----------
        expected
            The version that the writer has seen, 0 for none: refused where it is another.

        Raises
        ------
        Conflict
            If it is another version by now.
        InvalidInput, UnknownList
            If the rule names what there is not, or the segment itself.
        """
        with self._shop.store.write(eager=True) as tx:
            versions = {s.segment.name: s.segment.version for s in list_segments(tx)}
            if expected is not None and versions.get(given.name, 0) != expected:
                raise Conflict(
                    f"The segment {given.name!r} was changed meanwhile; look at it again."
                )
            self._shop.judge.check(tx, given.rule)
            put_segment(tx, given, self._shop.clock.now())
            moment = self._shop.clock.now()
            record_audit(tx, moment, actor=actor, action="segment.put", target=given.name)
        if now:
            self.keeper.run_all(self._shop.clock.now())
        return self.get(given.name)

    def delete(self, name: str, *, actor: str) -> None:
        """Remove a segment.

        Raises
        ------
        UnknownSegment
            If there is none.
        Conflict
            If another segment names it.
        """
        with self._shop.store.write(eager=True) as tx:
            delete_segment(tx, name)
            moment = self._shop.clock.now()
            record_audit(tx, moment, actor=actor, action="segment.delete", target=name)

    def count(self, rule: Rule) -> CountView:
        """How many customers fulfil a rule now: lake and log to their last event.

        Raises
        ------
        InvalidInput, UnknownList
            If the rule names what there is not.
        """
        from lingxi.segments.bulk import Crowd, compile_rule

        shop = self._shop
        now = shop.clock.now()
        with shop.store.analytics() as analytics:
            tx = analytics.transaction
            shop.judge.check(tx, rule)
            crowd = Crowd(shop.store, shop.judge.scores, analytics, now)
            table = compile_rule(crowd, resolve_rule(tx, rule))
            counted = analytics.to_arrow(table.aggregate(n=table.count()))
            known = len(crowd.customers)
        return CountView(counted.column("n")[0].as_py(), known, now)

    def members(self, name: str, *, cursor: str | None = None, n: int = 50) -> MembersView:
        """A page of members, as far as memberships follow the log."""
        check_size(n)
        m = segment_member.c
        after = 0
        if cursor is not None:
            (key,) = decode_cursor(cursor, 1)
            if not isinstance(key, int):
                raise InvalidInput("cursor is not one that this list gave; begin without it.")
            after = key
        query = sa.select(m.customer, m.since).where(m.segment == name, m.customer > after)
        with self._shop.store.read() as tx:
            total = get_segment(tx, name).members
            rows = tx.execute(query.order_by(m.customer).limit(n + 1)).all()
            ids = customer_ids(tx, [row[0] for row in rows[:n]])
        page = tuple(MemberRow(ids.get(who, f"visitor-{who}"), at) for who, at in rows[:n])
        more = encode_cursor([rows[n - 1][0]]) if len(rows) > n else None
        return MembersView(name, page, total, more)

    def overlap(self, names: tuple[str, ...]) -> OverlapView:
        """How many are in two of some segments.

        Raises
        ------
        InvalidInput
            If fewer than two or more than eight are named.
        """
        wanted = tuple(dict.fromkeys(names))
        if not 2 <= len(wanted) <= MOST_COMPARED:
            raise InvalidInput(f"Name 2 to {MOST_COMPARED} segments to compare.")
        one, other = segment_member.alias("one"), segment_member.alias("other")
        joined = one.join(other, one.c.customer == other.c.customer)
        count = sa.select(sa.func.count()).select_from(joined)
        with self._shop.store.read() as tx:
            rows = {name: _to_row(get_segment(tx, name)) for name in wanted}
            pairs = []
            for a, b in combinations(wanted, 2):
                where = (one.c.segment == a, other.c.segment == b)
                both = tx.execute(count.where(*where)).scalar_one()
                smaller = min(rows[a].members, rows[b].members)
                pairs.append(OverlapRow(a, b, both, both / smaller if smaller else 0.0))
        return OverlapView(tuple(rows.values()), tuple(pairs))

    def growth(self, name: str, *, days: int = 90) -> GrowthView:
        """The last days of a segment, those without changes included."""
        if not 1 <= days <= 730:
            raise InvalidInput(f"days must be between 1 and 730, not {days}.")
        today = self._today()
        d = segment_day.c
        with self._shop.store.read() as tx:
            get_segment(tx, name)
            query = sa.select(segment_day).where(d.segment == name).order_by(d.day)
            rows = {row["day"]: row for row in tx.execute(query).mappings()}
        found: list[GrowthDay] = []
        members = 0
        first = min(rows, default=f"{today:%Y-%m-%d}")
        start = today - timedelta(days=days - 1)
        earlier = [row for day, row in rows.items() if day < f"{start:%Y-%m-%d}"]
        if earlier:
            members = earlier[-1]["members"]
        for number in range(days):
            day = f"{start + timedelta(days=number):%Y-%m-%d}"
            row = rows.get(day)
            if row is not None:
                members = row["members"]
            if day >= first:
                entered, left = (row["entered"], row["left"]) if row is not None else (0, 0)
                found.append(GrowthDay(day, entered, left, members))
        return GrowthView(name, tuple(found))

    def _today(self) -> date:
        """The day that it is in the shop's time zone."""
        return self._shop.clock.now().astimezone(self._shop.settings.zone).date()

    def explain(self, name: str, customer_id: str) -> ExplainView:
        """Why a customer is in a segment, or not.

        Raises
        ------
        UnknownCustomer
            If there is no such customer.
        """
        store, now = self._shop.store, self._shop.clock.now()
        m = segment_member.c
        with store.read() as tx:
            found = get_segment(tx, name)
            customer = find_customer(tx, customer_id, store=store)
            verdict = self._shop.judge.explain(tx, found.segment.rule, customer, now)
            mine = sa.select(m.since).where(m.segment == name, m.customer == customer)
            noted = tx.execute(mine).first() is not None
            label = customer_ids(tx, [customer]).get(customer, customer_id)
        return ExplainView(name, label, verdict.holds, noted, verdict)


def _to_row(each: StoredSegment) -> SegmentRow:
    return SegmentRow(
        each.segment.name,
        each.segment.title,
        each.segment.version,
        each.members,
        each.evaluated == each.segment.version,
        each.updated_at,
        each.evaluated_at,
    )
