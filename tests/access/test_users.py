"""Users: names, roles, and the administrator that must remain."""

import pytest

from lingxi.access import Credentials, Role, Scope, forget
from lingxi.access.audit import list_audit, record_audit
from lingxi.access.roles import ROLE_SCOPES, who_can
from lingxi.access.users import (
    change_role,
    create_user,
    get_user,
    list_users,
    remove_user,
)
from lingxi.clock import FixedClock
from lingxi.errors import Conflict, InvalidInput
from lingxi.store import Store

PASSWORD = "correct horse battery"


def add(store: Store, clock: FixedClock, name: str, role: Role = Role.VIEWER) -> None:
    with store.write() as tx:
        create_user(tx, clock.now(), Credentials(name, PASSWORD), role, actor="test")


def test_each_role_can_all_that_the_next_one_can() -> None:
    administrator, marketer, viewer = (ROLE_SCOPES[role] for role in Role)
    assert administrator > marketer > viewer
    assert administrator == frozenset(Scope)
    assert who_can(Scope.ADMIN) == (Role.ADMINISTRATOR,)


def test_a_name_is_taken_once_whatever_its_case(store: Store, clock: FixedClock) -> None:
    add(store, clock, "Ada@Example.org")
    with pytest.raises(Conflict, match=r"already a user 'ada@example\.org'"):
        add(store, clock, "ADA@example.ORG")
    with store.read() as tx:
        assert [user.name for user in list_users(tx)] == ["ada@example.org"]


@pytest.mark.parametrize("name", ["", "-a", "a" * 65, "a b", "a\0", "<b>"])
def test_a_name_that_will_not_do_is_refused(store: Store, clock: FixedClock, name: str) -> None:
    with pytest.raises(InvalidInput, match="user's name"):
        add(store, clock, name)


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "x" * 257])
def test_a_password_that_will_not_do_is_refused(
    store: Store, clock: FixedClock, password: str
) -> None:
    with store.write() as tx, pytest.raises(InvalidInput, match="12 to 256"):
        create_user(tx, clock.now(), Credentials("ada", password), Role.VIEWER, actor="test")


def test_the_last_administrator_stays(store: Store, clock: FixedClock) -> None:
    add(store, clock, "root", Role.ADMINISTRATOR)
    add(store, clock, "ada")
    with store.write() as tx:
        with pytest.raises(Conflict, match="needs an administrator"):
            remove_user(tx, clock.now(), "root", actor="test")
        with pytest.raises(Conflict, match="needs an administrator"):
            change_role(tx, clock.now(), "root", Role.VIEWER, actor="test")
        change_role(tx, clock.now(), "ada", Role.ADMINISTRATOR, actor="test")
        remove_user(tx, clock.now(), "root", actor="test")
        assert get_user(tx, "ada").role is Role.ADMINISTRATOR
        with pytest.raises(InvalidInput, match="no user 'root'"):
            get_user(tx, "root")
        actions = [entry.action for entry in list_audit(tx, n=2)]
    assert actions == ["user.removed", "user.role_changed"]


def test_the_audit_log_holds_no_characters_that_forge_a_line(
    store: Store, clock: FixedClock
) -> None:
    with store.write() as tx:
        record_audit(tx, clock.now(), actor="user:a\nb", action="x", target="t" * 500)
        (entry,) = list_audit(tx)
    assert entry.actor == "user:a?b"
    assert len(entry.target) == 200


def test_access_holds_nothing_of_customers(store: Store) -> None:
    with store.write() as tx:
        assert forget(tx, frozenset({1, 2})) == 0


def test_without_an_administrator_others_can_still_be_removed(
    store: Store, clock: FixedClock
) -> None:
    add(store, clock, "viewer")
    with store.write() as tx:
        remove_user(tx, clock.now(), "viewer", actor="test")
        assert list_users(tx) == []
