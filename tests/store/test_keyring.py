"""One key a customer: destroyed, the text is gone; nobody else's key opens it."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingxi.errors import Conflict, StoreUnavailable
from lingxi.store import Keyring


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring(tmp_path_factory.mktemp("shop") / "keys")


@given(text=st.text())
def test_text_comes_back(keyring: Keyring, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert keyring.decrypt(1, keyring.encrypt(1, text)) == text


def test_the_same_text_never_looks_the_same(keyring: Keyring) -> None:
    assert keyring.encrypt(1, "Ann") != keyring.encrypt(1, "Ann")
    assert b"Ann" not in keyring.encrypt(1, "Ann")


def test_another_customers_text_is_refused(keyring: Keyring) -> None:
    sealed = keyring.encrypt(1, "Ann")
    keyring.encrypt(2, "Bob")
    with pytest.raises(StoreUnavailable, match="customer 2"):
        keyring.decrypt(2, sealed)


def test_a_damaged_text_is_refused(keyring: Keyring) -> None:
    sealed = bytearray(keyring.encrypt(1, "Ann"))
    sealed[-1] ^= 1
    with pytest.raises(StoreUnavailable):
        keyring.decrypt(1, bytes(sealed))


def test_a_destroyed_key_leaves_neither_text_nor_bytes(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "keys")
    sealed = keyring.encrypt(5, "Ann")
    with keyring.engine.connect() as connection:
        key = connection.exec_driver_sql("SELECT key FROM customer_key").scalar_one()
    assert keyring.destroy([5, 6]) == 1
    assert keyring.decrypt(5, sealed) is None
    assert not any(key in p.read_bytes() for p in (tmp_path / "keys").iterdir())
    with pytest.raises(Conflict, match="erased"):
        keyring.encrypt(5, "Ann again")
    assert keyring.destroy([5]) == 0


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "keys")
    keyring.encrypt(1, "Ann")
    keyring.export(tmp_path / "copy.sqlite")
    for place in [*(tmp_path / "keys").iterdir(), tmp_path / "copy.sqlite"]:
        assert stat.S_IMODE(place.stat().st_mode) & 0o077 == 0, place


def test_blind_finds_the_same_address_and_belongs_to_the_shop(tmp_path: Path) -> None:
    one, again, other = (Keyring(tmp_path / name) for name in ("a", "a", "b"))
    assert one.blind(" Ann@Example.org") == again.blind("ann@example.org")
    assert one.blind("ann@example.org") != other.blind("ann@example.org")
