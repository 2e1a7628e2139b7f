"""What identifies a customer, kept under the keys of their surrogates."""

from collections.abc import Mapping

from lingxi.ingest.sealed import TraitValue, read_traits
from lingxi.ingest.sealed import put_traits as keep_traits
from lingxi.store import Store


def put_traits(store: Store, customer: int, traits: Mapping[str, str]) -> None:
    """Keep traits of a customer; an empty value removes the trait, others stay as they are.

    Raises
    ------
    InvalidInput
        If a name is empty or longer than 64 characters.
    Conflict
        If the customer's key was destroyed: what is erased stays erased.
    """
    now = store.clock.now()
    said = [TraitValue(customer, name, value or None, now) for name, value in traits.items()]
    with store.write() as tx:
        keep_traits(store, tx, said)


def get_traits(store: Store, customer: int) -> dict[str, str]:
    """The traits of a customer by name, sorted; none once their keys were destroyed."""
    with store.read() as tx:
        return read_traits(store, tx, customer)
