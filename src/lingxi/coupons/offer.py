"""The offer: what a customer gets, when, for what, how often, and what the shop will spend."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lingxi.errors import InvalidInput

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_SHARED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,39}")
_PREFIX = re.compile(r"[A-Z0-9]{0,12}")
LANGUAGES = ("en", "zh")
MOST_CENTS = 10**12
Cents = Annotated[int, Meta(ge=0, le=MOST_CENTS)]
Number = Annotated[int, Meta(ge=1, le=10**9)]
Ids = Annotated[tuple[str, ...], Meta(max_length=1_000)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of an offer: what it leaves out is as by default, what it misspells is refused."""


class Percent(_Part, frozen=True, tag_field="kind", tag="percent"):
    """So many per cent of the goods, at most ``at_most_cents``."""

    percent: Annotated[float, Meta(gt=0, le=100)]
    at_most_cents: Cents | None = None


class Amount(_Part, frozen=True, tag_field="kind", tag="amount"):
    """A fixed amount off the goods, never more than they cost."""

    cents: Annotated[int, Meta(ge=1, le=MOST_CENTS)]


class FreeShipping(_Part, frozen=True, tag_field="kind", tag="free_shipping"):
    """Delivery for nothing, or ``at_most_cents`` of it."""

    at_most_cents: Cents | None = None


class Gift(_Part, frozen=True, tag_field="kind", tag="gift"):
    """An item on top; ``worth_cents`` is what one costs the shop."""

    item_id: Annotated[str, Meta(min_length=1, max_length=200)]
    quantity: Annotated[int, Meta(ge=1, le=1_000)] = 1
    worth_cents: Cents = 0


class Points(_Part, frozen=True, tag_field="kind", tag="points"):
    """Loyalty points; ``worth_cents`` is what all of them together cost the shop."""

    points: Number
    worth_cents: Cents = 0


class Privilege(_Part, frozen=True, tag_field="kind", tag="privilege"):
    """Something that no checkout takes off, as early access to new items; ``worth_cents`` is what
    it costs the shop."""

    worth_cents: Cents = 0


Benefit = Percent | Amount | FreeShipping | Gift | Points | Privilege


class UniqueCode(_Part, frozen=True, tag_field="kind", tag="unique"):
    """A code of its own for every customer, made when it is issued."""

    prefix: str = ""
    length: Annotated[int, Meta(ge=10, le=24)] = 12


class PoolCode(_Part, frozen=True, tag_field="kind", tag="pool"):
    """A code of its own for every customer, from a list that was imported.

    ``low_at``: with so many left or fewer, the shop is told.
    """

    low_at: Annotated[int, Meta(ge=0, le=10**9)] = 100


class SharedCode(_Part, frozen=True, tag_field="kind", tag="shared"):
    """One code for everybody; with ``only_issued`` only for those it was issued to."""

    text: str
    only_issued: bool = False


CodeRule = UniqueCode | PoolCode | SharedCode


class Conditions(_Part, frozen=True):
    """What must hold for the offer to count.

    Where ``items`` or ``categories`` are named, only those goods count: for the minimum, and for
    the discount.
    """

    minimum_cents: Cents = 0
    items: Ids = ()
    categories: Ids = ()
    without_items: Ids = ()
    first_order: bool = False
    segment: Annotated[str, Meta(max_length=80)] = ""


class Validity(_Part, frozen=True):
    """From when to when a code counts: fixed moments, days from its issue, or both.

    ``days``: to the end of the day so many days after the issue, in the shop's time zone.
    """

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    days: Annotated[int, Meta(ge=1, le=3_660)] | None = None


class Limits(_Part, frozen=True):
    """What the shop is ready to give; nothing stands for no limit."""

    budget_cents: Cents | None = None
    issued: Number | None = None
    redemptions: Number | None = None
    per_customer: Number | None = 1


Occasion = Literal["welcome", "second_order", "loyalty_thanks", "win_back", "win_back_valued"]
"""When the plan looks for an offer: ``win_back_valued`` are those who are expected to bring as much
as the shop's median customer or more."""


class PlanUse(_Part, frozen=True):
    """When the plan may choose the offer by itself; on no occasion unless it says so.

    ``margin_floor``: per cent of the expected order that must be left of its margin after the
    offer. Where no margin is known, an offer with a floor is not chosen.
    """

    occasions: tuple[Occasion, ...] = ()
    margin_floor: Annotated[float, Meta(ge=0, le=100)] | None = None


class Offer(_Part, frozen=True):
    """An offer as a file, the API and the page have it. Amounts are the shop's minor units.

    Parameters
    ----------
    personal
        Only whom a code was issued to may redeem it, not whoever holds it.
    stacks_with
        Offers it may be used with in one order; ``*`` is any. Both must allow it.
    paused
        Nothing is issued and nothing redeemed for the time being.
    """

    name: str
    benefit: Benefit
    title: Mapping[str, Annotated[str, Meta(max_length=200)]] = {}
    code: CodeRule = UniqueCode()
    conditions: Conditions = Conditions()
    validity: Validity = Validity()
    limits: Limits = Limits()
    plan: PlanUse = PlanUse()
    stacks_with: Ids = ()
    personal: bool = False
    paused: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidInput(
                f"{self.name!r} is no name for an offer: use at most 40 small letters, digits, "
                "- and _ ."
            )
        if unknown := set(self.title) - set(LANGUAGES):
            raise InvalidInput(f"title: languages are en and zh, not {sorted(unknown)}.")
        _check_code(self.code)
        _check_validity(self.validity)

    def title_in(self, language: str) -> str:
        """The title in a language, else in the other one, else the name.

        >>> Offer(name="spring", benefit=Amount(cents=500), title={"en": "5 off"}).title_in("zh")
        '5 off'
        """
        held = [self.title.get(each, "") for each in (language, *LANGUAGES)]
        return next((each for each in held if each), self.name)


def _check_code(code: CodeRule) -> None:
    if isinstance(code, SharedCode) and not _SHARED.fullmatch(code.text):
        raise InvalidInput("code.text must be 3 to 40 letters and digits, - and _ within.")
    if isinstance(code, UniqueCode) and not _PREFIX.fullmatch(code.prefix):
        raise InvalidInput("code.prefix must be at most 12 capital letters and digits.")


def _check_validity(validity: Validity) -> None:
    for name in ("starts_at", "ends_at"):
        moment = getattr(validity, name)
        if moment is not None and moment.tzinfo is None:
            raise InvalidInput(f"validity.{name} needs a time zone: 2026-05-01T00:00:00+02:00.")
    starts, ends = validity.starts_at, validity.ends_at
    if starts is not None and ends is not None and starts >= ends:
        raise InvalidInput("validity.ends_at must be after validity.starts_at.")
