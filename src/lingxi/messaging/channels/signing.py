"""The signature of what we post: whoever has the secret knows that it is ours, whole and fresh."""

import hashlib
import hmac
from datetime import datetime

SIGNATURE, TIMESTAMP = "Lingxi-Signature", "Lingxi-Timestamp"
_TOLERANCE_SECONDS = 300


def sign_body(secret: str, body: bytes, now: datetime) -> dict[str, str]:
    """The two headers of a signed body: HMAC-SHA256 over ``timestamp.body``.

    >>> from datetime import UTC
    >>> sign_body("s", b"{}", datetime(2026, 1, 1, tzinfo=UTC))["Lingxi-Timestamp"]
    '1767225600'
    """
    stamp = str(int(now.timestamp()))
    return {TIMESTAMP: stamp, SIGNATURE: f"v1={_digest(secret, stamp, body)}"}


def verify_body(secret: str, body: bytes, signature: str, timestamp: str, now: datetime) -> bool:
    """Whether a body is signed with the secret, not more than five minutes ago.

    For those who receive: compare before the body is used, and remember ids for as long.

    >>> from datetime import UTC
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> said = sign_body("s", b"{}", now)
    >>> verify_body("s", b"{}", said["Lingxi-Signature"], said["Lingxi-Timestamp"], now)
    True
    >>> verify_body("s", b"[]", said["Lingxi-Signature"], said["Lingxi-Timestamp"], now)
    False
    """
    if not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > 12:
        return False
    if abs(now.timestamp() - int(timestamp)) > _TOLERANCE_SECONDS:
        return False
    wanted = f"v1={_digest(secret, timestamp, body)}"
    return hmac.compare_digest(wanted.encode(), signature.encode())


def _digest(secret: str, stamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
