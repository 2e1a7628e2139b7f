"""Random secrets and their hashes: what is stored opens nothing."""

import hashlib
import secrets


def new_token() -> str:
    """256 random bits, safe in a cookie and in an address.

    >>> len(new_token())
    43
    """
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """SHA-256 of a token; enough because a token has 256 random bits to begin with.

    >>> hash_token("a")[:8]
    'ca978112'
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
