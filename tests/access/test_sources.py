"""Sources: public write keys, sealed secrets, and the end of both."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from lingxi.access.audit import list_audit
from lingxi.access.sources import (
    SourceKind,
    create_source,
    disable_source,
    ensure_source,
    find_named_source,
    find_source,
    list_sources,
    read_kind,
    read_secret,
    rotate_source,
)
from lingxi.access.tables import source_table
from lingxi.errors import Conflict, InvalidInput
from lingxi.store import Store

AT = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "shpss_0123456789"


def make(store: Store, name: str = "web", kind: SourceKind = SourceKind.WEB, **words):
    with store.write() as tx:
        return create_source(tx, store.keyring, AT, name, kind, actor="test", **words)


def test_a_source_is_found_by_its_key_until_it_is_disabled(store: Store) -> None:
    made = make(store, allowed_origins=["https://Shop.example/", "https://shop.example"])
    assert made.allowed_origins == ("https://shop.example",)
    with store.read() as tx:
        assert find_source(tx, made.write_key) == made
        assert find_source(tx, "other") is None
    with store.write() as tx:
        disable_source(tx, AT + timedelta(days=1), "web", actor="test")
    with store.read() as tx:
        assert find_source(tx, made.write_key) is None
        assert list_sources(tx) == [dataclasses.replace(made, disabled_at=AT + timedelta(days=1))]
        assert [entry.action for entry in list_audit(tx)] == ["source.disabled", "source.created"]
    with store.write() as tx, pytest.raises(InvalidInput, match="no source 'web' in use"):
        disable_source(tx, AT, "web", actor="test")


def test_a_new_key_ends_the_old_one_and_brings_a_source_back(store: Store) -> None:
    old = make(store)
    with store.write() as tx:
        disable_source(tx, AT, "web", actor="test")
        new = rotate_source(tx, store.keyring, AT, "web", actor="test")
        assert new.write_key != old.write_key
        assert find_source(tx, new.write_key) == new
        assert find_source(tx, old.write_key) is None
        with pytest.raises(InvalidInput, match="no source 'shop'"):
            rotate_source(tx, store.keyring, AT, "shop", actor="test")


def test_a_secret_is_sealed_and_read_only_to_check_a_signature(store: Store) -> None:
    made = make(store, "shop", SourceKind.SHOPIFY, secret=SECRET)
    assert made.has_secret
    assert SECRET not in repr(made)
    with store.read() as tx:
        sealed = tx.execute(source_table.select()).one().secret
        assert SECRET.encode() not in sealed
        assert read_secret(tx, store.keyring, "shop") == SECRET
        assert read_secret(tx, store.keyring, "other") is None
    with store.write() as tx:
        rotate_source(tx, store.keyring, AT, "shop", actor="test", secret="new-secret")
        assert read_secret(tx, store.keyring, "shop") == "new-secret"
        disable_source(tx, AT, "shop", actor="test")
        assert read_secret(tx, store.keyring, "shop") is None


def test_the_first_source_is_made_once(store: Store) -> None:
    with store.write() as tx:
        first = ensure_source(tx, store.keyring, AT, actor="test")
        assert ensure_source(tx, store.keyring, AT, actor="test") == first
        assert find_named_source(tx, "web") == first


@pytest.mark.parametrize("name", ["", " ", "a b", "ü", "a/b", "x" * 65, "\0"])
def test_a_name_stands_in_addresses(store: Store, name: str) -> None:
    with pytest.raises(InvalidInput, match="letters, digits"):
        make(store, name)


@pytest.mark.parametrize("origin", ["shop.example", "ftp://a", "https://a/b", "https://", "*"])
def test_an_origin_is_scheme_and_host(store: Store, origin: str) -> None:
    with pytest.raises(InvalidInput, match="no origin"):
        make(store, allowed_origins=[origin])


def test_what_cannot_be_a_source(store: Store) -> None:
    make(store)
    with pytest.raises(Conflict):
        make(store)
    with pytest.raises(InvalidInput, match="secret"):
        make(store, "shop", SourceKind.WOOCOMMERCE)
    with pytest.raises(InvalidInput, match="choose one of web, server"):
        read_kind("telegraph")
