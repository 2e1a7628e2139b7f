"""Passwords: argon2id, one cost for every account whether it exists or not."""

import secrets
from functools import lru_cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lingxi.errors import InvalidInput

SHORTEST, LONGEST = 12, 256
_HASHER = PasswordHasher()
_AT_ONCE = BoundedSemaphore(2)  # each takes 64 MiB and a core: more at once would only queue


def hash_password(password: str) -> str:
    """The argon2id hash of a password, salt and parameters included.

    Raises
    ------
    InvalidInput
        If it is shorter than 12 or longer than 256 characters.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInput(f"A password needs {SHORTEST} to {LONGEST} characters.")
    with _AT_ONCE:
        return _HASHER.hash(password.encode("utf-8", "surrogatepass"))


def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether ``password`` belongs to ``password_hash``; as slow when there is no such account."""
    candidate = password[:LONGEST].encode("utf-8", "surrogatepass")
    with _AT_ONCE:
        try:
            _HASHER.verify(password_hash or _hash_of_nobody(), candidate)
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None and len(password) <= LONGEST


def needs_rehash(password_hash: str) -> bool:
    """Whether a hash was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def random_password() -> str:
    """A password of 120 bits that can be typed.

    >>> len(random_password())
    20
    """
    return secrets.token_urlsafe(15)


@lru_cache(maxsize=1)
def _hash_of_nobody() -> str:
    return _HASHER.hash(secrets.token_bytes(32))
