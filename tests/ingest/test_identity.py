"""Customers found by what they go by, and customers of two roads who are one."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from ingest.merging_shop import MakeShop, identify, view
from lingxi.errors import UnknownCustomer
from lingxi.ingest import ImportOptions, customer_ids, import_orders, search_customers
from lingxi.ingest.merging import list_identifiers
from lingxi.profiles.tables import customer_profile
from lingxi.store.tables import identity


@pytest.mark.parametrize(
    "text", ["+44 20 7946 0018", "+44 (0)20 7946-0018", "0044 20 79460018", "+442079460018"]
)
def test_a_customer_is_found_by_phone_however_it_is_written(text: str, make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.send(identify("u1", phone="+44 (0) 20 7946 0018"), identify("u2", phone="+4420794600"))
    assert shop.customer(text) == shop.customer("u1")
    with shop.store.read() as tx:
        assert search_customers(shop.store, tx, text) == {shop.customer("u1"): "u1"}
    with pytest.raises(UnknownCustomer):
        shop.customer("+44 20 7946 0019")


def test_a_number_without_a_country_is_the_shops(make_shop: MakeShop) -> None:
    shop = make_shop(calling_code="44")
    shop.send(identify("u1", phone="020 7946 0018"), identify("u2", phone="+33 1 70 18 99 00"))
    assert shop.customer("+44 20 7946 0018") == shop.customer("u1")
    assert shop.customer("(020) 7946-0018") == shop.customer("u1")
    assert shop.customer("0033 170189900") == shop.customer("u2")


def test_an_id_of_the_shop_goes_before_a_phone_number(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.send(identify("u1", phone="5550123"), view("p", userId="5550123"))
    assert shop.customer("5550123") != shop.customer("u1")
    assert shop.customer("555-0123") == shop.customer("u1")


def test_a_customer_known_by_phone_alone_is_found_by_their_label(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.send(identify(None, phone="+442079460018"))
    customer = shop.customer("+442079460018")
    with shop.store.read() as tx:
        label = customer_ids(tx, [customer])[customer]
    assert label == f"phone-{customer}"
    assert shop.customer(label) == customer


def test_a_phone_number_is_kept_only_as_a_keyed_hash(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.send(identify("u1", phone="+442079460018"))
    shop.store.close()
    for path in shop.store.folder.rglob("*"):
        if path.is_file():
            assert b"2079460018" not in path.read_bytes(), path


def test_who_ordered_by_address_alone_and_then_logs_in_is_one_customer(
    make_shop: MakeShop,
) -> None:
    shop = make_shop()
    file = shop.store.folder / "orders.csv"
    file.write_text(
        "order,email,item,quantity,price,date\n"
        "1,Ann@Example.com,A,1,10,2024-01-05\n"
        "2,ann@example.com,B,2,7,2024-02-05\n"
        "3,bob@example.com,A,1,10,2024-02-06\n",
        encoding="utf-8",
    )
    import_orders(shop.store, shop.store.settings, shop.clock, file, ImportOptions.parse())
    before = shop.customer("ann@example.com")
    shop.send(view("C", anonymousId="a"))
    shop.send(identify("u1", "a", email=" ANN@example.com"), view("A", userId="u1"))
    ann = shop.customer("u1")
    assert {shop.customer("ann@example.com"), shop.customer(f"email-{before}")} == {ann}
    assert shop.names(ann) == ["web:m3", "web:m1", "order:2", "order:1"]
    with shop.store.read() as tx:
        known = sa.select(sa.func.count(sa.distinct(identity.c.customer))).where(identity.c.known)
        assert tx.execute(known).scalar_one() == 2
        profiles = {
            row.customer: row.orders for row in tx.execute(sa.select(customer_profile)).all()
        }
        kinds = [each.kind for each in list_identifiers(tx, ann)]
    assert profiles == {ann: 2, shop.customer("bob@example.com"): 1}
    assert kinds == ["user_id", "email", "anonymous"]
    shop.clock.advance(timedelta(days=1))  # and a later file adds to the same customer
    file.write_text(
        "order,email,item,quantity,price,date\n4,ANN@example.com,B,1,7,2024-03-05\n",
        encoding="utf-8",
    )
    import_orders(shop.store, shop.store.settings, shop.clock, file, ImportOptions.parse())
    assert shop.names(ann)[2] == "order:4"
