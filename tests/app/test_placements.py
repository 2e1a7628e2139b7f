"""Placements of a shop in use: the file, versions, lists in the log, consent, previews."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from demo_shop import DEMO_END
from lingxi.access.audit import list_audit
from lingxi.app.placements.desk import seed_of
from lingxi.app.placements.request import Ask
from lingxi.app.placements.telling import describe
from lingxi.app.shop import Shop
from lingxi.catalogue import get_items, put_items
from lingxi.clock import FixedClock
from lingxi.errors import Conflict, InvalidInput, UnknownPlacement
from lingxi.i18n import LANGUAGES, Translator
from lingxi.ingest import find_customer
from lingxi.profiles import read_history
from lingxi.recommend.placements.defaults import DEFAULTS
from lingxi.recommend.placements.definition import (
    Do,
    Exploration,
    Filters,
    Placement,
    Rule,
    Strategy,
)
from lingxi.schema import Event, Item, Line, Name

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "placements.toml"


@pytest.fixture(scope="module")
def module_shop(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("placements") / "shop"
    shutil.copytree(demo_folder, folder)
    shop = Shop.open(folder, clock=FixedClock(DEMO_END))
    yield shop
    shop.close()


@pytest.fixture
def shop(module_shop: Shop) -> Iterator[Shop]:
    yield module_shop
    module_shop.answers.placements.book.path.unlink(missing_ok=True)


@pytest.fixture
def customer_id(shop: Shop) -> str:
    return shop.answers.customers(sort="-orders", n=1).rows[0].customer_id


def write(shop: Shop, text: str) -> None:
    shop.answers.placements.book.path.write_text(text, encoding="utf-8")


def ids(view) -> list[str]:
    return [item.item_id for item in view.items]


def served(shop: Shop) -> list[Event]:
    shop.served.flush()
    return shop.store.log.read(names=[Name.RECOMMENDATIONS_SERVED.value])


def test_the_file_counts_from_the_next_request_on(shop: Shop, customer_id: str) -> None:
    desk, ask = shop.answers.placements, Ask(customer_id=customer_id)
    write(shop, "[placements.wall]\nn = 12\n")
    before = desk.recommend("wall", ask, log=False)
    write(shop, "[placements.wall]\nn = 3\n")
    assert ids(desk.recommend("wall", ask, log=False)) == ids(before)[:3]
    write(
        shop,
        "[placements.wall]\nn = 3\n[[placements.wall.rules]]\nname = 'no'\ndo = 'exclude'\n"
        f"items = ['{ids(before)[0]}']\n",
    )
    assert ids(desk.recommend("wall", ask, log=False)) == ids(before)[1:4]


def test_a_broken_file_is_told_and_the_last_good_one_goes_on(shop: Shop) -> None:
    book = shop.answers.placements.book
    write(shop, "[placements.home]\nn = 3\n")
    assert book.get().get("home").n == 3
    write(shop, "[placements.home]\nm = 4\n")
    assert book.get().get("home").n == 3
    assert "unknown setting 'm'" in book.problem
    with pytest.raises(InvalidInput, match="unknown setting 'm'"):
        book.put("cart", Placement(n=2), actor="user:lin")
    write(shop, "[placements.home]\nn = 5\n")
    assert (book.get().get("home").n, book.problem) == (5, "")


def test_the_example_makes_a_list_for_each_placement(shop: Shop, customer_id: str) -> None:
    write(shop, EXAMPLE.read_text(encoding="utf-8"))
    desk = shop.answers.placements
    item_id = ids(desk.recommend("home", Ask(customer_id=customer_id), log=False))[0]
    for name in desk.book.get().placements:
        if name not in ("search", "offers"):
            ask = Ask(customer_id=customer_id, item_id=item_id, cart=(item_id,))
            view = desk.recommend(name, ask, explain=True, log=False)
            assert view.items, name
            assert item_id not in ids(view)
            for item in view.items:
                parts = sum(cause.contribution for cause in item.causes)
                assert parts == pytest.approx(item.score, abs=1e-6) or not item.causes
                for language in LANGUAGES:
                    words = Translator(language)
                    assert words.text(item.why)
                    assert all(words.text(step.sentence) for step in item.steps)


def test_versions_remember_who_and_by_hand_and_can_be_restored(shop: Shop) -> None:
    book = shop.answers.placements.book
    write(shop, "# ours\n[placements.email]\nn = 2\n")
    first = book.put("email", Placement(n=4), actor="user:lin", note="shorter")
    versions = book.versions("email")
    assert [each.actor for each in versions[:2]] == ["user:lin", "file"]
    assert versions[0].note == "shorter"
    assert "n = 2" in versions[1].text
    assert book.path.read_text().startswith("# ours\n[placements.email]\n")
    book.restore("email", versions[1].version, actor="user:ada")
    assert book.get().get("email").n == 2
    assert book.versions("email")[0].base == versions[1].version
    book.remove("email", actor="user:ada")
    assert book.get().get("email") == DEFAULTS["email"]
    assert book.path.read_text() == "# ours\n"
    book.restore("email", first, actor="user:ada")
    assert book.get().get("email").n == 4
    with shop.store.read() as tx:
        entry = list_audit(tx, n=1)[0]
    assert (entry.actor, entry.action) == ("user:ada", "put_placement")
    assert entry.target.startswith("email version ")
    with pytest.raises(UnknownPlacement, match="no version 999"):
        book.restore("email", 999, actor="user:ada")


def test_two_writers_do_not_overwrite_each_other(shop: Shop) -> None:
    book = shop.answers.placements.book
    seen = describe(book, "cart").mark
    book.put("cart", Placement(n=3), actor="user:lin", expected=seen)
    with pytest.raises(Conflict, match="changed meanwhile, by user:lin"):
        book.put("cart", Placement(n=5), actor="user:ada", expected=seen)
    assert book.get().get("cart").n == 3


def test_a_file_that_cannot_be_rewritten_safely_is_left_alone(shop: Shop) -> None:
    book = shop.answers.placements.book
    text = "placements = {home = {n = 3}}\n"
    write(shop, text)
    with pytest.raises((Conflict, InvalidInput)):
        book.put("home", Placement(n=5), actor="user:ada")
    assert book.path.read_text() == text


def test_a_placement_of_ones_own_is_made_and_gone_again(shop: Shop) -> None:
    book = shop.answers.placements.book
    book.put("wall", Placement(strategy=Strategy.POPULAR, n=2), actor="user:lin")
    assert len(shop.answers.placements.recommend("wall", Ask(), log=False).items) == 2
    book.remove("wall", actor="user:lin")
    with pytest.raises(UnknownPlacement):
        shop.answers.placements.recommend("wall", Ask())


def test_a_list_that_is_shown_is_in_the_log_with_its_positions(
    shop: Shop, customer_id: str
) -> None:
    desk, count = shop.answers.placements, len(served(shop))
    desk.recommend("home", Ask(customer_id=customer_id), log=False)
    assert len(served(shop)) == count
    view = desk.recommend("home", Ask(customer_id=customer_id))
    event = served(shop)[-1]
    assert event.event_id == f"list:{view.list_id}"
    assert [line.item_id for line in event.lines] == ids(view)
    assert event.properties["placement"] == "home"
    assert event.properties["propensities"] == " ".join(["1.0"] * len(view.items))
    with shop.store.read() as tx:
        assert event.subject == find_customer(tx, customer_id)


def test_an_explored_list_is_committed_before_it_is_shown_and_can_be_drawn_again(
    shop: Shop, customer_id: str
) -> None:
    book, desk = shop.answers.placements.book, shop.answers.placements
    home = msgspec.structs.replace(
        DEFAULTS["home"], exploration=Exploration(share=0.5, first_position=2)
    )
    book.put("home", home, actor="test")
    view = desk.recommend("home", Ask(customer_id=customer_id))
    event = shop.store.log.read(names=[Name.RECOMMENDATIONS_SERVED.value])[-1]  # not flushed
    assert event.event_id == f"list:{view.list_id}"
    logged = [float(part) for part in str(event.properties["propensities"]).split()]
    assert logged == [item.propensity for item in view.items]
    places = [item.position for item in view.items if item.explored]
    assert str(event.properties.get("explored", "")) == " ".join(map(str, places))
    assert view.items[0].propensity == 1.0
    assert all(item.propensity < 1.0 for item in view.items[1:])
    assert seed_of(view.list_id) == seed_of(view.list_id)
    looked = desk.recommend("home", Ask(customer_id=customer_id), log=False)
    assert not any(item.explored for item in looked.items)


def test_what_is_shown_is_no_sign_of_life(shop: Shop, customer_id: str) -> None:
    with shop.store.read() as tx:
        customer = find_customer(tx, customer_id)
        before = read_history(tx, customer, 1000)
    shop.answers.placements.recommend("home", Ask(customer_id=customer_id))
    shop.served.flush()
    with shop.store.read() as tx:
        assert read_history(tx, customer, 1000) == before


def test_what_was_shown_in_vain_is_left_out_until_it_is_looked_at(shop: Shop) -> None:
    desk = shop.answers.placements
    customer_id = shop.answers.customers(sort="-orders", n=2).rows[1].customer_id
    placement = msgspec.structs.replace(DEFAULTS["email"], filters=Filters(ignored_after=2))
    desk.book.put("email", placement, actor="test")
    ask = Ask(customer_id=customer_id)
    first = ids(desk.recommend("email", ask))
    shop.served.flush()
    assert ids(desk.recommend("email", ask)) == first
    shop.served.flush()
    third = ids(desk.recommend("email", ask, log=False))
    assert not set(first) & set(third)
    told = desk.why_not("email", ask, first[0])
    assert told.reasons == ("ignored",)
    with shop.store.read() as tx:
        customer = find_customer(tx, customer_id)
    later = DEMO_END + timedelta(seconds=1)
    shop.store.log.append(
        [
            Event(
                event_id="looked",
                name=Name.PRODUCT_VIEWED.value,
                occurred_at=later,
                received_at=later,
                subject=customer,
                lines=(Line(first[0]),),
            )
        ]
    )
    assert desk.why_not("email", ask, first[0]).verdict == "shown"


def test_an_event_and_a_change_of_the_catalogue_count_in_the_next_list(shop: Shop) -> None:
    desk = shop.answers.placements
    ask = Ask(history=("no-such-item",))
    top = ids(desk.recommend("home", ask, log=False))[0]
    with shop.store.write() as tx:
        item = get_items(tx, [top])[top]
        put_items(shop.store, tx, [msgspec.structs.replace(item, stock=0)], DEMO_END)
    assert top not in ids(desk.recommend("home", ask, log=False))
    assert desk.why_not("home", ask, top).reasons == ("out_of_stock",)
    offer = Item(
        item_id="OFFER-1",
        name="Ten percent off",
        category="Candles",
        attributes={"kind": "offer"},
    )
    with shop.store.write() as tx:
        put_items(shop.store, tx, [item, offer], DEMO_END)
    assert top in ids(desk.recommend("home", ask, log=False))
    assert ids(desk.recommend("offers", ask, log=False)) == ["OFFER-1"]
    assert desk.why_not("home", ask, "OFFER-1").reasons == ("kind",)


def test_who_refused_personalisation_is_served_as_a_stranger(shop: Shop, customer_id: str) -> None:
    strict = Shop(
        replace(shop.settings, consent=replace(shop.settings.consent, personalisation="required")),
        shop.store,
        shop.clock,
    )
    view = strict.answers.placements.recommend("home", Ask(customer_id=customer_id))
    assert (view.known, view.personalised) == (True, False)
    assert {item.source for item in view.items} <= {"popular", "new_arrivals"}
    strict.served.flush()
    assert served(shop)[-1].subject is None


def test_a_browser_is_known_by_its_events(shop: Shop) -> None:
    desk = shop.answers.placements
    with shop.store.read() as tx:
        from sqlalchemy import select

        from lingxi.ingest.tables import identifier

        query = select(identifier.c.value).where(identifier.c.kind == "anonymous").limit(1)
        browser = tx.execute(query).scalar_one()
    assert desk.recommend("home", Ask(anonymous_id=browser), log=False).known
    assert not desk.recommend("home", Ask(anonymous_id="new-browser"), log=False).known


def test_an_experiment_splits_by_customer_and_says_so(shop: Shop) -> None:
    write(
        shop,
        "[placements.home]\nn = 4\n[placements.home.experiment]\nname = 'x'\nshare = 0.5\n"
        "[placements.home.experiment.variant]\nn = 2\n",
    )
    desk = shop.answers.placements
    lengths = {}
    for row in shop.answers.customers(n=40).rows:
        view = desk.recommend("home", Ask(customer_id=row.customer_id))
        again = desk.recommend("home", Ask(customer_id=row.customer_id), log=False)
        assert view.arm == again.arm
        lengths.setdefault(view.arm, set()).add(len(view.items))
    assert lengths == {"a": {4}, "b": {2}}
    assert served(shop)[-1].properties["experiment"] == "x"
    assert served(shop)[-1].properties["arm"] in ("a", "b")
    nobody = desk.recommend("home", Ask())
    assert (nobody.arm, len(nobody.items)) == (None, 4)
    assert desk.recommend("home", Ask(anonymous_id="someone")).arm in ("a", "b")
    assert len(desk.recommend("home", Ask(), log=False, arm="b").items) == 2


def test_a_preview_counts_what_enters_and_leaves_and_changes_nothing(shop: Shop) -> None:
    desk = shop.answers.placements
    plain = Placement(n=12)
    desk.book.put("wall", plain, actor="test")
    before = desk.recommend("wall", Ask(), log=False)
    gone = ids(before)[0]
    draft = msgspec.structs.replace(plain, rules=(Rule(name="no", do=Do.EXCLUDE, items=(gone,)),))
    view = desk.preview("wall", draft, sample=30, show=2)
    assert view.sample == 30
    assert [each.item_id for each in view.leaving] == [gone]
    lost = view.leaving[0].lists
    assert lost == sum(each.lists for each in view.entering)
    assert view.changed == lost
    assert view.kept_share == pytest.approx(1 - lost / (30 * 12))
    assert len(view.lists) == min(2, lost)
    assert all(gone in pair.before and gone not in pair.after for pair in view.lists)
    assert desk.preview("wall", draft, sample=30, show=2) == view
    same = desk.preview("wall", plain, asks=(Ask(), Ask(history=("x",))))
    assert (same.sample, same.changed, same.kept_share) == (2, 0, 1.0)
    assert ids(desk.recommend("wall", Ask(), log=False)) == ids(before)
    new = desk.preview("door", Placement(strategy=Strategy.POPULAR, n=3), sample=4)
    assert (new.changed, new.kept_share) == (4, 1.0)


@pytest.mark.parametrize(
    ("ask", "problem"),
    [
        (Ask(history=("a",) * 101), "history holds 101 items"),
        (Ask(candidates=("a",) * 1001), "candidates holds 1001 items"),
        (Ask(n=0), "n must be between"),
        (Ask(country="UK1"), "country must be two letters"),
        (Ask(age=131), "age must be between"),
        (Ask(cart=("",)), "An item id is"),
        (Ask(bought=("",)), "An item id is"),
        (Ask(bought=("a",) * 101), "bought holds 101 items"),
        (Ask(item_id="a\x00"), "An item id is"),
        (Ask(category="x" * 201), "category must be"),
        (Ask(category=" > "), "category must be"),
    ],
)
def test_a_request_that_cannot_be_is_refused(shop: Shop, ask: Ask, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        shop.answers.placements.recommend("home", ask)


def test_lists_are_the_same_from_many_threads(shop: Shop, customer_id: str) -> None:
    desk, ask = shop.answers.placements, Ask(customer_id=customer_id)
    expected = ids(desk.recommend("home", ask, log=False))
    found: list[list[str]] = []
    threads = [
        threading.Thread(
            target=lambda: found.extend(
                ids(desk.recommend("home", ask, log=False)) for _ in range(5)
            )
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 20
