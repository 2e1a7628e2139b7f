"""Properties in the vocabulary's terms: spelling, types, and which of them may be kept openly."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from math import isfinite
from operator import attrgetter
from typing import Any, get_args, get_type_hints

import msgspec

from lingxi.ingest.cleaning.draft import Draft, as_mapping
from lingxi.ingest.cleaning.values import SHORT, read_number, read_short, read_text
from lingxi.ingest.reasons import PutReason
from lingxi.schema.ecommerce import VOCABULARY, Product, ProductFields, Properties, TypedValue
from lingxi.schema.event import Scalar

MOST_PROPERTIES = 255
MOST_PRODUCTS = 500
_LONGEST_KEY = 100
_LONGEST_OPEN = 200
_LARGEST = 2**53
"""Beyond it a number of JSON is no longer exact, and a 64-bit column too small."""
_LONGEST_PRIVATE = 8_000
_ALIASES = {
    "productid": "product_id",
    "itemid": "product_id",
    "item": "product_id",
    "product": "product_id",
    "contentid": "product_id",
    "id": "product_id",
    "productname": "name",
    "itemname": "name",
    "productsku": "sku",
    "itemcategory": "category",
    "productcategory": "category",
    "itembrand": "brand",
    "itemvariant": "variant",
    "qty": "quantity",
    "amount": "price",
    "unitprice": "price",
    "productprice": "price",
    "itemprice": "price",
    "itemquantity": "quantity",
    "imageurl": "image_url",
    "image": "image_url",
    "orderid": "order_id",
    "transactionid": "order_id",
    "ordernumber": "order_id",
    "cartid": "cart_id",
    "checkoutid": "checkout_id",
    "listid": "list_id",
    "couponid": "coupon_id",
    "couponcode": "coupon",
    "searchterm": "query",
    "searchstring": "query",
    "searchquery": "query",
    "keyword": "query",
    "q": "query",
    "items": "products",
    "contents": "products",
    "lineitems": "products",
    "currencycode": "currency",
    "ordertotal": "total",
    "grandtotal": "total",
    "value": "revenue",
    "promotionid": "promotion_id",
}
_PERSONAL = re.compile(
    r"e_?mail|phone|mobile|tel$|(^|_)(first|last|full|user|customer|billing|shipping|given|family|"
    r"sur)_?name|^name$|username|address|street|zip|post_?code|postal|^ip|_ip$|ip_address|"
    r"birth|^dob|recipient|message|comment|note$|notes$|review_body|gender|latitude|longitude|"
    r"^title$|url|referrer|search$|signature|contact|passport",
    re.IGNORECASE,
)
_SECRET = re.compile(
    r"passw|secret|token|cvv|cvc|card_?num|credit_?card|iban|ssn|auth", re.IGNORECASE
)
_OPEN_NAMES = frozenset({"shipping_method", "variation_name", "experiment_name", "list_name"})
_PRIVATE_TYPED = frozenset({"share_message", "recipient", "review_body"})
_CATALOGUE = frozenset({"name", "url", "image_url", "products", "product_id", "quantity", "price"})
"""Typed fields that say something of the item and not of the event; lines hold what is needed."""


class Shape(msgspec.Struct, frozen=True):
    """Which fields a struct has, by how they are read."""

    kind: type[Properties]
    texts: frozenset[str]
    numbers: frozenset[str]
    lists: Mapping[str, type[Properties]]
    fields: frozenset[str]
    kept: tuple[str, ...]
    """The fields that no column of the event holds."""
    read_kept: Callable[[Properties], tuple[Any, ...]]
    """Their values."""


@lru_cache
def shape_of(kind: type[Properties]) -> Shape:
    """The fields of one struct of the vocabulary."""
    texts, numbers, lists = set(), set(), {}
    for name, hint in get_type_hints(kind).items():
        arguments = get_args(hint)
        if str in arguments:
            texts.add(name)
        elif float in arguments:
            numbers.add(name)
        else:
            lists[name] = TypedValue if TypedValue in arguments else Product
    fields = frozenset(kind.__struct_fields__)
    kept = tuple(name for name in kind.__struct_fields__ if name not in _COLUMNS)
    return Shape(
        kind, frozenset(texts), frozenset(numbers), lists, fields, kept, _make_reader(kept)
    )


def _make_reader(names: tuple[str, ...]) -> Callable[[Properties], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda typed: tuple(getattr(typed, name) for name in names)


_COLUMNS = _CATALOGUE | {"category", "query", "order_id", "currency", "sku"}
_SHAPES = {name: shape_of(kind) for name, kind in VOCABULARY.items()}
_PRODUCT = shape_of(Product)


def put_properties(draft: Draft) -> None:
    """Read a known event's properties into its struct; keep the others, open or private."""
    given = draft.body.get("properties")
    if not isinstance(given, dict):
        given = {}
    if len(given) > MOST_PROPERTIES:
        draft.note("put_properties", PutReason.FIELDS_DROPPED, "properties", len(given))
        given = dict(list(given.items())[:MOST_PROPERTIES])
    shape = _SHAPES.get(draft.name)
    if shape is None:
        draft.given = given
        return
    fields = shape.fields
    if given.keys() <= fields:
        draft.typed = _to_struct(draft, given, shape, "")
        return
    known: dict[str, object] = {}
    rest: dict[str, object] = {}
    for key, value in given.items():
        name = key if key in fields else spell(key, shape)
        if name is None:
            rest[key] = value
        elif name in known and name != key:
            rest[key] = value  # the specification's own spelling goes first
        else:
            if name != key:
                draft.note("put_properties", PutReason.PROPERTY_RENAMED, key, key, name)
            known[name] = value
    if "products" in fields:
        if "products" not in known and (ids := _find_key(rest, _ID_LISTS)):
            known["products"] = rest.pop(ids)
    elif issubclass(shape.kind, ProductFields) and known.keys().isdisjoint(_NAMES_ITEM):
        _put_products(draft, rest)
    draft.typed = _to_struct(draft, known, shape, "")
    draft.given = rest


def _put_products(draft: Draft, rest: dict[str, object]) -> None:
    """The products of an event of one product that tells of it in a list, as GA4 and Meta do."""
    key = _find_key(rest, _LISTS) or _find_key(rest, _ID_LISTS)
    if key:
        draft.note("put_properties", PutReason.PROPERTY_RENAMED, key, key, "products")
        found = _to_list(draft, rest.pop(key), Product, key)
        draft.products = tuple(each for each in found if isinstance(each, Product))


_LISTS = frozenset({"products", "items", "contents", "lineitems"})
_ID_LISTS = frozenset({"contentids", "productids", "itemids"})
_NAMES_ITEM = frozenset({"product_id", "sku"})


def _find_key(given: Mapping[str, object], names: frozenset[str]) -> str | None:
    """The first key of a list whose name is one of these, however it is spelt."""
    return next((k for k, v in given.items() if isinstance(v, list) and _fold(k) in names), None)


@lru_cache(maxsize=4_096)
def _fold(key: str) -> str:
    return re.sub(r"[\W_]+", "", key.lower())


def spell(key: str, shape: Shape) -> str | None:
    """The vocabulary's spelling of a property that a struct has; nothing where it has none."""
    if key in shape.fields:
        return key
    name = _respell(key)
    return name if name in shape.fields else None


@lru_cache(maxsize=4_096)
def _respell(key: str) -> str:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower().replace("-", "_").replace(" ", "_")
    return _ALIASES.get(_fold(key), snake)


def _to_struct(draft: Draft, known: Mapping[str, object], shape: Shape, where: str) -> Properties:
    values: dict[str, object] = {}
    numbers, texts = shape.numbers, shape.texts
    for name, value in known.items():
        if value is None:
            continue
        if name in texts:
            if type(value) is str and len(value) <= SHORT:
                text = read_short(value)
            else:
                text = read_text(value)
            if text is None and value != "":
                draft.note("put_properties", PutReason.VALUE_DROPPED, where + name, value)
            values[name] = text
        elif name in numbers:
            plain = type(value) is float and isfinite(value)
            values[name] = value if plain else _to_number(draft, value, where + name)
        else:
            values[name] = _to_list(draft, value, shape.lists[name], where + name)
    return shape.kind(**values)


def _to_number(draft: Draft, value: object, field: str) -> float | None:
    number = read_number(value)
    if number is None:
        if value != "":
            draft.note("put_properties", PutReason.VALUE_DROPPED, field, value)
    elif isinstance(value, str):
        draft.note("put_properties", PutReason.NUMBER_READ, field, value, number)
    return number


def _to_list(
    draft: Draft, value: object, kind: type[Properties], field: str
) -> tuple[Properties, ...]:
    if isinstance(value, str) and value[:1] in ("[", "{"):
        value = _read_json(value)
    entries = value if isinstance(value, list) else [value]
    if len(entries) > MOST_PRODUCTS:
        draft.note("put_properties", PutReason.FIELDS_DROPPED, field, len(entries))
    shape = _PRODUCT if kind is Product else shape_of(kind)
    found = []
    for place, entry in enumerate(entries[:MOST_PRODUCTS]):
        if isinstance(entry, str | int) and not isinstance(entry, bool):
            entry = {"product_id": entry}
        fields: dict[str, object] = {}
        for key, inner in as_mapping(entry).items():
            name = spell(key, shape)
            if name is not None and (name == key or name not in fields):
                fields[name] = inner
        found.append(_to_struct(draft, fields, shape, f"{field}[{place}]."))
    return tuple(found)


def _read_json(text: str) -> object:
    """What a text of JSON says, as tag managers write lists; the text where it is none."""
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return text


def put_rest(draft: Draft) -> None:
    """Keep what the event's columns do not hold: harmless scalars openly, the rest sealed."""
    kept = draft.kept
    if draft.typed is not None:
        _keep_typed(draft, draft.typed, _SHAPES[draft.name])
    for key, value in draft.given.items():
        if value is None:
            continue
        name = read_text(key, _LONGEST_KEY)
        if name is None:
            continue
        if _judge(name) == "secret":
            draft.note("put_rest", PutReason.SECRET_DROPPED, name)
        elif isinstance(value, str) and _judge(name) == "open" and is_harmless(value):
            text = read_text(value)
            if text is not None:
                kept.setdefault(name, text)
        elif isinstance(value, bool | int | float) and _judge(name) == "open":
            kept.setdefault(name, value if abs(value) < _LARGEST else str(value)[:_LONGEST_OPEN])
        elif value not in ("", [], {}):
            keep_private(draft, name, value)


def _keep_typed(draft: Draft, typed: Properties, shape: Shape) -> None:
    kept = draft.kept
    values = shape.read_kept(typed)
    if values.count(None) == len(values):
        return
    for name, value in zip(shape.kept, values, strict=True):
        if value is None:
            continue
        if name in _PRIVATE_TYPED or name in _PERSON_TYPED:
            keep_private(draft, name, value)
        elif isinstance(value, tuple):
            for entry in value:
                if isinstance(entry, TypedValue) and entry.type:
                    _keep_choice(kept, f"{name}.{entry.type}"[:_LONGEST_KEY], entry.value)
        else:
            kept[name] = value


def _keep_choice(kept: dict[str, Scalar], name: str, value: str | None) -> None:
    """Keep what was chosen of one type; of several choices all."""
    before = kept.get(name)
    if isinstance(before, str) and value:
        value = f"{before}, {value}"[:_LONGEST_OPEN]
    kept[name] = value


_PERSON_TYPED = frozenset({"first_name", "last_name", "email", "phone", "username", "title"})


@lru_cache(maxsize=8_192)
def _judge(name: str) -> str:
    """Whether a property of this name is ``open``, ``personal`` or ``secret``."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    if _SECRET.search(snake):
        return "secret"
    if snake in _OPEN_NAMES or not _PERSONAL.search(snake):
        return "open"
    return "personal"


def is_harmless(text: str) -> bool:
    """Whether a text of an unknown property may be kept openly: short, no address, no number of a
    phone's length.

    >>> is_harmless("blue"), is_harmless("ada@shop.example"), is_harmless("call +44 20 7946 0018")
    (True, False, False)
    """
    if len(text) > _LONGEST_OPEN or "@" in text or "://" in text:
        return False
    return text.isalpha() or sum(c.isdigit() for c in text) < 9 or " " not in text.strip()


def keep_private(draft: Draft, name: str, value: object) -> None:
    """Set a value aside for the person's own key."""
    if isinstance(value, str) and len(value) > _LONGEST_PRIVATE:
        draft.note("put_rest", PutReason.TEXT_CUT, name, len(value), _LONGEST_PRIVATE)
        value = value[:_LONGEST_PRIVATE]
    draft.private[name] = value
