"""A letter read back by another implementation says what was put in, and nothing more."""

from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import unquote
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.errors import InvalidInput
from lingxi.messaging.email.address import domain_of, mask_address, read_address, read_domain
from lingxi.messaging.email.mime import Letter, Mailbox, check_url, compose
from lingxi.messaging.email.words import encode_phrase, encode_text, tidy

_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
Make = Callable[..., Letter]
CHINESE = "您的购物车还在等您：满 300 元减 50 元，今晚 24 点结束！" * 3


def _read(raw: bytes) -> EmailMessage:
    return cast(EmailMessage, message_from_bytes(raw, policy=policy.default))


def _bodies(message: EmailMessage) -> list[str]:
    return [part.get_content().replace("\r\n", "\n") for part in message.iter_parts()]


def test_both_parts_chinese_subject_and_names_come_back(make_letter: Make) -> None:
    sender = Mailbox(read_address("hello@shop.example"), "灵犀商店")
    raw = compose(make_letter(subject=CHINESE, html=f"<p>{CHINESE}</p>", sender=sender))
    message = _read(raw)
    assert message["subject"] == CHINESE
    assert message["from"].addresses[0].display_name == "灵犀商店"
    assert message["to"].addresses[0].display_name == "林美"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert _bodies(message) == ["Hello\n", f"<p>{CHINESE}</p>\n"]
    assert not message.defects
    assert all(not part.defects for part in message.walk())


def test_the_same_letter_has_the_same_bytes_and_message_id(make_letter: Make) -> None:
    assert compose(make_letter()) == compose(make_letter())
    assert _read(compose(make_letter()))["message-id"] == (
        "<0123456789abcdef0123456789abcdef@shop.example>"
    )


def test_a_marketing_letter_can_be_left_at_one_click(make_letter: Make) -> None:
    letter = make_letter()
    message = _read(compose(letter))
    assert message["list-unsubscribe"] == f"<{letter.unsubscribe_url}>"
    assert message["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert message["list-id"] == "My shop <news.shop.example>"
    assert message["list-help"] == f"<{letter.preferences_url}>"
    assert message["feedback-id"] == "offers:marketing:-:shop-example"
    assert message["auto-submitted"] == "auto-generated"
    assert message["precedence"] == "bulk"
    with pytest.raises(InvalidInput, match="one click"):
        compose(make_letter(unsubscribe_url=""))


def test_a_transactional_letter_is_no_list(make_letter: Make) -> None:
    message = _read(compose(make_letter(marketing=False, unsubscribe_url="")))
    for name in ("list-unsubscribe", "list-unsubscribe-post", "list-id", "list-help", "precedence"):
        assert message[name] is None
    assert message["auto-submitted"] == "auto-generated"


def test_what_cannot_be_a_letter_is_refused(make_letter: Make) -> None:
    with pytest.raises(InvalidInput, match="neither text nor HTML"):
        compose(make_letter(text=" ", html=""))
    for bad in ("https://a.example/x y", "javascript:alert(1)", "https://a/\r\nBcc: x", "http://é"):
        with pytest.raises(InvalidInput):
            compose(make_letter(unsubscribe_url=bad))
    with pytest.raises(InvalidInput):
        check_url("https://a.example/" + "x" * 2000)
    with pytest.raises(InvalidInput):
        compose(make_letter(message_id="x\r\nBcc: y"))


@pytest.mark.parametrize(
    "bad",
    [
        "", "@", "a@", "@b.example", "a b@c.example", "a@b", "a@b..example", "a@-b.example",
        "a\r\nBcc: x@y.example", "a@b.example\r\nRCPT TO:<x@y.example>", "a@b.example>",
        "<a@b.example", '"a b"@c.example', "a@[127.0.0.1]", "a@127.0.0.1", "a..b@c.example",
        "a" * 65 + "@c.example", "a@" + "b" * 64 + ".example", "a,b@c.example", "a;b@c.example",
        "a\x00@b.example", "a\u2028b@c.example", "a\u202eb@c.example",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(bad: str) -> None:
    with pytest.raises(InvalidInput):
        read_address(bad)


def test_addresses_beyond_ascii(make_letter: Make) -> None:
    assert read_address("用户@例子.公司").spec == "用户@xn--fsqu00a.xn--55qx5d"
    assert read_address("用户@例子.公司").needs_utf8
    assert not read_address("a@例子.公司").needs_utf8
    assert read_domain(" Shop.Example ") == "shop.example"
    assert domain_of("a@B.example") == "b.example"
    assert mask_address("mei@b.example") == "m•••@b.example"
    with pytest.raises(InvalidInput):
        read_domain("localhost")
    raw = compose(make_letter(recipient=Mailbox(read_address("用户@例子.公司"))))
    assert "To: <用户@xn--fsqu00a.xn--55qx5d>".encode() in raw


_ANY = st.text(max_size=300)


@settings(max_examples=40)
@given(subject=_ANY, name=_ANY, text=_ANY, html=_ANY)
def test_nothing_that_is_put_in_adds_a_field_or_a_long_line(
    subject: str, name: str, text: str, html: str
) -> None:
    letter = Letter(
        "ab" * 16, "shop.example", Mailbox(read_address("a@shop.example"), name),
        Mailbox(read_address("b@c.example"), name), subject, text + "x", html, _MOMENT, False,
    )  # fmt: skip
    raw = compose(letter)
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.isascii()
    header = raw.partition(b"\r\n\r\n")[0].replace(b"\r\n ", b" ").split(b"\r\n")
    names = [line.partition(b":")[0].decode() for line in header]
    first = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Auto-Submitted"]
    assert names[:7] == first
    assert set(names[7:]) <= {"Content-Type", "Content-Transfer-Encoding"}
    assert _read(raw)["to"].addresses[0].addr_spec == "b@c.example"


@settings(max_examples=40)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=200))
def test_text_of_a_header_comes_back_as_it_was_but_for_its_spaces(text: str) -> None:
    field = f"Subject: {encode_text(text, first=9)}\r\n\r\n"
    read = _read(field.encode())["subject"] if tidy(text) else ""
    assert read == tidy(text)
    assert all(len(line) <= 78 for line in field.split("\r\n"))


@settings(max_examples=40)
@given(st.text('abc ,;:<>@"\\()[].=?é', max_size=80))
def test_a_name_comes_back_as_it_was(name: str) -> None:
    raw = f"From: {encode_phrase(name)} <a@b.example>\r\n\r\n".encode()
    plain = message_from_bytes(raw)["from"]  # the newer parser leaves spaces between encoded words
    phrase = plain.removesuffix("<a@b.example>").strip()
    read = str(make_header(decode_header(phrase)))
    assert unquote(read) == tidy(name) or read == tidy(name)
    assert _read(raw)["from"].addresses[0].addr_spec == "a@b.example"


@settings(max_examples=40)
@given(st.text(max_size=2000))
def test_a_body_comes_back_line_by_line(text: str) -> None:
    body = text.encode("utf-8", "replace").decode() + "."
    letter = Letter(
        "ab" * 16, "shop.example", Mailbox(read_address("a@shop.example")),
        Mailbox(read_address("b@c.example")), "s", body, "", _MOMENT, False,
    )  # fmt: skip
    raw = compose(letter)
    wanted = body.replace("\r\n", "\n").replace("\r", "\n") + "\n"
    payload = cast(bytes, _read(raw).get_payload(decode=True)).decode()
    assert payload.replace("\r\n", "\n") == wanted
