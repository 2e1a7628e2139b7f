"""What identifies a person, kept under the customer's own key."""

from collections.abc import Mapping

from sqlalchemy import delete, select

from lingxi.errors import InvalidInput
from lingxi.profiles.tables import customer_trait
from lingxi.store import Store
from lingxi.store.keyed import upsert

NAME_LENGTH = 64


def put_traits(store: Store, customer: int, traits: Mapping[str, str]) -> None:
    """Keep traits of a customer; an empty value removes the trait, others stay as they are.

    Raises
    ------
    InvalidInput
        If a name is empty or longer than 64 characters.
    Conflict
        If the customer's key was destroyed: what is erased stays erased.
    """
    for name in traits:
        if not 0 < len(name) <= NAME_LENGTH:
            raise InvalidInput(
                f"A trait's name has 1 to {NAME_LENGTH} characters; {name[:80]!r} has {len(name)}."
            )
    now = store.clock.now()
    kept = {name: value for name, value in traits.items() if value}
    sealed = store.keyring.encrypt_many([(customer, value) for value in kept.values()])
    rows = [
        {"customer": customer, "name": name, "value": value, "updated_at": now}
        for name, value in zip(kept, sealed, strict=True)
    ]
    gone = [name for name in traits if name not in kept]
    with store.write() as tx:
        upsert(tx, customer_trait, rows)
        if gone:
            mine = customer_trait.c.customer == customer
            tx.execute(delete(customer_trait).where(mine, customer_trait.c.name.in_(gone)))


def get_traits(store: Store, customer: int) -> dict[str, str]:
    """The traits of a customer by name, sorted; none once their key was destroyed."""
    query = select(customer_trait.c.name, customer_trait.c.value)
    query = query.where(customer_trait.c.customer == customer).order_by(customer_trait.c.name)
    with store.read() as tx:
        rows = tx.execute(query).all()
    opened = ((row[0], store.keyring.decrypt(customer, row[1])) for row in rows)
    return {name: text for name, text in opened if text is not None}
