"""Tokens that prove a form came from a page of ours.

A token is ``salt || HMAC-SHA256(secret, salt)``: the secret is the session's own (never shown in a
page), the salt is fresh on every call, so a compressed page leaks nothing from one answer to the
next (the BREACH attack), and nothing has to be stored.
"""

import hashlib
import hmac
import secrets

FIELD = "_csrf_token"
HEADER = "x-csrf-token"
_SALT_HEX = 32


def issue_token(secret: str) -> str:
    """A fresh token for the holder of ``secret``.

    >>> check_token("s", issue_token("s"))
    True
    """
    salt = secrets.token_hex(_SALT_HEX // 2)
    return salt + _sign(secret, salt)


def check_token(secret: str, token: str) -> bool:
    """Whether ``token`` was issued for ``secret``, in constant time.

    >>> check_token("s", issue_token("other")), check_token("s", "é")
    (False, False)
    """
    salt, signature = token[:_SALT_HEX], token[_SALT_HEX:]
    return hmac.compare_digest(_sign(secret, salt).encode(), signature.encode("utf-8", "replace"))


def _sign(secret: str, salt: str) -> str:
    message = b"csrf" + salt.encode("utf-8", "replace")
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
