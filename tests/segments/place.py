"""A shop whose contents are replaced for every example, asked through each compiler."""

from datetime import datetime
from pathlib import Path
from typing import Literal

import pyarrow as pa
import sqlalchemy as sa
from hypothesis import strategies as st

from lingxi.app.shop import Shop, init_shop
from lingxi.catalogue import put_items
from lingxi.clock import FixedClock
from lingxi.ingest.consent import consent_event
from lingxi.ingest.sealed import TraitValue, put_traits
from lingxi.lifecycle.tables import customer_state
from lingxi.schema import Item
from lingxi.segments import Rule, add_to_list
from lingxi.segments.bulk import Crowd, compile_rule, evaluate
from lingxi.segments.lists import put_list
from lingxi.store.keyed import upsert
from lingxi.store.tables import identity
from segments.happenings import NOW
from segments.random_rules import SUBJECTS, histories, moments


class Place:
    """One shop whose contents are replaced for every example."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def fill(self, data: st.DataObject) -> None:
        """Events, some late, some anonymous, some perhaps in the lake; people, two of them perhaps
        merged; the rest."""
        store = self.shop.store
        with store.write() as tx:
            for projection in store.projections:
                tx.execute(sa.delete(projection.table))
            names = ("event", "lake_file", "trait", "consent", "customer_state")
            for name in (*names, "customer_list_entry"):
                tx.execute(sa.delete(sa.table(name)))
            tx.execute(sa.delete(identity))
            owners = {s: s for s in SUBJECTS}
            if data.draw(st.booleans(), label="merged"):
                owners[2] = 1
            known = data.draw(st.lists(st.booleans(), min_size=5, max_size=5), label="known")
            flags = dict(zip(SUBJECTS, known, strict=True))
            rows = [{"subject": s, "customer": o, "known": flags[o]} for s, o in owners.items()]
            upsert(tx, identity, rows)
        events = data.draw(histories(), label="events")
        half = len(events) // 2
        store.log.append(events[:half])
        if half and data.draw(st.booleans(), label="rolled"):
            store.lake.roll()
        store.log.append(events[half:])
        self._say(data)

    def _say(self, data: st.DataObject) -> None:
        store = self.shop.store
        said = st.builds(
            TraitValue,
            st.sampled_from(SUBJECTS),
            st.sampled_from(["plan", "age", "born"]),
            st.none() | st.sampled_from(["gold", "a1", "1", "2.5", "true", "2026-02-27", "x"]),
            moments(),
        )
        words = st.tuples(
            st.sampled_from(SUBJECTS),
            st.sampled_from(["marketing", "analytics"]),
            st.sampled_from(["*", "email"]),
            st.booleans(),
            moments(),
        )
        with store.write() as tx:
            put_traits(store, tx, data.draw(st.lists(said, max_size=5), label="traits"))
            for subject in data.draw(st.sets(st.sampled_from(SUBJECTS)), label="list"):
                add_to_list(tx, "hand", subject, NOW, log=store.log)
            upsert(tx, customer_state, self._states(data))
        store.log.append(
            [
                consent_event(who, purpose, channel, granted=yes, now=at, source="t")
                for who, purpose, channel, yes, at in data.draw(
                    st.lists(words, max_size=5), label="consent"
                )
            ]
        )

    def _states(self, data: st.DataObject) -> list[dict[str, object]]:
        empty = dict.fromkeys(column.name for column in customer_state.columns)
        row = st.fixed_dictionaries(
            {
                "stage": st.sampled_from(["loyal", "new", "lost"]),
                "since": moments(),
                "churn_probability": st.none() | st.sampled_from([0.0, 1.0, 2.5]),
                "churn_level": st.none() | st.sampled_from(["a", "A1", "1"]),
            }
        )
        found = data.draw(st.dictionaries(st.sampled_from(SUBJECTS), row), label="states")
        fixed = {"reason": "{}", "horizon_days": 90, "as_of": NOW}
        return [{**empty, **fixed, **values, "customer": who} for who, values in found.items()]

    def ask_all(self, rules: dict[str, Rule], now: datetime) -> dict[str, set[int]]:
        table = self.evaluate(rules, now)
        return {
            name: {
                who
                for who, yes in zip(
                    table["customer"].to_pylist(), table[name].to_pylist(), strict=True
                )
                if yes
            }
            for name in rules
        }

    def evaluate(
        self, rules: dict[str, Rule], now: datetime, engine: Literal["duckdb", "spark"] = "duckdb"
    ) -> pa.Table:
        """Every customer with a truth and a moment a rule, sorted by customer."""
        store, judge = self.shop.store, self.shop.judge
        with store.analytics(engine=engine) as analytics:
            crowd = Crowd(store, judge.scores, analytics, now)
            return analytics.to_arrow(evaluate(crowd, rules, due=True)).sort_by("customer")

    def ask_one(self, rule: Rule, now: datetime) -> set[int]:
        """Who fulfils a single rule, found as a page finds it."""
        store, judge = self.shop.store, self.shop.judge
        with store.analytics() as analytics:
            crowd = Crowd(store, judge.scores, analytics, now)
            found = analytics.to_arrow(compile_rule(crowd, rule))["customer"].to_pylist()
        assert len(found) == len(set(found))
        return set(found)

    def ask_each(self, rules: dict[str, Rule], now: datetime) -> dict[str, set[int]]:
        judge = self.shop.judge
        with self.shop.store.read() as tx:
            return {
                name: {who for who in [*SUBJECTS, 9] if judge.matches(tx, rule, who, now)}
                for name, rule in rules.items()
            }


def make_place(folder: Path) -> Place:
    """An empty shop with a catalogue and a list."""
    shop = init_shop(
        folder,
        name="S",
        currency="GBP",
        timezone="UTC",
        language="en",
        clock=FixedClock(NOW),
    )
    items = [Item(item_id="x", category="Lamps"), Item(item_id="y", category_path=("Home", "Rugs"))]
    with shop.store.write() as tx:
        put_items(shop.store, tx, items, now=NOW)
        put_list(tx, "hand", "By hand", NOW)
    return Place(shop)
