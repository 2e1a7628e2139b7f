"""Keys for what identifies a person: one each, so that destroying it makes the text unreadable."""

import hmac
import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    inspect,
    select,
)
from sqlalchemy import update as sql_update

from lingxi.errors import Conflict, SealBroken
from lingxi.store.adding import add_new
from lingxi.store.engine import begin_read, begin_write, copy_sqlite, empty_wal, open_engine
from lingxi.store.keyed import fetch_by_keys, insert_or_ignore
from lingxi.store.tables import NAMING, SUBJECT, Moment

_NONCE = 12
metadata = MetaData(naming_convention=NAMING)

customer_key = Table(
    "customer_key",
    metadata,
    Column("customer", SUBJECT, primary_key=True, autoincrement=False),
    Column("key", LargeBinary),
)
"""One AES-256 key a customer; no key means that it was destroyed, for good."""

secret = Table(
    "secret",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

erasure = Table(
    "erasure",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("requested_at", Moment, nullable=False),
    Column("subjects", String, nullable=False),
    Column("customers", String, nullable=False),
    Column("signed_at", Moment),
)
"""Requests to forget someone: surrogates as JSON lists; signed when nothing is left."""


class Keyring:
    """Per-customer keys in ``keys/keys.sqlite``, readable by its owner alone, outside backups."""

    def __init__(self, folder: Path, *, lock_timeout_seconds: float = 30.0) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / "keys.sqlite"
        if not self.path.exists():
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        self.engine = open_engine(
            f"sqlite:///{self.path}", lock_timeout_seconds=lock_timeout_seconds
        )
        self._blind_key = self._read_secret() or self._make_secret()

    def encrypt(self, customer: int, text: str) -> bytes:
        """Text under the customer's key, made when there is none yet. See ``encrypt_many``."""
        return self.encrypt_many([(customer, text)])[0]

    def encrypt_many(self, items: Sequence[tuple[int, str]]) -> list[bytes]:
        """The texts of ``(customer, text)`` pairs under each customer's key, in one transaction.

        The result is a 12-byte nonce and the AES-256-GCM ciphertext, bound to the customer: it
        cannot be read as another customer's.

        Raises
        ------
        Conflict
            If a customer's key was destroyed: what is erased stays erased.
        """
        if not items:
            return []
        wanted = {customer for customer, _ in items}
        keys = self._read_keys(wanted)
        if wanted - keys.keys():
            self.make_keys(wanted)
            keys = self._read_keys(wanted)
        return [_encrypt(keys[customer], customer, text) for customer, text in items]

    def make_keys(self, customers: Collection[int]) -> None:
        """Make the keys of those who never had one, on disk when it returns.

        ``encrypt_many`` does so by itself; called beforehand, in a thread of its own, nobody waits
        for this file's disk.
        """
        missing = set(customers) - self._read_keys(customers).keys()
        if missing:
            with begin_write(self.engine) as connection:
                rows = [(c, AESGCM.generate_key(256)) for c in sorted(missing)]
                add_new(connection, customer_key, rows)

    def decrypt(self, customer: int, sealed: bytes) -> str | None:
        """The text, or nothing once the customer's key is destroyed or was never here."""
        return self.decrypt_many([(customer, sealed)])[0]

    def decrypt_many(self, items: Sequence[tuple[int, bytes]]) -> list[str | None]:
        """The texts of ``(customer, sealed)`` pairs; nothing where there is no key any more.

        Raises
        ------
        SealBroken
            If a text does not belong to the customer, or is damaged.
        """
        if not items:
            return []
        keys = self._read_keys({customer for customer, _ in items})
        ciphers = {c: AESGCM(key) for c, key in keys.items() if key is not None}
        return [_decrypt(ciphers.get(customer), customer, sealed) for customer, sealed in items]

    def destroy(self, customers: Collection[int]) -> int:
        """Overwrite these customers' keys; the number of keys that were there."""
        with begin_write(self.engine) as connection:
            wanted = sorted(customers)
            rows = [{"customer": customer, "key": None} for customer in wanted]
            if not rows:
                return 0
            living = [c for c, key in self._read_in(connection, wanted).items() if key is not None]
            connection.execute(insert_or_ignore(connection, customer_key), rows)
            for start in range(0, len(wanted), 1000):
                part = customer_key.c.customer.in_(wanted[start : start + 1000])
                connection.execute(sql_update(customer_key).where(part).values(key=None))
        empty_wal(self.engine)
        return len(living)

    def list_living(self, first: int, last: int) -> list[int]:
        """The customers from ``first`` to ``last`` who have a key."""
        column = customer_key.c.customer
        query = select(column).where(column.between(first, last), customer_key.c.key.is_not(None))
        with begin_read(self.engine) as connection:
            return sorted(connection.execute(query).scalars())

    def blind(self, text: str) -> str:
        """A keyed hash to find text by without keeping it: e-mail addresses, phone numbers.

        HMAC-SHA256 of the text, stripped and case-folded, under a secret of this shop; hex.
        """
        return hmac.digest(self._blind_key, text.strip().casefold().encode(), "sha256").hex()

    def derive(self, name: str) -> bytes:
        """A secret of this shop for one purpose, 32 bytes; the same as long as the keys are.

        HKDF (RFC 5869) of the secret behind ``blind``, so that neither says anything of the other.
        """
        return HKDF(SHA256(), 32, None, f"lingxi {name}".encode()).derive(self._blind_key)

    def export(self, destination: Path) -> None:
        """Copy all keys, secrets and erasures into a new file, for its owner alone.

        Keep it apart from the backups: whoever has both can read everything.
        """
        if destination.exists():
            raise Conflict(f"{destination} exists already; name a new file for the keys.")
        os.close(os.open(destination, os.O_CREAT | os.O_RDWR, 0o600))
        copy_sqlite(self.engine, destination)

    def close(self) -> None:
        """Let go of the file."""
        self.engine.dispose()

    def _read_secret(self) -> bytes | None:
        with begin_read(self.engine) as connection:
            if not inspect(connection).has_table(secret.name):
                return None
            query = select(secret.c.value).where(secret.c.name == "blind")
            return connection.execute(query).scalar()

    def _make_secret(self) -> bytes:
        with begin_write(self.engine) as connection:
            metadata.create_all(connection)
            row = {"name": "blind", "value": os.urandom(32)}
            connection.execute(insert_or_ignore(connection, secret), row)
            query = select(secret.c.value).where(secret.c.name == "blind")
            value: bytes = connection.execute(query).scalar_one()
            return value

    def _read_keys(self, customers: Collection[int]) -> dict[int, bytes | None]:
        with begin_read(self.engine) as connection:
            return self._read_in(connection, customers)

    @staticmethod
    def _read_in(connection: Connection, customers: Iterable[int]) -> dict[int, bytes | None]:
        column = customer_key.c.customer
        keys = [(customer,) for customer in customers]
        return dict(fetch_by_keys(connection, [column], keys, [column, customer_key.c.key]))


def _encrypt(key: bytes | None, customer: int, text: str) -> bytes:
    if key is None:
        raise Conflict(f"Customer {customer} was erased; nothing more can be kept about them.")
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, text.encode(), str(customer).encode())


def _decrypt(cipher: AESGCM | None, customer: int, sealed: bytes) -> str | None:
    if cipher is None:
        return None
    try:
        plain = cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], str(customer).encode())
    except (InvalidTag, ValueError) as error:
        raise SealBroken(
            f"An encrypted text of customer {customer} is damaged or belongs to somebody else."
        ) from error
    return plain.decode()
