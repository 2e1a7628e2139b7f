"""Logging in, staying in, being thrown out."""

from datetime import timedelta
from typing import Literal

import pytest
from argon2 import PasswordHasher, Type
from sqlalchemy import select

from lingxi.access import Credentials, Role, ensure_administrator, log_in, log_out, passwords
from lingxi.access.audit import list_audit
from lingxi.access.login import TRIES_PER_ACCOUNT, TRIES_PER_ADDRESS, Login
from lingxi.access.sessions import LONGEST, end_all_sessions, find_session, slide_session
from lingxi.access.tables import session_table, user_table
from lingxi.access.users import change_password, create_user
from lingxi.clock import FixedClock
from lingxi.errors import NotAuthenticated, RateLimited
from lingxi.store import Store

PASSWORD = "correct horse battery"
ADA = Credentials("ada", PASSWORD)
WRONG = Credentials("ada", "wrong horse battery")


@pytest.fixture(autouse=True)
def _ada(store: Store, clock: FixedClock) -> None:
    with store.write() as tx:
        create_user(tx, clock.now(), ADA, Role.MARKETER, actor="test")


def enter(store: Store, clock: FixedClock, credentials: Credentials = ADA, **more: str) -> Login:
    address = more.get("address", "192.0.2.1")
    former = more.get("former_token")
    return log_in(store, clock.now(), credentials, address=address, hours=12, former_token=former)


def is_live(store: Store, clock: FixedClock, token: str) -> bool:
    with store.read() as tx:
        return find_session(tx, token, clock.now()) is not None


def test_the_right_password_opens_a_session_whose_token_is_not_stored(
    store: Store, clock: FixedClock
) -> None:
    login = enter(store, clock, Credentials(" ADA ", PASSWORD))
    assert (login.user.name, login.user.role) == ("ada", Role.MARKETER)
    with store.read() as tx:
        found = find_session(tx, login.token, clock.now())
        stored = tx.execute(select(session_table)).one()
        hashed = tx.execute(select(user_table.c.password_hash)).scalar_one()
    assert found is not None
    assert found.user == login.user
    assert login.token not in map(str, stored)
    assert hashed.startswith("$argon2id$")
    assert len(login.token) == 43  # 256 bits in base 64


def test_wrong_password_and_unknown_name_are_told_apart_by_nothing(
    store: Store, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
            verified.append(str(hash).rpartition("$")[0].rpartition("$")[0])
            return super().verify(hash, password)

    monkeypatch.setattr(passwords, "_HASHER", Counting(time_cost=1, memory_cost=256))
    monkeypatch.setattr(passwords, "_hash_of_nobody", lambda: passwords.hash_password("x" * 12))
    refusals = []
    for credentials in (WRONG, Credentials("nobody", "wrong horse battery")):
        with pytest.raises(NotAuthenticated) as refusal:
            enter(store, clock, credentials)
        refusals.append(str(refusal.value))
    assert refusals[0] == refusals[1]
    assert len(verified) == 2
    assert verified[0] == verified[1]  # the same parameters, so the same work, in both cases
    assert verified[0].startswith("$argon2id$")


@pytest.mark.parametrize("name", ["", "a" * 5000, "ada\0", "'; drop table access_user", "\ud800"])
def test_no_name_breaks_the_login(store: Store, clock: FixedClock, name: str) -> None:
    with pytest.raises(NotAuthenticated):
        enter(store, clock, Credentials(name, "x" * 10_000))


def test_an_account_is_closed_for_a_while_after_ten_failures(
    store: Store, clock: FixedClock
) -> None:
    for i in range(TRIES_PER_ACCOUNT):
        with pytest.raises(NotAuthenticated):
            enter(store, clock, WRONG, address=f"192.0.2.{i}")
    with pytest.raises(RateLimited) as refusal:
        enter(store, clock, ADA, address="198.51.100.7")
    assert 0 < refusal.value.retry_after_seconds <= 15 * 60
    clock.advance(timedelta(seconds=refusal.value.retry_after_seconds))
    assert enter(store, clock).user.name == "ada"


def test_an_address_is_closed_for_a_while_after_thirty_failures(
    store: Store, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lingxi.access.login.verify_password", lambda *_: False)
    for i in range(TRIES_PER_ADDRESS):
        with pytest.raises(NotAuthenticated):
            enter(store, clock, Credentials(f"user{i}", PASSWORD))
    with pytest.raises(RateLimited):
        enter(store, clock, Credentials("yet-another", PASSWORD))
    with pytest.raises(NotAuthenticated):
        enter(store, clock, Credentials("yet-another", PASSWORD), address="198.51.100.7")


def test_a_login_that_succeeds_gives_the_tries_back(store: Store, clock: FixedClock) -> None:
    for _ in range(3):
        for _ in range(TRIES_PER_ACCOUNT - 1):
            with pytest.raises(NotAuthenticated):
                enter(store, clock, WRONG, address="198.51.100.7")
        enter(store, clock)
        clock.advance(timedelta(minutes=15))


def test_a_new_login_ends_the_session_the_browser_had(store: Store, clock: FixedClock) -> None:
    first = enter(store, clock)
    second = enter(store, clock, former_token=first.token)
    assert first.token != second.token
    assert not is_live(store, clock, first.token)
    assert is_live(store, clock, second.token)


def test_a_session_ends_after_hours_without_use_and_slides_with_use(
    store: Store, clock: FixedClock
) -> None:
    token = enter(store, clock).token
    clock.advance(timedelta(hours=11))
    with store.write() as tx:
        session = find_session(tx, token, clock.now())
        assert session is not None
        assert session.slide
        slide_session(tx, session.user.session_id, clock.now(), hours=12)
    clock.advance(timedelta(hours=11))
    assert is_live(store, clock, token)
    clock.advance(timedelta(hours=1))
    assert not is_live(store, clock, token)


def test_even_a_used_session_ends_after_thirty_days(store: Store, clock: FixedClock) -> None:
    token = enter(store, clock).token
    with store.read() as tx:
        session = find_session(tx, token, clock.now())
    assert session is not None
    clock.advance(LONGEST)
    with store.write() as tx:
        slide_session(tx, session.user.session_id, clock.now(), hours=12)
    assert not is_live(store, clock, token)


def test_logout_ends_one_session_and_a_new_password_ends_all(
    store: Store, clock: FixedClock
) -> None:
    first, second, third = (enter(store, clock) for _ in range(3))
    with store.write() as tx:
        log_out(tx, clock.now(), first.user, first.token)
    assert not is_live(store, clock, first.token)
    assert is_live(store, clock, second.token)
    fresh = Credentials("ada", "another long password")
    with store.write() as tx:
        change_password(tx, clock.now(), fresh, actor="user:ada")
    assert not is_live(store, clock, second.token)
    assert not is_live(store, clock, third.token)
    with pytest.raises(NotAuthenticated):
        enter(store, clock)
    assert enter(store, clock, fresh).user.name == "ada"
    with store.write() as tx:
        assert end_all_sessions(tx, first.user.user_id) == 1


def test_a_hash_of_weaker_parameters_is_renewed_at_login(
    store: Store, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stored() -> str:
        with store.read() as tx:
            return str(tx.execute(select(user_table.c.password_hash)).scalar_one())

    before = stored()
    enter(store, clock)
    assert stored() == before
    monkeypatch.setattr("lingxi.access.login.needs_rehash", lambda _: True)
    enter(store, clock)
    assert stored() != before
    assert enter(store, clock).user.name == "ada"


def test_the_cost_of_a_hash_is_what_owasp_asks_for() -> None:
    usual = PasswordHasher()
    assert usual.type is Type.ID
    assert usual.memory_cost >= 19 * 1024
    assert usual.time_cost >= 2


def test_the_first_administrator_is_made_once_and_can_log_in(
    store: Store, clock: FixedClock, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with store.write() as tx:
        assert ensure_administrator(tx, clock.now()) is None  # ada is there
    other = Store.open(
        type(store.settings)(tmp_path_factory.mktemp("other")),
        clock,
        tables=[user_table.metadata],
    )
    with other.write() as tx:
        made = ensure_administrator(tx, clock.now())
        assert made is not None
        assert ensure_administrator(tx, clock.now()) is None
    login = log_in(other, clock.now(), made, address="192.0.2.1", hours=1)
    assert login.user.role is Role.ADMINISTRATOR
    with other.read() as tx:
        entries = list_audit(tx)
    assert [entry.action for entry in entries] == ["login.succeeded", "user.created"]
    assert made.password not in repr(entries)
    other.close()
