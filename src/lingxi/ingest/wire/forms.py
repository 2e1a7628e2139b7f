"""Where in a body the JSON is: bare, in a form's ``data`` field, in base64; and query fields."""

import base64
import binascii
import re
from urllib.parse import parse_qsl

from lingxi.errors import BodyUnreadable
from lingxi.ingest.wire.parcel import Body

MOST_FIELDS = 500
_DEEPEST_FIELD = 5
_BLANK = b" \t\r\n\xef\xbb\xbf"
_BASE64 = re.compile(rb"[A-Za-z0-9+/_\-\s]+={0,2}\s*")


def find_json(body: bytes) -> bytes:
    """The JSON text in a body, told by its first bytes and not by its label.

    Raises
    ------
    BodyUnreadable
        If there is none.

    Examples
    --------
    >>> find_json(b' {"a": 1}'), find_json(b"data=%7B%22a%22%3A1%7D"), find_json(b"eyJhIjoxfQ==")
    (b'{"a": 1}', b'{"a":1}', b'{"a":1}')
    """
    text = body.lstrip(_BLANK)
    if text[:1] in (b"{", b"["):
        return text
    if not text:
        raise BodyUnreadable("The body is empty; send a JSON object.")
    found = _from_base64(text)
    if found is None and b"=" in text:
        found = find_data(read_fields(text))
    if found is None:
        raise BodyUnreadable("The body holds no JSON object, neither bare nor in a 'data' field.")
    return found


def find_data(fields: dict[str, str]) -> bytes | None:
    """The JSON text in the field ``data`` (or ``d``), bare or in base64."""
    text = (fields.get("data") or fields.get("d") or "").encode("utf-8", "replace")
    text = text.strip(_BLANK)
    if text[:1] in (b"{", b"["):
        return text
    return _from_base64(text.replace(b" ", b"+"))  # a '+' that was not escaped arrives as blank


def read_fields(text: bytes) -> dict[str, str]:
    """The fields of a form or a query; of a field given twice the last one counts.

    Raises
    ------
    BodyUnreadable
        If there are more than 500.
    """
    try:
        pairs = parse_qsl(
            text.decode("utf-8", "replace"),
            keep_blank_values=True,
            max_num_fields=MOST_FIELDS,
            errors="replace",
        )
    except ValueError as error:
        raise BodyUnreadable(f"The form has more than {MOST_FIELDS} fields.") from error
    return dict(pairs)


def nest(fields: dict[str, str]) -> Body:
    """Fields whose names have dots as objects within objects.

    >>> nest({"event": "Order Completed", "properties.total": "9"})
    {'event': 'Order Completed', 'properties': {'total': '9'}}
    """
    body: Body = {}
    for name, value in fields.items():
        *path, last = name.split(".")[:_DEEPEST_FIELD]
        inner = body
        for step in path:
            known = inner.get(step)
            if not isinstance(known, dict):
                known = inner[step] = {}
            inner = known
        inner[last] = value
    return body


def _from_base64(text: bytes) -> bytes | None:
    if not text or _BASE64.fullmatch(text) is None:
        return None
    plain = b"".join(text.split()).rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    try:
        found = base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True).lstrip(_BLANK)
    except (binascii.Error, ValueError):
        return None
    return found if found[:1] in (b"{", b"[") else None
