"""Whose a message is, and what it says of them."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from lingxi.ingest.cleaning.draft import Draft, Halt, as_mapping
from lingxi.ingest.cleaning.values import read_text
from lingxi.ingest.emails import read_email
from lingxi.ingest.message import Identifier, IdKind, Link
from lingxi.ingest.phones import read_phone
from lingxi.ingest.puts import tidy_id
from lingxi.ingest.reasons import DropReason, PutReason
from lingxi.ingest.words import is_guest
from lingxi.schema.ecommerce import ORDER_NAMES

_NOBODY = re.compile(
    r"[0-]*|-1|null|undefined|anonymous|\[object object\]|nan|true|false|not_authenticated|"
    r"(user|anonymous|distinct)[_-]?id|nil|empty|[(<\[](not set|none|null|empty|nil)[)>\]]|"
    r"(no|do)[-_.]?(not[-_.]?)?reply|.*(\{\{|%7b%7b|\$\{|<%).*|\*\|.*\|\*",
    re.IGNORECASE | re.DOTALL,
)
"""What programs write for nobody, and templates that were not filled in."""
_LONGEST_NOBODY = 80
_COUNTED = "01234567890123456789"
_OTHERS = re.compile(r"shar|invit|refer|gift|friend|recommend", re.IGNORECASE)
"""Names of events whose address may be of somebody else: who gets the gift."""
_MOST_EXTERNAL, _MOST_TRAITS, _LONGEST_TRAIT, _LONGEST_NAME = 10, 100, 2_000, 64
_LONGEST_PLAIN = 200
_USER, _ANONYMOUS = IdKind.USER, IdKind.ANONYMOUS
"""Looking a member of an enumeration up costs as much as reading an id."""
_LOGOUTS = frozenset({"signed out", "logged out", "logout", "log out", "sign out", "signout"})
_TRAIT_NAMES = {
    "firstname": "first_name",
    "lastname": "last_name",
    "phonenumber": "phone",
    "emailaddress": "email",
    "createdat": "created_at",
    "dateofbirth": "birthday",
}
_SECRET = re.compile(r"passw|secret|token|cvv|cvc|card_?num|creditcard|iban|ssn", re.IGNORECASE)


def put_people(draft: Draft) -> None:
    """Read every identifier, strongest first; placeholders identify nobody."""
    body = draft.body
    found = draft.identifiers
    _add(draft, found, _USER, "userId", body.get("userId"))
    said = _said_of_person(draft)
    if found and "@" in found[0].value and "email" not in said:
        said = {**said, "email": found[0].value}
    if said:
        email = read_email(said.get("email"))
        if email and is_placeholder(email.partition("@")[0]):
            draft.note("put_people", PutReason.ID_BLOCKED, IdKind.EMAIL.value, email)
        elif email:
            found.append(Identifier(IdKind.EMAIL, email))
        phone = read_phone(said.get("phone"))
        if phone and is_made_up(phone):
            draft.note("put_people", PutReason.ID_BLOCKED, IdKind.PHONE.value, phone)
        elif phone:
            found.append(Identifier(IdKind.PHONE, phone))
    context = draft.context
    if context:
        if "externalIds" in context:
            found.extend(_read_external(context["externalIds"]))
        device = context.get("device")
        if isinstance(device, dict) and (device := device.get("id")) is not None:
            _add(draft, found, IdKind.DEVICE, "context.device.id", device)
    _add(draft, found, _ANONYMOUS, "anonymousId", body.get("anonymousId"))
    if draft.kind == "alias":
        _put_alias(draft)
    elif draft.kind == "identify":
        draft.link = Link.IDENTIFY
        put_traits(draft, as_mapping(body.get("traits")))
        put_traits(draft, as_mapping(draft.context.get("traits")))
    elif is_logout(draft.name):
        draft.link = Link.LOGOUT


@lru_cache(maxsize=4_096)
def is_logout(name: str) -> bool:
    """Whether an event of this name says that the person left the browser to others."""
    return name.lower() in _LOGOUTS


def drop_nobody(draft: Draft) -> None:
    """A message that names nobody can teach nothing; an order of a trusted shop still can."""
    if draft.identifiers:
        return
    told = draft.message.trusted and (draft.lines or draft.order_id)
    if told and (draft.name in ORDER_NAMES or not draft.message.recorded):
        return
    raise Halt(DropReason.VISITOR_MISSING, "userId, anonymousId")


def _said_of_person(draft: Draft) -> Mapping[str, object]:
    """What may name the person, the places of Segment's "Identity Resolution ExternalIDs": traits
    of identify, those of the context, and of a track event its e-mail address."""
    if draft.kind == "identify":
        own = as_mapping(draft.body.get("traits"))
        return own or as_mapping(draft.context.get("traits"))
    said = draft.context.get("traits") if draft.context else None
    if said:
        return as_mapping(said)
    if draft.kind == "track" and not draft.message.trusted:
        properties = draft.body.get("properties")
        if isinstance(properties, dict) and "email" in properties and not names_others(draft.name):
            return {"email": properties["email"]}
    return {}


@lru_cache(maxsize=4_096)
def names_others(name: str) -> bool:
    """Whether an address in an event of this name may be somebody else's.

    >>> names_others("Product Shared"), names_others("Order Completed")
    (True, False)
    """
    return _OTHERS.search(name) is not None


def is_made_up(phone: str) -> bool:
    """Whether a number stands for none: one digit again and again, or digits in their order.

    >>> is_made_up("1111111"), is_made_up("+1234567890"), is_made_up("02079460018")
    (True, True, False)
    """
    digits = phone.removeprefix("+")
    return len(set(digits)) == 1 or digits in _COUNTED


def _add(draft: Draft, found: list[Identifier], kind: IdKind, field: str, value: object) -> None:
    if value is None:
        return
    text = value if isinstance(value, str) else read_text(value, 10_000)
    if not text:
        return
    tidied, is_blocked = _read_short_id(text) if len(text) <= _LONGEST_PLAIN else _read_id(text)
    if tidied is None:
        return
    if is_blocked:
        draft.note("put_people", PutReason.ID_BLOCKED, field, value)
        return
    found.append(Identifier(kind, tidied))


def _read_id(text: str) -> tuple[str | None, bool]:
    """An id, tidied, and whether it stands for nobody."""
    tidied = tidy_id(text)
    return tidied, tidied is not None and is_placeholder(tidied)


_read_short_id = lru_cache(maxsize=65_536)(_read_id)
"""For ids of bounded length: those of one person come again and again."""


def is_placeholder(value: str) -> bool:
    """Whether an id stands for nobody: ``0``, ``null``, ``anonymous``, the nil UUID, ...

    >>> is_placeholder("00000000-0000-0000-0000-000000000000"), is_placeholder("17850")
    (True, False)
    >>> is_placeholder("{{ customer.id }}"), is_placeholder("(not set)")
    (True, True)
    """
    if len(value) > _LONGEST_NOBODY:
        return False
    return _NOBODY.fullmatch(value) is not None or is_guest(value)


def _read_external(value: object) -> Iterator[Identifier]:
    """``context.externalIds`` of the specification: ``[{"id", "type", ...}]``."""
    entries = value if isinstance(value, list) else []
    for entry in entries[:_MOST_EXTERNAL]:
        fields = as_mapping(entry)
        text, space = read_text(fields.get("id"), 10_000), read_text(fields.get("type"), 64)
        tidied = tidy_id(text) if text else None
        if tidied and space and not is_placeholder(tidied):
            yield Identifier(IdKind.EXTERNAL, tidied, space)


def _put_alias(draft: Draft) -> None:
    """``previousId`` is the same person as ``userId``: an anonymous id, or an id of before."""
    draft.link = Link.ALIAS
    _add(draft, draft.previous, IdKind.ANONYMOUS, "previousId", draft.body.get("previousId"))
    draft.previous.extend([Identifier(IdKind.USER, each.value) for each in draft.previous])


def put_traits(draft: Draft, given: Mapping[str, object]) -> None:
    """Traits as texts; ``null`` takes one back. Secrets are never kept."""
    for key, value in _flatten(given):
        if len(draft.traits) >= _MOST_TRAITS:
            draft.note("put_traits", PutReason.FIELDS_DROPPED, key)
            return
        name = _TRAIT_NAMES.get(key.lower().replace("_", ""), key)
        if _SECRET.search(name):
            draft.note("put_traits", PutReason.SECRET_DROPPED, name)
            continue
        draft.traits.setdefault(name, _to_trait(value))


def _flatten(given: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for key, value in given.items():
        name = key.strip()[:_LONGEST_NAME]
        if not name or not name.isprintable():
            continue
        if isinstance(value, dict):
            for inner, below in value.items():
                yield f"{name}.{inner}"[:_LONGEST_NAME], below
        else:
            yield name, value


def _to_trait(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value.strip()[:_LONGEST_TRAIT] or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return read_text(value)
    return json.dumps(value, ensure_ascii=False)[:_LONGEST_TRAIT]
