"""However names come together and part: it is as if each had always been one person.

Random shops of people who browse, order, log in, log out, share browsers, use several addresses and
have merges undone. An oracle of sets says who is who in the end; a second shop gets the same
messages under one name a person from the start, and both must hold the same: projections,
recommendations, features, scores, and who is in which segment.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from shutil import copytree

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.identity_oracle import Name, Oracle
from ingest.merging_shop import Body, Shop, open_shop
from ingest.random_people import ITEMS, LIMITS, STEPS, Step
from lingxi.app.segments.scores import make_judge
from lingxi.features import online_features
from lingxi.ingest.known import KnownCustomers
from lingxi.ingest.merging import count_refusals, undo_merge
from lingxi.ingest.tables import merge
from lingxi.lifecycle import score_customers
from lingxi.lifecycle.tables import customer_state
from lingxi.recommend import Recommender, train_recommenders
from lingxi.segments import Segment, put_segment, read_rule
from lingxi.segments.live import Keeper
from lingxi.segments.tables import segment_member
from lingxi.store import Store
from lingxi.store.tables import identity

Load = Callable[[], Recommender]
SEGMENTS = {
    "all": {"everyone": True},
    "viewers": {"did": "Product Viewed", "at_least": 2},
    "buyers": {"bought": {"items": ["p0", "p1"]}},
    "ordered": {"score": "orders", "at_least": 1},
    "once": {"did": "Order Completed", "times": 1},
    "never": {"did_not": "Order Completed"},
    "kinds": {"aggregate": "distinct", "of": "item_id", "event": "Product Viewed", "at_least": 2},
    "last": {
        "did": "Product Viewed",
        "which": "last",
        "where": [{"property": "item_id", "one_of": ["p0", "p2"]}],
    },
    "both": {"all": [{"segment": "viewers"}, {"segment": "never"}]},
}


@dataclass
class Played:
    """What a run of steps was, by the oracle: messages in order, and the node of each."""

    oracle: Oracle
    taken: list[tuple[Step, int, int]] = field(default_factory=list)

    def owners(self) -> list[int]:
        return [self.oracle.group[node] for _, _, node in self.taken]


def play(shop: Shop, steps: Sequence[Step], sizes: Sequence[int]) -> Played:
    """Send the steps to the shop in batches of any size, and to the oracle."""
    played = Played(Oracle(LIMITS))
    waiting: list[Body] = []
    keeper, known = Keeper(make_judge(shop.store)), KnownCustomers()

    def count_again() -> None:
        with shop.store.read() as tx:
            assert known.count(tx) == KnownCustomers().count(tx)

    def flush() -> None:
        outcomes = shop.send(*waiting)
        assert all(each.result == "stored" for each in outcomes)
        count_again()
        if waiting:
            keeper.run_once(shop.clock.now())
        waiting.clear()

    for step in steps:
        if step.verb == "days":
            flush()
            shop.clock.advance(timedelta(days=1 + step.number))
        elif step.verb == "undo":
            flush()
            undo_one(shop, played.oracle, step.number)
            count_again()
            keeper.run_once(shop.clock.now())
        else:
            number = len(played.taken)
            now = shop.clock.now()
            node = played.oracle.take(step.names(), previous_of(step, number), step.verb, now)
            played.taken.append((step, number, node))
            waiting.append(step.body(number))
            if len(waiting) >= sizes[number % len(sizes)]:
                flush()
    flush()
    keeper.run_all(shop.clock.now())
    return played


def previous_of(step: Step, number: int) -> list[Name]:
    if step.verb != "alias":
        return []
    value = str(step.what(number)["previousId"])
    return [("anonymous", value), ("user_id", value)]


def undo_one(shop: Shop, oracle: Oracle, number: int) -> None:
    """Undo one of the merges that can be undone, in the shop and by the oracle."""
    with shop.store.read() as tx:
        rows = tx.execute(sa.select(merge.c.id).order_by(merge.c.id)).scalars().all()
    assert len(rows) == len(oracle.unions)
    for place in range(len(rows)):
        chosen = (place + number) % len(rows)
        if oracle.undo(oracle.unions[chosen]):
            undo_merge(shop.store, rows[chosen])
            return


def replay(shop: Shop, played: Played) -> None:
    """The same messages, each under the one name of the person that it belongs to."""
    oracle = played.oracle
    bodies: list[Body] = []
    for (step, number, _), owner in zip(played.taken, played.owners(), strict=True):
        name = "userId" if oracle.is_known(owner) else "anonymousId"
        body = step.what(number) | {name: f"c{owner}"}
        if "previousId" in body:
            body["previousId"] = f"c{owner}"
        bodies.append(body)
    shop.send(*bodies)
    Keeper(make_judge(shop.store)).run_all(shop.clock.now())


def define_segments(store: Store) -> None:
    """The segments of ``SEGMENTS``, asked of everybody that there is."""
    now = store.clock.now()
    with store.write() as tx:
        for name, rule in SEGMENTS.items():
            put_segment(tx, Segment(name, name, read_rule(rule)), now)
    Keeper(make_judge(store)).run_all(now)


def segments_of(shop: Shop, customer: int) -> tuple[list[str], list[str]]:
    """The segments that a customer is noted in, and those whose rule holds of them now."""
    judge, now = make_judge(shop.store), shop.clock.now()
    m = segment_member.c
    with shop.store.read() as tx:
        query = sa.select(m.segment).where(m.customer == customer, m.segment != "*")
        noted = sorted(tx.execute(query).scalars())
        return noted, sorted(n for n in SEGMENTS if judge.is_member(tx, n, customer, now))


def customers_of(shop: Shop, played: Played) -> dict[int, int]:
    """The customer of the shop for each group of the oracle; the partition must be the same."""
    log = shop.store.log.read(limit=10_000)
    with shop.store.read() as tx:
        rows = tx.execute(sa.select(identity.c.subject, identity.c.customer)).all()
    owner = {row.subject: row.customer for row in rows}
    found = {e.event_id: owner[e.subject] for e in log if e.subject is not None}
    pairs = {
        (group, found[f"web:m{number + 1}"])
        for (_, number, _), group in zip(played.taken, played.owners(), strict=True)
    }
    assert len({group for group, _ in pairs}) == len({customer for _, customer in pairs})
    assert len(pairs) == len({group for group, _ in pairs}), pairs
    return dict(pairs)


@contextmanager
def two_shops(
    folder: Path, urls: Sequence[str] = ("", ""), *, empty: Path | None = None
) -> Iterator[tuple[Shop, Shop]]:
    """Two shops without anything in them; copies of an ``empty`` one need make no tables."""
    for name in ("many", "one") if empty is not None else ():
        copytree(str(empty), folder / name)
    many = open_shop(folder / "many", urls[0], **LIMITS)
    one = open_shop(folder / "one", urls[1])
    for shop in (many, one) if empty is None else ():
        define_segments(shop.store)
    try:
        yield many, one
    finally:
        many.store.close()
        one.store.close()


def check(
    many: Shop,
    one: Shop,
    steps: Sequence[Step],
    sizes: Sequence[int],
    load: Load,
    *,
    deep: bool,
) -> None:
    """Play the steps in one shop, replay them in the other, compare all that is held."""
    played = play(many, steps, sizes)
    replay(one, played)
    if not played.taken:
        return
    ours, theirs = customers_of(many, played), customers_of(one, played)
    with many.store.read() as tx:
        counts = count_refusals(tx, since=many.clock.now() - timedelta(days=1000))
    told: dict[str, int] = {}
    for (rule, _), n in counts.items():
        told[rule] = told.get(rule, 0) + n
    assert told == played.oracle.refused
    moment = many.clock.now()
    if deep:
        for shop in (many, one):
            score_customers(shop.store, shop.store.settings, many.clock, moment)
    for group, customer in ours.items():
        assert many.rows(customer) == one.rows(theirs[group])
        assert many.names(customer) == one.names(theirs[group])
        inside = segments_of(many, customer)
        assert inside == segments_of(one, theirs[group])
        assert inside[0] == inside[1]
        pairs = ((many, customer), (one, theirs[group]))
        served = [recommend(shop, load(), who) for shop, who in pairs]  # each remembers its own
        assert served[0] == served[1]
        if deep:
            assert told_of(many, customer, moment) == told_of(one, theirs[group], moment)


def recommend(shop: Shop, recommender: Recommender, customer: int) -> object:
    with shop.store.read() as tx:
        return recommender.recommend(tx, customer, n=4)


def told_of(shop: Shop, customer: int, moment: datetime) -> Mapping[str, object]:
    """The features of now, and the stage, segment and scores; without whose they are."""
    with shop.store.read() as tx:
        query = sa.select(customer_state).where(customer_state.c.customer == customer)
        states = [dict(row) for row in tx.execute(query).mappings()]
    for state in states:
        del state["customer"]
    return {"features": online_features(shop.store, customer, moment), "states": states}


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Load]:
    """Trained on another shop of the same items; it knows none of these customers."""
    shop = open_shop(tmp_path_factory.mktemp("trained") / "shop")
    bodies = [
        Step("buy", user=f"t{n % 30}", item=ITEMS[(n * n + n // 7) % len(ITEMS)]).body(n)
        for n in range(240)
    ]
    shop.send(*bodies)
    train_recommenders(shop.store, shop.store.settings, shop.clock, lambda *_: None)

    def load_one() -> Recommender:
        made = Recommender.load(shop.store)
        made.rows.clear()
        return made

    yield load_one
    shop.store.close()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a shop with segments, and nobody in it."""
    folder = tmp_path_factory.mktemp("empty") / "shop"
    shop = open_shop(folder)
    define_segments(shop.store)
    shop.store.close()
    return folder


SIZES = st.lists(st.integers(1, 6), min_size=1, max_size=10)
slow = partial(pytest.param, marks=pytest.mark.slow)
proof = partial(pytest.param, marks=pytest.mark.proof)
QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=30, **QUIET)
@given(STEPS, SIZES)
def test_it_is_as_if_each_had_always_been_one_person(
    load: Load,
    empty: Path,
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[Step],
    sizes: list[int],
) -> None:
    with two_shops(tmp_path_factory.mktemp("shops"), empty=empty) as (many, one):
        check(many, one, steps, sizes, load, deep=False)


@pytest.mark.parametrize("examples", [slow(15), proof(100)])
def test_features_stages_and_scores_too(
    load: Load, empty: Path, tmp_path_factory: pytest.TempPathFactory, examples: int
) -> None:
    @settings(max_examples=examples, **QUIET)
    @given(STEPS, SIZES)
    def run(steps: list[Step], sizes: list[int]) -> None:
        with two_shops(tmp_path_factory.mktemp("shops"), empty=empty) as (many, one):
            check(many, one, steps, sizes, load, deep=True)

    run()


@pytest.mark.engine
@pytest.mark.parametrize("examples", [slow(5), proof(30)])
def test_on_postgresql_as_well(
    load: Load, tmp_path_factory: pytest.TempPathFactory, new_database, examples: int
) -> None:
    @settings(max_examples=examples, **QUIET)
    @given(STEPS, SIZES)
    def run(steps: list[Step], sizes: list[int]) -> None:
        urls = (new_database(), new_database())
        with two_shops(tmp_path_factory.mktemp("shops"), urls) as (many, one):
            check(many, one, steps, sizes, load, deep=True)

    run()
