"""Names as people and programs write them: addresses, numbers, what stands for nobody."""

from pathlib import Path

import pytest

from ingest.cleaned import send
from ingest.merging_shop import MakeShop, identify, order, view
from lingxi.app.shop import init_shop
from lingxi.ingest.cleaning.people import is_placeholder
from lingxi.ingest.emails import read_email
from lingxi.ingest.identity import blind_phone
from lingxi.ingest.message import Cleaned, IdKind
from lingxi.ingest.puts import _tidy_email

SAME = (
    "josé@exämple.com",
    "JOSE\u0301@EXA\u0308MPLE.COM",
    "<José@Exämple.com>",
    "José Pérez <josé@exämple.com>",
    "mailto:josé@exämple.com",
    "josé@xn--exmple-cua.com",
    "josé＠exämple.com",
    "josé@exämple.com.",
)


@pytest.mark.parametrize("written", SAME)
def test_an_address_is_one_however_it_is_written(make_shop: MakeShop, written: str) -> None:
    shop = make_shop()
    shop.send(identify("u", "a", email=SAME[0]))
    shop.send(view("p1", anonymousId="b"), identify(None, "b", email=written))
    assert shop.names(shop.customer("u")) == ["web:m2"]
    assert shop.customer(written) == shop.customer("u")


def test_an_address_in_a_file_is_read_as_one_in_a_message() -> None:
    assert {_tidy_email(written) for written in SAME} == {SAME[0]}
    assert _tidy_email("No Address") == "no address"


@pytest.mark.parametrize("text", ["<@>", "a@b", "<a b@c.de", "xn--@xn--.x y", "a@b.c,d@e.f"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert read_email(text) is None


def test_a_domain_that_cannot_be_spelt_out_stays() -> None:
    assert read_email("a@xn--\u00df.xn--0.example") is not None
    assert read_email("a@xn--99999999.example") == "a@xn--99999999.example"


def test_a_guests_order_with_an_address_is_whose_address_it_is(make_shop: MakeShop) -> None:
    """Their e-mail stood in the properties of the order, where Segment's own graph reads it."""
    shop = make_shop()
    bought = order("p1", anonymousId="a")
    assert isinstance(bought["properties"], dict)
    bought["properties"]["email"] = "Ada@Shop.Example"
    shop.send(bought, identify("u", "b", email="ada@shop.example"))
    assert shop.names(shop.customer("u")) == ["web:m1"]


def test_traits_in_the_context_of_a_page_name_the_person(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.send(identify("u", "a", email="ada@shop.example"))
    shop.send({**view("p1", anonymousId="b"), "context": {"traits": {"email": "ada@shop.example"}}})
    assert shop.names(shop.customer("u")) == ["web:m2"]


@pytest.mark.parametrize("name", ["Product Shared", "Friend Invited", "Gift Card Sent"])
def test_an_address_of_somebody_else_names_nobody(name: str) -> None:
    cleaned = send(
        {
            "type": "track",
            "event": name,
            "anonymousId": "a",
            "properties": {"email": "friend@shop.example", "product_id": "p"},
        }
    )
    assert isinstance(cleaned, Cleaned)
    assert [one.kind for one in cleaned.identifiers] == [IdKind.ANONYMOUS]


@pytest.mark.parametrize(
    "value",
    ["{{ customer.id }}", "%7B%7Bid%7D%7D", "${userId}", "<%= id %>", "*|UNIQID|*", "(not set)",
     "nil", "(none)", "no-reply", "noreply", "do_not_reply", "donotreply"],
)  # fmt: skip
def test_templates_and_words_for_nothing_identify_nobody(value: str) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize("value", ["17850", "nilsson", "emptyset", "reply", "norma", "a-{b}"])
def test_ids_that_resemble_them_identify(value: str) -> None:
    assert not is_placeholder(value)


def test_a_shop_knows_the_country_of_its_time_zone(tmp_path: Path) -> None:
    """Numbers written as one dials them at home were other people's than those with +44."""
    shop = init_shop(
        tmp_path / "s", name="S", currency="GBP", timezone="Europe/London", language="en"
    )
    assert blind_phone(shop.store, "02079460018") == blind_phone(shop.store, "+442079460018")
    shop.close()


def test_digits_in_their_order_are_no_phone_number(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.send(identify("u", "a", phone="1234567890"), view("p1", anonymousId="b"))
    shop.send(identify(None, "b", phone="123-456-7890"))
    assert shop.names(shop.customer("u")) == []


def test_a_user_id_that_is_an_address_is_that_address(make_shop: MakeShop) -> None:
    """Shops name their customers by their e-mail: a newsletter's reader was somebody else."""
    shop = make_shop()
    shop.send(view("p1", anonymousId="b"), identify(None, "b", email="ada@shop.example"))
    shop.send(view("p2", userId="Ada@Shop.Example"))
    assert shop.names(shop.customer("Ada@Shop.Example")) == ["web:m3", "web:m1"]
    assert shop.customer("ada@shop.example") == shop.customer("Ada@Shop.Example")
