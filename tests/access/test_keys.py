"""Secret keys: shown once, checked in constant time, revoked at once."""

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from lingxi.access import Scope, create_key, find_key
from lingxi.access.audit import list_audit
from lingxi.access.keys import NewKey, list_keys, note_key_use, revoke_key
from lingxi.access.tables import key_table
from lingxi.clock import FixedClock
from lingxi.errors import InvalidInput
from lingxi.store import Store


@pytest.fixture
def made(store: Store, clock: FixedClock) -> NewKey:
    with store.write() as tx:
        return create_key(tx, clock.now(), "till", [Scope.PLAN, Scope.STATUS], actor="user:ada")


def test_a_key_opens_what_it_carries_and_its_secret_is_not_stored(
    store: Store, made: NewKey
) -> None:
    with store.read() as tx:
        found = find_key(tx, made.secret)
        row = tx.execute(select(key_table)).one()
    assert found is not None
    assert found.holder.can(Scope.PLAN)
    assert not found.holder.can(Scope.CUSTOMERS)
    assert made.secret.split("_")[2] not in map(str, row)


def test_admin_stands_for_every_scope(store: Store, clock: FixedClock) -> None:
    with store.write() as tx:
        made = create_key(tx, clock.now(), "all", [Scope.ADMIN], actor="cli")
        found = find_key(tx, made.secret)
    assert found is not None
    assert all(found.holder.can(scope) for scope in Scope)


def test_a_wrong_secret_or_form_opens_nothing(store: Store, made: NewKey) -> None:
    head, key_id, secret = made.secret.split("_")
    wrong = [
        "",
        "lx_",
        f"{head}_{key_id}_{'0' * 64}",
        f"{head}_{'0' * 12}_{secret}",
        made.secret + "0",
        made.secret.upper(),
        made.secret + "\n",
        " " + made.secret,
    ]
    with store.read() as tx:
        assert [find_key(tx, text) for text in wrong] == [None] * len(wrong)


@given(st.text(max_size=300))
def test_no_text_breaks_the_reading_of_a_key(text: str) -> None:
    class Unused:
        def execute(self, _query: object) -> None:
            raise AssertionError("a malformed key never reaches the database")

    assert find_key(cast("Connection", Unused()), text) is None


def test_a_revoked_key_is_refused_at_once_and_stays_in_the_list(
    store: Store, clock: FixedClock, made: NewKey
) -> None:
    with store.write() as tx:
        note_key_use(tx, made.key.key_id, clock.now())
        revoke_key(tx, clock.now(), made.key.key_id, actor="cli")
        assert find_key(tx, made.secret) is None
        (listed,) = list_keys(tx)
        entries = list_audit(tx)
        with pytest.raises(InvalidInput, match="no working key"):
            revoke_key(tx, clock.now(), made.key.key_id, actor="cli")
    assert (listed.used_at, listed.revoked_at) == (clock.now(), clock.now())
    assert [(e.actor, e.action) for e in entries] == [
        ("cli", "key.revoked"),
        ("user:ada", "key.created"),
    ]


@pytest.mark.parametrize("name", ["", "  ", "a" * 65, "tab\there", "nul\0"])
def test_a_key_needs_a_name_that_can_be_read(store: Store, clock: FixedClock, name: str) -> None:
    with store.write() as tx, pytest.raises(InvalidInput, match="key's name"):
        create_key(tx, clock.now(), name, [Scope.PLAN], actor="cli")


def test_a_key_needs_a_scope(store: Store, clock: FixedClock) -> None:
    with store.write() as tx, pytest.raises(InvalidInput, match="at least one scope"):
        create_key(tx, clock.now(), "till", [], actor="cli")
