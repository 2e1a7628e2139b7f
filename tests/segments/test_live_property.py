"""Whatever happens, in whatever order: memberships are what the rules say at every moment."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from shutil import copytree

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lingxi.app.shop import Shop, init_shop
from lingxi.catalogue import put_items
from lingxi.clock import FixedClock
from lingxi.lifecycle.tables import customer_state
from lingxi.schema import Event, Item, Name
from lingxi.segments import Segment, add_to_list, put_segment, read_rule
from lingxi.segments.lists import put_list
from lingxi.segments.live import Keeper
from lingxi.segments.tables import segment_member
from lingxi.store.keyed import upsert
from lingxi.store.tables import identity
from segments.happenings import NOW
from segments.random_rules import SUBJECTS, histories, rules

HOW = {"deadline": None, "suppress_health_check": list(HealthCheck)}
STEPS = st.lists(
    st.one_of(
        histories().map(lambda events: ("events", events)),
        st.sampled_from([("wait", d) for d in (0.0, 1.0, 2.0, 6.0)]),
        st.sampled_from([("merge", 0), ("undo", 0), ("keeper", 0)]),
        st.sampled_from([("list", who) for who in SUBJECTS]),
        st.tuples(st.just("score"), st.sampled_from([0.0, 1.0, 2.5])),
    ),
    min_size=2,
    max_size=7,
)


class Run:
    """A shop, its keeper, and steps that change it."""

    def __init__(self, shop: Shop, forms: list[dict[str, object]]) -> None:
        self.shop, self.names = shop, [f"s{number}" for number in range(len(forms))]
        self.keeper = Keeper(shop.judge)
        self.number = 0
        with shop.store.write() as tx:
            rows = [{"subject": s, "customer": s, "known": s != 4} for s in SUBJECTS]
            upsert(tx, identity, rows)
            for name, form in zip(self.names, forms, strict=True):
                put_segment(tx, Segment(name, name, read_rule(form)), NOW)
        self.keeper.run_all(NOW)

    def take(self, verb: str, what: object) -> None:
        store, clock = self.shop.store, self.shop.clock
        assert isinstance(clock, FixedClock)
        self.number += 1
        if verb == "events":
            assert isinstance(what, list)
            tag = f"{self.number}-"
            store.log.append([_rename(each, tag) for each in what])
        elif verb == "wait":
            clock.advance(timedelta(days=float(str(what))))
        elif verb == "keeper":
            self.keeper = Keeper(self.shop.judge)  # another process
        elif verb == "list":
            with store.write() as tx:
                add_to_list(tx, "hand", int(str(what)), clock.now(), log=store.log)
        elif verb == "score":
            self._score(float(str(what)))
        else:
            self._merge(undo=verb == "undo")
        self.keeper.run_all(clock.now())

    def _score(self, value: float) -> None:
        empty = dict.fromkeys(column.name for column in customer_state.columns)
        fixed = {"stage": "new", "since": NOW, "reason": "{}", "horizon_days": 90}
        at = NOW + timedelta(seconds=self.number)
        rows = [
            {**empty, **fixed, "customer": s, "churn_probability": value, "as_of": at}
            for s in SUBJECTS
        ]
        with self.shop.store.write() as tx:
            upsert(tx, customer_state, rows)

    def _merge(self, *, undo: bool) -> None:
        """Two becomes one with one, or parts from it, as the intake does it."""
        store = self.shop.store
        now = self.shop.clock.now()
        owner = 2 if undo else 1
        with store.write() as tx:
            row = {"subject": 2, "customer": owner, "known": True}
            upsert(tx, identity, [row])
            name = Name.MERGE_UNDONE if undo else Name.CUSTOMERS_MERGED
            told = Event(
                event_id=f"m{self.number}",
                name=name.value,
                occurred_at=now,
                received_at=now,
                subject=2,
                properties={"kept": 1, "merged": 2},
            )
            store.log.append([told], tx=tx)
            store.rebuild(store.projections, {1, 2}, tx)

    def check(self) -> None:
        """Memberships are what the rules say; entering and leaving alternate in the log."""
        now, judge = self.shop.clock.now(), self.shop.judge
        with self.shop.store.read() as tx:
            rows = tx.execute(sa.select(segment_member.c.segment, segment_member.c.customer))
            kept = {(name, who) for name, who in rows if name != "*"}
            true = {
                (name, who)
                for name in self.names
                for who in SUBJECTS
                if judge.is_member(tx, name, who, now)
            }
        assert kept == true


def _rename(each: Event, tag: str) -> Event:
    return msgspec.structs.replace(each, event_id=tag + each.event_id)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a shop with a catalogue and an empty list."""
    folder = tmp_path_factory.mktemp("live") / "shop"
    shop = init_shop(folder, name="S", currency="GBP", timezone="UTC", language="en")
    items = [Item(item_id="x", category="Lamps"), Item(item_id="y", category_path=("Home", "Rugs"))]
    with shop.store.write() as tx:
        put_items(shop.store, tx, items, now=NOW)
        put_list(tx, "hand", "By hand", NOW)
    shop.close()
    return folder


def play(folder: Path, forms: list[dict[str, object]], steps: list[tuple[str, object]]) -> None:
    shop = Shop.open(folder, clock=FixedClock(NOW))
    try:
        run = Run(shop, forms)
        for verb, what in steps:
            run.take(verb, what)
            run.check()
    finally:
        shop.close()


FORMS = st.lists(rules(), min_size=3, max_size=6)


@settings(max_examples=6, **HOW)
@given(FORMS, STEPS)
def test_memberships_are_always_what_the_rules_say(
    empty: Path,
    tmp_path_factory: pytest.TempPathFactory,
    forms: list[dict[str, object]],
    steps: list[tuple[str, object]],
) -> None:
    folder = tmp_path_factory.mktemp("run") / "shop"
    copytree(empty, folder)
    play(folder, forms, steps)


@pytest.mark.slow
@settings(max_examples=30, **HOW)
@given(FORMS, STEPS)
def test_memberships_on_many_more(
    empty: Path,
    tmp_path_factory: pytest.TempPathFactory,
    forms: list[dict[str, object]],
    steps: list[tuple[str, object]],
) -> None:
    folder = tmp_path_factory.mktemp("run") / "shop"
    copytree(empty, folder)
    play(folder, forms, steps)
