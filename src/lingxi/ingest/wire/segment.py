"""The Segment protocol, as its own clients, RudderStack's and Jitsu's speak it."""

import msgspec

from lingxi.errors import BodyUnreadable
from lingxi.ingest.wire.forms import find_data, find_json, nest, read_fields
from lingxi.ingest.wire.mend import decode, split_array
from lingxi.ingest.wire.parcel import (
    LARGEST_EVENT,
    Body,
    Parcel,
    Part,
    Read,
    check_count,
    read_part,
    read_parts,
)

TYPES = frozenset({"track", "identify", "page", "screen", "group", "alias"})
_KEYS = ("writeKey", "write_key", "api_key", "token")


class _Envelope(msgspec.Struct, rename="camel"):
    """The request of a batch, its messages still bytes."""

    batch: list[msgspec.Raw]
    sent_at: object = None
    write_key: object = None
    api_key: object = msgspec.field(default=None, name="api_key")
    token: object = None
    sent: object = msgspec.field(default=None, name="sent_at")
    context: object = None
    integrations: object = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)


def read_body(body: bytes, kind: str = "") -> Parcel:
    """What a POST brought.

    Parameters
    ----------
    body
        Unpacked, in whatever form: JSON, a form, base64.
    kind
        The type that the address names (``track``), for messages that do not say theirs; empty
        for a batch.

    Raises
    ------
    BodyUnreadable
        If nothing in it can be read.
    """
    raw = find_json(body)
    if not kind or raw[:1] == b"[":
        return read_batch(raw, kind)
    if len(raw) <= LARGEST_EVENT:
        value = decode(raw)
        if isinstance(value, dict) and not isinstance(value.get("batch"), list):
            return Parcel(
                parts=(Part(raw, normalise(value, kind)),),
                write_key=_find_key(value),
                sent_at=value.get("sentAt"),
            )
    return read_batch(raw, kind)


def read_batch(raw: bytes, kind: str = "", read: Read | None = None) -> Parcel:
    """The messages of a batch, each read alone: one that is malformed does not spoil the others.

    An object without ``batch`` is one message.

    Raises
    ------
    BodyTooLarge
        If it holds more than 10,000 messages.
    BodyUnreadable
        If it is neither an object nor a list.
    """
    if raw[:1] == b"[":
        read = read or (lambda body: normalise(body, kind))
        parts = read_parts(split_array(raw, 0), read)
        found = (_find_key(part.body) for part in parts)
        return Parcel(parts=parts, write_key=next(filter(None, found), None))
    try:
        envelope = _ENVELOPE.decode(raw)
    except (ValueError, RecursionError):
        return _read_damaged(raw, kind, read)
    shared = {
        name: value
        for name, value in (("context", envelope.context), ("integrations", envelope.integrations))
        if isinstance(value, dict) and value
    }

    def read_one(body: Body) -> Body:
        for name, value in shared.items():
            own = body.get(name)
            body[name] = {**value, **own} if isinstance(own, dict) else value
        return normalise(body, kind)

    check_count(len(envelope.batch))
    raws = [bytes(each) for each in envelope.batch]
    keys = (envelope.write_key, envelope.api_key, envelope.token)
    return Parcel(
        parts=read_parts(raws, read or read_one),
        write_key=next((key for key in keys if isinstance(key, str) and key), None),
        sent_at=envelope.sent_at if envelope.sent_at is not None else envelope.sent,
    )


def read_query(query: bytes, kind: str) -> Parcel:
    """What a GET of an image brought: one message, in ``data`` or in fields of its own.

    Raises
    ------
    BodyUnreadable
        If ``data`` holds no JSON object.
    """
    fields = read_fields(query)
    raw = find_data(fields)
    if raw is None and "data" in fields:
        raise BodyUnreadable("The field 'data' holds no JSON object, neither bare nor in base64.")
    if raw is None:
        raw = msgspec.json.encode(nest({k: v for k, v in fields.items() if k not in _KEYS}))
    part = read_part(raw, lambda body: normalise(body, kind))
    key = _find_key(fields) or _find_key(part.body)
    return Parcel(parts=(part,), write_key=key, sent_at=part.body.get("sentAt"))


def normalise(body: Body, kind: str) -> Body:
    """One message in the terms of the specification: its type, and traits where they belong.

    >>> normalise({"context": {"traits": {"email": "a@b.c"}}}, "identify")["traits"]
    {'email': 'a@b.c'}
    """
    said = body.get("type")
    if kind and (not isinstance(said, str) or said not in TYPES):
        body["type"] = said = kind
    if said == "identify" and not body.get("traits"):
        context = body.get("context")
        traits = context.get("traits") if isinstance(context, dict) else None
        if isinstance(traits, dict):
            body["traits"] = traits
    return body


def _read_damaged(raw: bytes, kind: str, read: Read | None) -> Parcel:
    """A body that is not JSON as a whole: its batch cut into messages by its brackets alone."""
    start = raw.find(b"[", raw.find(b'"batch"')) if b'"batch"' in raw else -1
    if start < 0:
        return _read_lone(raw, kind, read)
    rest = raw[: raw.find(b'"batch"')].rstrip().rstrip(b",") + b"}"
    try:
        head = decode(rest)
    except BodyUnreadable:
        head = {}
    known = head if isinstance(head, dict) else {}
    parts = read_parts(split_array(raw, start), read or (lambda body: normalise(body, kind)))
    return Parcel(parts=parts, write_key=_find_key(known), sent_at=known.get("sentAt"))


def _read_lone(raw: bytes, kind: str, read: Read | None) -> Parcel:
    if len(raw) <= LARGEST_EVENT:
        decode(raw)  # a request that is not JSON is answered so, and not set aside as an event
    part = read_part(raw, read or (lambda body: normalise(body, kind)))
    return Parcel(parts=(part,), write_key=_find_key(part.body), sent_at=part.body.get("sentAt"))


def _find_key(body: Body | dict[str, str]) -> str | None:
    for name in _KEYS:
        key = body.get(name)
        if isinstance(key, str) and key:
            return key
    return None
