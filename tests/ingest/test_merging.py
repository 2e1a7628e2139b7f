"""Who is who: merges, their limits, shared browsers, undoing; as if it had always been so."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lingxi.app.rooms import METADATAS, PROJECTIONS
from lingxi.clock import FixedClock
from lingxi.config import IdentitySettings, Settings
from lingxi.errors import Conflict, InvalidInput
from lingxi.ingest import find_customer
from lingxi.ingest.intake import Intake
from lingxi.ingest.merging import count_refusals, list_identifiers, list_merges, undo_merge
from lingxi.ingest.message import Message, Outcome
from lingxi.schema import SYSTEM_EVENTS
from lingxi.store import Store
from lingxi.store.tables import event, identity

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Body = dict[str, object]


@dataclass
class Shop:
    """A store with every projection, and messages that come in one after the other."""

    store: Store
    clock: FixedClock
    intake: Intake
    sent: int = 0
    outcomes: list[Outcome] = field(default_factory=list)

    def send(self, *bodies: Body) -> list[Outcome]:
        messages = []
        for body in bodies:
            self.sent += 1
            moment = (NOW + timedelta(seconds=self.sent - 100_000)).isoformat()
            whole = {"messageId": f"m{self.sent}", "timestamp": moment, **body}
            messages.append(
                Message(
                    body=whole,
                    raw=msgspec.json.encode(whole),
                    received_at=self.clock.now(),
                    source="web",
                )
            )
        return self.intake.take(messages)

    def customer(self, name: str) -> int:
        with self.store.read() as tx:
            return find_customer(tx, name, seal=self.store.keyring.blind)

    def rows(self, customer: int) -> dict[str, list[tuple[object, ...]]]:
        """Every row of a customer's projections, without whose it is."""
        found = {}
        with self.store.read() as tx:
            for projection in PROJECTIONS:
                table = projection.table
                query = sa.select(table).where(table.c.customer == customer)
                plain = [tuple(map(repr, row[1:])) for row in tx.execute(query)]
                found[projection.name] = sorted(plain)
        return found

    def state(self) -> dict[int, dict[str, list[tuple[object, ...]]]]:
        """Everybody's rows, and who owns which surrogate."""
        with self.store.read() as tx:
            owners = sorted(tx.execute(sa.select(identity.c.subject, identity.c.customer)).all())
        return {c: self.rows(c) for c in {customer for _, customer in owners}} | {
            0: {"owners": [tuple(row) for row in owners]}
        }

    def names(self, customer: int) -> list[str]:
        own = self.store.log.read_customer(customer, limit=1000)
        return [e.event_id for e in own if e.name not in SYSTEM_EVENTS]


@pytest.fixture
def make_shop(tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    made: list[Shop] = []

    def make(**limits: int) -> Shop:
        folder = tmp_path / f"shop-{len(made)}"
        config = Settings(folder=folder, identity=IdentitySettings(**limits))
        clock = FixedClock(NOW)
        store = Store.open(config, clock, projections=PROJECTIONS, tables=METADATAS)
        made.append(Shop(store, clock, Intake(store, config, clock)))
        return made[-1]

    yield make
    for shop in made:
        shop.store.close()


def view(item: str = "p1", **who: object) -> Body:
    return {"type": "track", "event": "Product Viewed", "properties": {"product_id": item}, **who}


def order(item: str, **who: object) -> Body:
    products = [{"product_id": item, "quantity": 2, "price": 5}]
    return {
        "type": "track",
        "event": "Order Completed",
        "properties": {"products": products},
        **who,
    }


def identify(user: str | None, browser: str | None = None, **traits: object) -> Body:
    return {"type": "identify", "userId": user, "anonymousId": browser, "traits": traits}


def test_a_browsers_past_becomes_the_customers_on_identify(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop()
    shop.send(view("p1", anonymousId="a"), order("p2", anonymousId="a"))
    shop.send(identify("u", "a"), view("p3", userId="u"))
    known = shop.customer("u")
    assert shop.names(known) == ["web:m4", "web:m2", "web:m1"]
    other = make_shop()
    other.send(view("p1", userId="u"), order("p2", userId="u"))
    other.send(identify("u"), view("p3", userId="u"))
    assert shop.rows(known) == other.rows(other.customer("u"))
    with shop.store.read() as tx:
        [told] = list_merges(tx, known)
        assert (told.rule, told.kind) == ("alias", "anonymous")
        assert [k.kind for k in list_identifiers(tx, known)] == ["user_id", "anonymous"]
    [merged] = shop.store.log.read(names=["Customers Merged"])
    assert merged.properties["kept"] == known


def test_an_alias_joins_a_browser_of_before(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop()
    shop.send(view("p1", anonymousId="a"))
    shop.send({"type": "alias", "userId": "u", "previousId": "a"})
    assert shop.names(shop.customer("u")) == ["web:m1"]


def test_two_identified_people_are_never_merged(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop()
    shop.send(identify("u1", email="one@x.example"), identify("u2", email="one@x.example"))
    shop.send({"type": "alias", "userId": "u1", "previousId": "u2"})
    assert shop.customer("u1") != shop.customer("u2")
    assert shop.customer("one@x.example") == shop.customer("u1")
    with shop.store.read() as tx:
        assert count_refusals(tx, since=NOW - timedelta(hours=1)) == {
            ("two_identified", "email"): 1,
            ("two_identified", "user_id"): 1,
        }


def test_an_address_from_an_order_is_the_customer_who_later_names_it(
    make_shop: Callable[..., Shop],
) -> None:
    shop = make_shop()
    shop.send(identify(None, email="ada@x.example"))
    before = shop.customer("ada@x.example")
    shop.send(identify("u1", email="Ada@X.example"))
    assert shop.customer("u1") == shop.customer("ada@x.example")
    assert before in (shop.customer("u1"), before)


def test_a_shared_browser_is_split_by_the_next_login(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop()
    shop.send(view("p1", anonymousId="a"), identify("u1", "a"), view("p2", anonymousId="a"))
    shop.send(identify("u2", "a"), view("p3", anonymousId="a"))
    assert shop.names(shop.customer("u1")) == ["web:m3", "web:m1"]
    assert shop.names(shop.customer("u2")) == ["web:m5"]


def test_after_a_log_out_the_browser_is_somebody_elses(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop()
    shop.send(identify("u1", "a"), view("p1", anonymousId="a"))
    shop.send({"type": "track", "event": "Logged Out", "userId": "u1", "anonymousId": "a"})
    [outcome] = shop.send(view("p2", anonymousId="a"))
    assert outcome.customer != shop.customer("u1")
    shop.send(identify("u2", "a"))
    assert shop.names(shop.customer("u2")) == ["web:m4"]
    assert shop.names(shop.customer("u1")) == ["web:m3", "web:m2"]


@pytest.mark.parametrize(("times", "own"), [(7, True), (40, False)])
def test_who_logs_out_often_keeps_the_browser_within_bounds(
    times: int, own: bool, make_shop: Callable[..., Shop]
) -> None:
    shop = make_shop()
    for _ in range(times):
        shop.send(identify("u", "a"), view("p1", anonymousId="a"))
        shop.send({"type": "track", "event": "Logged Out", "userId": "u", "anonymousId": "a"})
    outcomes = shop.send(identify("u", "a"), view("p2", anonymousId="a"))
    assert (outcomes[1].customer == shop.customer("u")) is own
    with shop.store.read() as tx:
        assert len(list_identifiers(tx, shop.customer("u"))) <= 1 + 31


def test_an_undone_merge_restores_both_and_does_not_come_back(
    make_shop: Callable[..., Shop],
) -> None:
    shop = make_shop()
    shop.send(view("p1", anonymousId="a"), view("p2", userId="u"), order("p3", userId="u"))
    before = shop.state()
    shop.send(identify("u", "a"))
    with shop.store.read() as tx:
        [told] = list_merges(tx, shop.customer("u"))
    undone = undo_merge(shop.store, told.id)
    assert undone.undone_at == NOW
    assert shop.state() == before
    shop.send(view("p9", userId="u", anonymousId="a"), view("p8", anonymousId="a"))
    assert shop.names(shop.customer("u"))[0] == "web:m5"
    with shop.store.read() as tx:
        assert ("kept_apart", "anonymous") in count_refusals(tx, since=NOW - timedelta(hours=1))
    with pytest.raises(Conflict, match="already"):
        undo_merge(shop.store, told.id)
    with pytest.raises(InvalidInput, match="no merge 99"):
        undo_merge(shop.store, 99)


def test_a_merge_bomb_is_stopped_and_reported(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop()
    for start in range(0, 3000, 500):
        shop.send(*(view("p", userId="u", anonymousId=f"a{n}") for n in range(start, start + 500)))
    with shop.store.read() as tx:
        assert len(list_identifiers(tx, shop.customer("u"))) == 1 + 5
        assert count_refusals(tx, since=NOW - timedelta(hours=1)) == {("limit", "anonymous"): 2995}
    for start in range(0, 1000, 500):
        shop.send(*(view("p", userId=f"v{n}", anonymousId="z") for n in range(start, start + 500)))
    with shop.store.read() as tx:
        refused = count_refusals(tx, since=NOW - timedelta(hours=1))
        assert refused["shared_browser", "anonymous"] == 1000 - 1 - 5


def test_a_browser_of_long_ago_does_not_count_against_the_limit(
    make_shop: Callable[..., Shop],
) -> None:
    shop = make_shop(browsers=1)
    shop.send(view("p", userId="u", anonymousId="a1"))
    shop.clock.advance(timedelta(days=8))
    shop.send(view("p", userId="u", anonymousId="a2"))
    with shop.store.read() as tx:
        assert [k.value for k in list_identifiers(tx, shop.customer("u"))] == ["u", "a1", "a2"]


@pytest.mark.parametrize("value", ["null", "0", "anonymous"])
def test_a_placeholder_joins_nobody(value: str, make_shop: Callable[..., Shop]) -> None:
    shop = make_shop()
    shop.send(identify("u1", value), identify("u2", value))
    with shop.store.read() as tx:
        assert [k.kind for k in list_identifiers(tx, shop.customer("u1"))] == ["user_id"]


PERSONS = 3
Action = tuple[str, int, int]
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["browse", "browse", "buy", "track", "identify", "alias"]),
        st.integers(0, PERSONS - 1),
        st.integers(0, 2),
    ),
    min_size=4,
    max_size=25,
)


def play(actions: Sequence[Action], *, one_name: bool) -> list[Body]:
    """What each person does with three browsers of their own, and at the end they all log in.

    With ``one_name`` everything comes under the person's user id from the start.
    """
    bodies: list[Body] = []
    everything = [*actions, *(("identify", p, b) for p in range(PERSONS) for b in range(3))]
    for verb, person, browser in everything:
        user, anonymous = f"u{person}", f"a{person}-{browser}"
        alone = {"userId": user} if one_name else {"anonymousId": anonymous}
        if verb == "browse":
            bodies.append(view(f"p{browser}", **alone))
        elif verb == "buy":
            bodies.append(order(f"p{browser}", **alone))
        elif verb == "track":
            both: Body = (
                {"userId": user} if one_name else {"userId": user, "anonymousId": anonymous}
            )
            bodies.append(view(f"q{browser}", **both))
        elif verb == "identify":
            bodies.append(identify(user, None if one_name else anonymous))
        else:
            previous = user if one_name else anonymous
            bodies.append({"type": "alias", "userId": user, "previousId": previous})
    return bodies


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ACTIONS, st.lists(st.integers(1, 6), min_size=1, max_size=40))
def test_after_a_merge_it_is_as_if_it_had_always_been_one_person(
    make_shop: Callable[..., Shop], actions: list[Action], sizes: list[int]
) -> None:
    merged, single = make_shop(), make_shop()
    bodies = play(actions, one_name=False)
    while bodies:  # in batches of any size
        size = sizes[len(bodies) % len(sizes)]
        merged.send(*bodies[:size])
        bodies = bodies[size:]
    single.send(*play(actions, one_name=True))
    for person in range(PERSONS):
        one, other = merged.customer(f"u{person}"), single.customer(f"u{person}")
        assert merged.rows(one) == single.rows(other)
        assert merged.names(one) == single.names(other)
    with merged.store.read() as tx:
        count = sa.select(sa.func.count()).select_from(event).where(event.c.subject.is_(None))
        assert tx.execute(count).scalar_one() == 0
        told = [each for p in range(PERSONS) for each in list_merges(tx, merged.customer(f"u{p}"))]
    assert all(each.undone_at is None for each in told)
