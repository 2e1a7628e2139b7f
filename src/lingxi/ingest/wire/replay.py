"""A message's own bytes read again, as for a replay from quarantine, when its address is lost."""

from lingxi.errors import BodyUnreadable
from lingxi.ingest.wire.mend import decode
from lingxi.ingest.wire.parcel import Body
from lingxi.ingest.wire.posthog import is_posthog, translate
from lingxi.ingest.wire.segment import TYPES, normalise

_SIGNS = (
    ("event", "track"),
    ("previousId", "alias"),
    ("groupId", "group"),
    ("traits", "identify"),
)


def read_raw(raw: bytes) -> Body:
    """The body of one message in the terms of the Segment specification.

    The type, where the message does not name it because its address did, follows from the fields
    that only that type has.

    Raises
    ------
    BodyUnreadable
        If the bytes are no JSON object.

    Examples
    --------
    >>> read_raw(b'{"event": "Order Completed", "userId": "u"}')["type"]
    'track'
    """
    body = decode(raw)
    if not isinstance(body, dict):
        raise BodyUnreadable("The message is JSON, but no object.")
    said = body.get("type")
    if not (isinstance(said, str) and said in TYPES) and is_posthog(body):
        return translate(body)
    return normalise(body, next((kind for sign, kind in _SIGNS if body.get(sign)), "page"))
