"""Links say what they were made for, to nobody else's profit, and lead where they led before."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.errors import InvalidInput
from lingxi.messaging.email.links import Links
from lingxi.messaging.email.providers import provider_of
from lingxi.messaging.email.tokens import Purpose, Ticket, seal, seal_narrow, unseal, unseal_narrow
from lingxi.messaging.email.tracking import add_pixel, add_utm, is_target, rewrite_links

KEY = b"k" * 32
_HEX = "0123456789abcdef"
_TICKETS = st.builds(
    Ticket,
    st.sampled_from(list(Purpose)),
    st.text(_HEX, min_size=32, max_size=32),
    st.integers(0, 2**40 - 1),
    st.text(_HEX, min_size=10, max_size=10),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
)


@settings(max_examples=50)
@given(_TICKETS, st.sampled_from(list(Purpose)))
def test_a_ticket_is_good_for_its_own_purpose_and_key_only(ticket: Ticket, other: Purpose) -> None:
    word = seal(KEY, ticket)
    assert unseal(KEY, word, ticket.purpose) == ticket
    assert (unseal(KEY, word, other) is None) == (other != ticket.purpose)
    assert unseal(b"other" * 8, word, ticket.purpose) is None
    back = unseal_narrow(KEY, seal_narrow(KEY, ticket).upper())
    assert back is not None
    assert (back.message_id, back.customer, back.tag) == (
        ticket.message_id,
        ticket.customer,
        ticket.tag,
    )


@settings(max_examples=50)
@given(_TICKETS, st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_ticket_is_nobodys(ticket: Ticket, place: int, change: int) -> None:
    from base64 import urlsafe_b64decode, urlsafe_b64encode

    word = seal(KEY, ticket)
    raw = bytearray(urlsafe_b64decode(word + "=" * (-len(word) % 4)))
    raw[place % len(raw)] ^= change
    changed = urlsafe_b64encode(bytes(raw)).decode().rstrip("=")
    assert unseal(KEY, changed, *Purpose) is None


@pytest.mark.parametrize("word", ["", "a", "é", "=" * 80, "a" * 500, "\x00", "../..", "%00"])
def test_what_is_no_ticket_is_nobodys(word: str) -> None:
    assert unseal(KEY, word, *Purpose) is None
    assert unseal_narrow(KEY, word) is None


def test_a_ticket_needs_an_id_of_its_form() -> None:
    with pytest.raises(InvalidInput):
        seal(KEY, Ticket(Purpose.OPEN, "x", 1, "00" * 5))


def test_a_return_path_fits_into_a_local_part() -> None:
    path = Links(KEY, "https://m.example").return_path(
        "ab" * 16, 2**39, "cd" * 32, "bounces8", "r.example"
    )
    local, _, domain = path.partition("@")
    assert domain == "r.example"
    assert len(local) <= 64
    assert local == local.lower()


def _wrap(number: int, target: str) -> str:
    return f"https://m.example/c/{number}?{target}"


def test_web_links_go_round_and_all_else_stays() -> None:
    html = (
        '<a href="https://shop.example/a?x=1&amp;utm_source=me#top">a</a>'
        "<A class='b' HREF='http://shop.example/b'>b</A>"
        '<a href="mailto:hi@shop.example">m</a><a href="tel:1">t</a><a href="#x">x</a>'
        '<a href="https://m.example/mail/unsubscribe/abc">u</a>'
        '<a href="https://shop.example/c" data-untracked>c</a>'
        '<img src="https://shop.example/i.png"><link href="https://shop.example/s.css">'
        '<a href="javascript:alert(1)">j</a><a href="//other.example">o</a>'
    )
    made = rewrite_links(
        html, _wrap, keep=lambda url: "/mail/" in url, utm={"source": "lingxi", "medium": "email"}
    )
    assert made == html.replace(
        '"https://shop.example/a?x=1&amp;utm_source=me#top"',
        '"https://m.example/c/1?https://shop.example/a?x=1&amp;utm_source=me&amp;utm_medium=email#top"',
    ).replace(
        "'http://shop.example/b'",
        '"https://m.example/c/2?http://shop.example/b?utm_source=lingxi&amp;utm_medium=email"',
    )


def test_without_a_way_round_only_the_campaign_is_added() -> None:
    made = rewrite_links(
        '<a href="https://s.example">x</a>', None, keep=lambda _: False, utm={"source": "l"}
    )
    assert made == '<a href="https://s.example?utm_source=l">x</a>'
    long = f'<a href="https://s.example/{"x" * 1600}">x</a>'
    assert rewrite_links(long, _wrap, keep=lambda _: False) == long


@pytest.mark.parametrize(
    "bad",
    [
        "", "//a.example", "/a", "javascript:alert(1)", "data:text/html,x", "ftp://a.example/",
        "https:///a", "https://a@b.example/", "https://a.example\\@b.example/", "https://[::1",
        "https://a.example/ b", "https://a.example/\r\nSet-Cookie: x", "HTTPS:/a", "https://",
    ],
)  # fmt: skip
def test_a_redirect_leads_to_whole_web_addresses_only(bad: str) -> None:
    assert not is_target(bad)


@settings(max_examples=50)
@given(st.text("abcé&=?#%+ /", max_size=40))
def test_campaign_parameters_leave_the_rest_of_an_address_alone(rest: str) -> None:
    from urllib.parse import parse_qsl, urlsplit

    url = f"https://shop.example/{rest}"
    made = add_utm(url, {"source": "a b"})
    before, after = urlsplit(url), urlsplit(made)
    assert (after.path, after.fragment) == (before.path, before.fragment)
    assert parse_qsl(after.query, keep_blank_values=True) == [
        *parse_qsl(before.query, keep_blank_values=True),
        ("utm_source", "a b"),
    ]


def test_the_picture_stands_at_the_end_of_the_body() -> None:
    assert add_pixel("<p>x", "https://m/o").endswith('alt="">')
    assert add_pixel("<body>x</BODY></html>", "https://m/o").endswith('alt=""></BODY></html>')


def test_providers_are_a_closed_list() -> None:
    assert provider_of("a@GMAIL.com") == "gmail.com"
    assert provider_of("a@smith-family.example") == "other"
    assert provider_of("none") == "other"
