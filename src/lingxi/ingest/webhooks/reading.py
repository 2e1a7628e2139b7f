"""What one webhook means: messages, changes of the catalogue, requests about persons."""

from collections.abc import Mapping, Sequence

import msgspec

from lingxi.ingest.cleaning.values import read_number

Body = dict[str, object]
_MOST_CODES = 10


class PersonRequest(msgspec.Struct, frozen=True):
    """What a platform asks about a person: ``export``, ``erase``, or ``erase_shop``; ``ids`` are
    the ways in which it names them."""

    kind: str
    ids: Sequence[str] = ()


class Reading(msgspec.Struct, frozen=True):
    """The bodies of messages in Segment's terms; items as for the catalogue's API, by id; groups of
    items to remove, and groups told whole, whose other items are gone; stock by the platform's own
    inventory id. ``product`` is the platform's id of what was told of, and ``changed_at`` when that
    changed by the platform's clock; empty where it does not say. ``lacking`` names what the
    platform documents and the webhook does not say: then it means nothing, and is set aside whole.
    """

    messages: Sequence[Body] = ()
    items: Mapping[str, Body] = {}
    removed_groups: Sequence[str] = ()
    whole_groups: Mapping[str, Sequence[str]] = {}
    stock: Mapping[str, int] = {}
    requests: Sequence[PersonRequest] = ()
    uninstalled: bool = False
    product: str = ""
    changed_at: str = ""
    lacking: str = ""


def as_object(value: object) -> Body:
    """An object of JSON, or an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Body]:
    """The objects of a list of JSON."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def as_text(value: object) -> str:
    """An id or a text; empty for everything else."""
    if isinstance(value, bool) or value is None:
        return ""
    return str(value).strip() if isinstance(value, str | int | float) else ""


def find_lacking(body: Mapping[str, object], needs: Sequence[Sequence[str]]) -> str:
    """The first need that no field of a body meets; each is a choice of fields. Empty if none.

    >>> find_lacking({"id": None, "total": "0.00"}, [["id"], ["total", "line_items"]])
    'id'
    >>> find_lacking({"id": 5, "line_items": []}, [["id"], ["total", "line_items"]])
    'total or line_items'
    """
    for need in needs:
        if not any(as_text(body.get(name)) or as_list(body.get(name)) for name in need):
            return " or ".join(need)
    return ""


def drop_empty(body: Mapping[str, object]) -> Body:
    """A body without what says nothing."""
    return {name: value for name, value in body.items() if value not in (None, "", [], {})}


def name_item(sku: object, variant: object, product: object) -> str:
    """One name for one thing: its SKU, else the id of the variant, else of the product.

    >>> name_item("", 42, 7), name_item("MUG-1", 42, 7)
    ('42', 'MUG-1')
    """
    return as_text(sku) or as_text(variant) or as_text(product)


def spell_codes(codes: Sequence[Body], amount: str) -> Body:
    """The codes of an order as properties: ``coupon`` and ``coupon_discount``, then ``coupon_2``
    and so on, at most ten; ``amount`` is the field that says what each took off.

    >>> spell_codes([{"code": "A", "off": "5.00"}, {"code": "B"}], "off")
    {'coupon': 'A', 'coupon_discount': 5.0, 'coupon_2': 'B'}
    """
    said: Body = {}
    named = [each for each in codes if as_text(each.get("code"))]
    for place, each in enumerate(named[:_MOST_CODES], 1):
        name = "coupon" if place == 1 else f"coupon_{place}"
        said[name] = as_text(each.get("code"))
        said[f"{name}_discount"] = read_number(each.get(amount))
    return {name: value for name, value in said.items() if value is not None}
