"""Users: customers of the shop, their labels and comment kept as traits under their own key."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from lingxi.errors import UnknownCustomer
from lingxi.gorse.nouns import User, UserBody, UserPatch, check_labels, read_identifier
from lingxi.ingest import resolve_subjects
from lingxi.ingest.identity import CUSTOMER, find_subjects
from lingxi.ingest.sealed import TraitValue, put_traits, read_traits
from lingxi.ingest.tables import identifier
from lingxi.store import Store
from lingxi.store.projection import find_customers

LABELS, COMMENT, SUBSCRIBE = "labels", "comment", "subscribe"


def put_users(store: Store, tx: sa.Connection, bodies: Sequence[UserBody], now: datetime) -> int:
    """Make users what the bodies say; the last of one id counts. How many bodies.

    Raises
    ------
    InvalidInput
        If an id is empty or labels are of no known form.
    """
    wanted = {read_identifier("UserId", body.user_id): body for body in bodies}
    for body in wanted.values():
        check_labels(body.labels)
    seals = {user: store.keyring.blind(user) for user in wanted}
    subjects = resolve_subjects(tx, CUSTOMER, list(wanted), known=True, seals=seals)
    put_traits(
        store,
        tx,
        [
            TraitValue(subjects[user], name, value, now)
            for user, body in wanted.items()
            for name, value in _to_traits(body.labels, body.comment or "", body.subscribe).items()
        ],
    )
    return len(bodies)


def patch_user(
    store: Store, tx: sa.Connection, user_id: str, patch: UserPatch, now: datetime
) -> bool:
    """Change fields of a user; whether there is such a user.

    Raises
    ------
    InvalidInput
        If labels are of no known form.
    """
    check_labels(patch.labels)
    user = read_identifier("UserId", user_id)
    subject = find_subjects(tx, CUSTOMER, [user]).get(user)
    if subject is None:
        return False
    given = _to_traits(patch.labels, patch.comment, patch.subscribe)
    said = [TraitValue(subject, n, v, now) for n, v in given.items() if v is not None]
    if patch.comment == "":
        said.append(TraitValue(subject, COMMENT, None, now))
    put_traits(store, tx, said)
    return True


def _to_traits(labels: object, comment: str | None, subscribe: object) -> dict[str, str | None]:
    return {
        LABELS: None if labels is None else msgspec.json.encode(labels).decode(),
        COMMENT: comment or None,
        SUBSCRIBE: None if subscribe is None else msgspec.json.encode(subscribe).decode(),
    }


def get_user(store: Store, tx: sa.Connection, user_id: str) -> User:
    """A user.

    Raises
    ------
    UnknownCustomer
        If the shop has no customer of this id.
    """
    customer = require_user(tx, user_id)
    return _to_user(read_identifier("UserId", user_id), read_traits(store, tx, customer))


def require_user(tx: sa.Connection, user_id: str) -> int:
    """The customer with this id of the shop itself.

    Raises
    ------
    UnknownCustomer
        If there is none.
    """
    user = read_identifier("UserId", user_id)
    subject = find_subjects(tx, CUSTOMER, [user]).get(user)
    if subject is None:
        raise UnknownCustomer(f"There is no user {user_id[:80]!r}.")
    return find_customers(tx, {subject})[subject]


def list_users(
    store: Store, tx: sa.Connection, *, after: str = "", n: int = 10
) -> tuple[list[User], str]:
    """Users in the order of their ids past ``after``, and the last id where there are more."""
    query = (
        sa.select(identifier.c.value, identifier.c.subject)
        .where(identifier.c.kind == CUSTOMER, identifier.c.value > after)
        .order_by(identifier.c.value)
        .limit(n + 1)
    )
    rows = tx.execute(query).all()
    page = rows[:n]
    customers = find_customers(tx, {row.subject for row in page})
    users = [_to_user(r.value, read_traits(store, tx, customers[r.subject])) for r in page]
    return users, page[-1].value if len(rows) > n and page else ""


def _to_user(user_id: str, traits: dict[str, str]) -> User:
    subscribe = _read_json(traits.get(SUBSCRIBE))
    return User(
        user_id=user_id,
        labels=_read_json(traits.get(LABELS)),
        comment=traits.get(COMMENT, ""),
        subscribe=msgspec.UNSET if subscribe is None else subscribe,
    )


def _read_json(text: str | None) -> object:
    """A trait as labels; one that another source said in plain words is a text."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
