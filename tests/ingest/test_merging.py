"""Who is who: merges, their limits, shared browsers, undoing."""

from datetime import timedelta

import pytest

from ingest.merging_shop import NOW, MakeShop, identify, order, view
from lingxi.errors import Conflict, InvalidInput
from lingxi.ingest.merging import (
    count_refusals,
    list_identifiers,
    list_merges,
    list_refusals,
    undo_merge,
)


def test_a_browsers_past_becomes_the_customers_on_identify(make_shop: MakeShop) -> None:
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


def test_an_alias_joins_a_browser_of_before(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.send(view("p1", anonymousId="a"))
    shop.send({"type": "alias", "userId": "u", "previousId": "a"})
    assert shop.names(shop.customer("u")) == ["web:m1"]


def test_two_identified_people_are_never_merged(make_shop: MakeShop) -> None:
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
    make_shop: MakeShop,
) -> None:
    shop = make_shop()
    shop.send(identify(None, email="ada@x.example"))
    before = shop.customer("ada@x.example")
    shop.send(identify("u1", email="Ada@X.example"))
    assert shop.customer("u1") == shop.customer("ada@x.example")
    assert before in (shop.customer("u1"), before)


def test_a_shared_browser_is_split_by_the_next_login(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.send(view("p1", anonymousId="a"), identify("u1", "a"), view("p2", anonymousId="a"))
    shop.send(identify("u2", "a"), view("p3", anonymousId="a"))
    assert shop.names(shop.customer("u1")) == ["web:m3", "web:m1"]
    assert shop.names(shop.customer("u2")) == ["web:m5"]


def test_after_a_log_out_the_browser_is_somebody_elses(make_shop: MakeShop) -> None:
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
    times: int, own: bool, make_shop: MakeShop
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
    make_shop: MakeShop,
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


def test_a_merge_bomb_is_stopped_and_reported(make_shop: MakeShop) -> None:
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
        assert refused["no_login", "anonymous"] == 1000 - 1
        assert len(list_refusals(tx, customer=shop.customer("u"))) == 1
    for start in range(0, 1000, 500):
        shop.send(*(identify(f"v{n}", "y") for n in range(start, start + 500)))
    with shop.store.read() as tx:
        refused = count_refusals(tx, since=NOW - timedelta(hours=1))
        assert refused["shared_browser", "anonymous"] == 1000 - 1 - 5


def test_a_browser_of_long_ago_does_not_count_against_the_limit(
    make_shop: MakeShop,
) -> None:
    shop = make_shop(browsers=1)
    shop.send(view("p", userId="u", anonymousId="a1"))
    shop.clock.advance(timedelta(days=8))
    shop.send(view("p", userId="u", anonymousId="a2"))
    with shop.store.read() as tx:
        assert [k.value for k in list_identifiers(tx, shop.customer("u"))] == ["u", "a1", "a2"]


@pytest.mark.parametrize("value", ["null", "0", "anonymous"])
def test_a_placeholder_joins_nobody(value: str, make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.send(identify("u1", value), identify("u2", value))
    with shop.store.read() as tx:
        assert [k.kind for k in list_identifiers(tx, shop.customer("u1"))] == ["user_id"]


def test_an_ordinary_event_with_both_ids_joins_them_and_says_so(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.send(view("p1", anonymousId="a"), view("p2", userId="u"))
    shop.send(view("p3", userId="u", anonymousId="a"))
    with shop.store.read() as tx:
        [told] = list_merges(tx, shop.customer("u"))
    assert (told.rule, told.kind) == ("together", "anonymous")
    assert shop.names(shop.customer("u")) == ["web:m3", "web:m2", "web:m1"]


def test_an_ordinary_event_does_not_take_a_browser_from_its_customer(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.send(identify("u1", "a"), identify("u2", "b"))
    shop.send(view("p1", userId="u2", anonymousId="a"), view("p2", anonymousId="a"))
    assert shop.names(shop.customer("u2")) == ["web:m3"]
    assert shop.names(shop.customer("u1")) == ["web:m4"]
    with shop.store.read() as tx:
        [refused] = list_refusals(tx, customer=shop.customer("u1"))
    assert (refused.rule, refused.kind, refused.n) == ("no_login", "anonymous", 1)
    assert refused.customer == shop.customer("u2")


def test_a_browser_of_too_many_customers_is_nobodys(make_shop: MakeShop) -> None:
    shop = make_shop(browsers=2)
    for number in range(4):  # three may have it, one after the other
        shop.send(identify(f"u{number}", "a"), view("p1", anonymousId="a"))
    stranger = shop.send(view("p2", anonymousId="a"))[0].customer
    named = {shop.customer(f"u{number}") for number in range(4)}
    assert stranger not in named
    assert shop.names(shop.customer("u2")) == ["web:m6"]
    shop.send(identify("u4", "a"), view("p3", userId="u4", anonymousId="a"))
    assert shop.send(view("p4", anonymousId="a"))[0].customer == stranger
    with shop.store.read() as tx:
        [refused] = list_refusals(tx, customer=shop.customer("u3"))
        assert (refused.rule, refused.other) == ("shared_browser", shop.customer("u2"))
    shop.clock.advance(timedelta(days=8))  # the week is over: the next to log in has it
    shop.send(identify("u5", "a"), view("p5", anonymousId="a"))
    assert shop.names(shop.customer("u5")) == ["web:m14"]
    assert stranger is not None
    assert shop.names(stranger) == ["web:m12", "web:m9", "web:m8"]


def test_ids_in_too_many_systems_are_refused(make_shop: MakeShop) -> None:
    shop = make_shop(systems=2, externals=2)

    def known_in(user: str, *systems: str) -> None:
        ids = [{"id": f"{user}-{n}", "type": each} for n, each in enumerate(systems)]
        shop.send(view("p", userId=user, context={"externalIds": ids}))

    known_in("u1", "shopify", "shopify", "crm", "till", "crm")
    shop.send(view("p", anonymousId="a", context={"externalIds": [{"id": "1", "type": "post"}]}))
    shop.send(identify("u1", "a"))
    with shop.store.read() as tx:
        known = [k.value for k in list_identifiers(tx, shop.customer("u1")) if k.kind == "external"]
        assert sorted(known) == ["crm:u1-2", "crm:u1-4", "shopify:u1-0", "shopify:u1-1"]
        told = {(r.rule, r.kind, r.masked): r.n for r in list_refusals(tx)}
    assert told == {
        ("systems", "external", "till:u•••"): 1,
        ("systems", "anonymous", "a•••"): 1,
    }


def test_ids_of_two_systems_are_never_taken_for_one(make_shop: MakeShop) -> None:
    shop = make_shop()
    for user, space, value in (("u1", "a:b", "c"), ("u2", "a", "b:c")):
        ids = [{"id": value, "type": space}]
        shop.send(view("p", userId=user, context={"externalIds": ids}))
    with shop.store.read() as tx:
        assert list_refusals(tx) == []


@pytest.mark.parametrize("mark", ["~", "\x1f"])
def test_a_browser_cannot_be_named_like_the_past_of_another(mark: str, make_shop: MakeShop) -> None:
    shop = make_shop()
    [first] = shop.send(view("p1", anonymousId="x"))
    forged = f"x{mark}{first.subject}"
    shop.send(identify("u1", forged), identify("u2", "x"))
    shop.send({"type": "track", "event": "Logged Out", "userId": "u2", "anonymousId": "x"})
    shop.send(view("p2", anonymousId=forged), view("p3", anonymousId="x"))
    assert shop.names(shop.customer("u1")) == ["web:m5"]
    assert shop.names(shop.customer("u2")) == ["web:m4", "web:m1"]
    with shop.store.read() as tx:
        shown = [k.value for k in list_identifiers(tx, shop.customer("u2"))]
    assert shown == ["u2", "x"]


def test_who_logs_in_again_on_their_own_browser_needs_no_room_for_another(
    make_shop: MakeShop,
) -> None:
    shop = make_shop(browsers=1)
    shop.send(identify("u", "a"))
    shop.send({"type": "track", "event": "Logged Out", "userId": "u", "anonymousId": "a"})
    shop.send(view("p1", anonymousId="a"), identify("u", "a"))
    assert shop.names(shop.customer("u")) == ["web:m3", "web:m2"]


def test_a_browser_handed_over_counts_against_the_limit(make_shop: MakeShop) -> None:
    shop = make_shop(browsers=1)
    shop.send(identify("u1", "a"), identify("u2", "b"))
    [_, outcome] = shop.send(identify("u2", "a"), view("p1", anonymousId="a"))
    assert outcome.customer not in (shop.customer("u1"), shop.customer("u2"))
    with shop.store.read() as tx:
        [refused] = list_refusals(tx)
        assert (refused.rule, refused.customer) == ("limit", shop.customer("u2"))
        assert [k.value for k in list_identifiers(tx, shop.customer("u2"))] == ["u2", "b"]
