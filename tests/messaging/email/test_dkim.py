"""Our signatures hold for another implementation, and for nothing but what was signed."""

import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import dkim as dkimpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.errors import Conflict, InvalidInput, StoreUnavailable
from lingxi.messaging.email.dkim import SigningKey, relax_body, sign
from lingxi.messaging.email.dkim_keys import create_keys, load_keys
from lingxi.messaging.email.mime import Letter, compose

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
Make = Callable[..., Letter]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> list[SigningKey]:
    return create_keys(tmp_path_factory.mktemp("keys"), "shop.example", "lx1")


def verify(message: bytes, keys: list[SigningKey]) -> list[bool]:
    """What dkimpy says of each signature."""
    records = {f"{key.record_name}.".encode(): key.record.encode() for key in keys}

    def ask(name: bytes, **_: int) -> bytes | None:
        return records.get(name)

    found = []
    for number in range(len(keys)):
        checker = dkimpy.DKIM(message)
        try:
            found.append(bool(checker.verify(idx=number, dnsfunc=ask)))
        except dkimpy.DKIMException:
            found.append(False)
    return found


def test_both_signatures_hold(make_letter: Make, keys: list[SigningKey]) -> None:
    for letter in (
        make_letter(),
        make_letter(subject="优惠" * 60, text="a  b \n\n\n.\nFrom x\n" + "长" * 900),
        make_letter(marketing=False, unsubscribe_url="", html=""),
        make_letter(text="", html="<p>" + "x" * 5000 + "</p>"),
    ):
        assert verify(sign(compose(letter), keys, NOON), keys) == [True, True]
    assert [key.kind for key in keys] == ["rsa", "ed25519"]
    assert keys[0].private.key_size == 2048  # type: ignore[union-attr]


def test_the_fields_of_the_list_are_signed(make_letter: Make, keys: list[SigningKey]) -> None:
    signed = sign(compose(make_letter()), keys, NOON)
    for part in signed.split(b"DKIM-Signature:")[1:]:
        names = part.partition(b"h=")[2].partition(b";")[0].replace(b"\r\n ", b"").split(b":")
        assert {b"list-unsubscribe", b"list-unsubscribe-post", b"from", b"subject"} <= set(names)
        assert names.count(b"from") == 2


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Subject: Your", b"Subject: My"),
        (b"<p>Hello", b"<p>Hullo"),
        (b"MIME-Version", b"Subject: another\r\nMIME-Version"),
        (b"MIME-Version", b"From: <evil@shop.example>\r\nMIME-Version"),
        (b"/mail/unsubscribe/", b"/mail/elsewhere/"),
        (b"MIME-Version", b"Reply-To: <evil@shop.example>\r\nMIME-Version"),
    ],
)
def test_a_changed_letter_is_found_out(
    make_letter: Make, keys: list[SigningKey], before: bytes, after: bytes
) -> None:
    signed = sign(compose(make_letter()), keys, NOON)
    changed = signed.replace(before, after)
    assert changed != signed
    assert verify(changed, keys) == [False, False]


@settings(max_examples=30)
@given(st.binary(max_size=200).map(lambda b: b.replace(b"\r", b"").replace(b"\n", b"\r\n")))
def test_a_relaxed_body_is_as_dkimpy_has_it(body: bytes) -> None:
    whole = body + b"\r\n"
    oracle = dkimpy.canonicalization.Relaxed.canonicalize_body(whole)
    assert relax_body(whole) == oracle


def test_keys_are_kept_for_their_owner_and_never_replaced(tmp_path: Path) -> None:
    made = create_keys(tmp_path, "Shop.Example", "a1")
    assert [key.record_name for key in made] == [
        "a1._domainkey.shop.example",
        "a1-ed._domainkey.shop.example",
    ]
    assert made[0].record.startswith("v=DKIM1; k=rsa; p=MIIB")
    assert made[1].record.startswith("v=DKIM1; k=ed25519; p=")
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = load_keys(tmp_path, "shop.example", "a1")
    assert [key.record for key in again] == [key.record for key in made]
    assert load_keys(tmp_path, "shop.example", "b") == []
    with pytest.raises(Conflict, match="another selector"):
        create_keys(tmp_path, "shop.example", "a1", kinds=["ed25519"])
    with pytest.raises(InvalidInput, match="selector"):
        create_keys(tmp_path, "shop.example", "../x")
    with pytest.raises(InvalidInput, match="kind"):
        create_keys(tmp_path, "shop.example", "c", kinds=["dsa"])
    (tmp_path / "dkim-shop.example-a1.pem").write_text("no key")
    with pytest.raises(StoreUnavailable, match="cannot be read"):
        load_keys(tmp_path, "shop.example", "a1")
