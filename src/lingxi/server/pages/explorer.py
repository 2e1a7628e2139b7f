"""The recommendation explorer: any list for anyone, why, and what one more event would change."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.params import QueryParameter

from lingxi.access import Scope
from lingxi.app.answers import Answers
from lingxi.app.placements.request import Ask
from lingxi.app.placements.views import PlacedItem, PlacementView, WhyNotView
from lingxi.errors import InvalidInput, NotTrained
from lingxi.recommend.placements.verdict import Verdict
from lingxi.server.api.parameters import Filter, check_text
from lingxi.server.dependencies import AskAnswers
from lingxi.server.pages.frame import AskFrame
from lingxi.server.pages.links import Address
from lingxi.server.pages.placement_form import split_ids
from lingxi.server.pages.words import Words

DEEDS = ("viewed", "in_cart", "bought")
_LONGEST_BASKET = 2_000
_CAUSES = 8
Basket = Annotated[
    str,
    QueryParameter(max_length=_LONGEST_BASKET, description="Item ids with commas between them."),
]


@dataclass(frozen=True)
class Wish:
    """What was asked for; ``added``: an item that the customer might meet next, by ``deed``;
    ``missing``: an item that the reader misses in the list."""

    placement: str
    ask: Ask
    added: str = ""
    deed: str = DEEDS[0]
    missing: str = ""


@dataclass(frozen=True)
class Place:
    """An item of the list shown; ``before`` is its position without what was added."""

    item: PlacedItem
    before: int | None
    move: str


@dataclass(frozen=True)
class Exploration:
    """The list shown, and how it differs from the one without ``added``, where there is one."""

    view: PlacementView
    places: tuple[Place, ...]
    gone: tuple[PlacedItem, ...]
    added: WhyNotView | None
    standing: WhyNotView | None
    unknown: tuple[str, ...] = ()
    """Items of the page, of what was looked at and of the cart that the shop does not have."""

    @property
    def compared(self) -> bool:
        """Whether something was added; what the shop does not have cannot be."""
        return self.added is not None and self.added.verdict != Verdict.UNKNOWN

    @property
    def moved(self) -> int:
        """Places that hold another item than before."""
        return sum(1 for place in self.places if place.move != "same")


@get("/explorer", opt={"scope": Scope.RECOMMENDATIONS}, sync_to_thread=True)
def get_explorer(
    frame: AskFrame,
    answers: AskAnswers,
    placement: Filter = "",
    customer: Filter = "",
    seen: Basket = "",
    cart: Basket = "",
    item: Filter = "",
    category: Filter = "",
    added: Filter = "",
    deed: Filter = "",
    missing: Filter = "",
) -> Response[str]:
    """A list with the causes and steps of every item."""
    names = tuple(answers.placements.book.get().placements)
    filters = {
        "placement": placement or names[0],
        "customer": check_text("customer", customer).strip(),
        "seen": check_text("seen", seen),
        "cart": check_text("cart", cart),
        "item": check_text("item", item).strip(),
        "category": check_text("category", category).strip(),
        "added": check_text("added", added).strip(),
        "deed": deed if deed in DEEDS else DEEDS[0],
        "missing": check_text("missing", missing).strip(),
    }
    found, problem = None, None
    try:
        found = explore(answers, read_wish(filters))
    except NotTrained:
        return frame.page("explorer_empty.html")
    except InvalidInput as error:
        problem = frame.words.problem(error)
    context = {
        "filters": filters,
        "names": names,
        "deeds": DEEDS,
        "found": found,
        "problem": problem,
        "causes": _CAUSES,
        "answer": answer_exploration(frame.words, found)
        if found
        else frame.words.text("explorer.answer.problem"),
    }
    return frame.list_page("explorer.html", context, Address("/explorer", _spell(filters)))


def read_wish(filters: Mapping[str, str]) -> Wish:
    """What the form says, as a request.

    >>> wish = read_wish({"placement": "home", "seen": "A, B", "added": "C", "deed": "viewed"})
    >>> wish.ask.history, wish.added
    (('A', 'B'), 'C')
    """
    ask = Ask(
        customer_id=filters.get("customer") or None,
        history=split_ids(filters.get("seen", "")),
        cart=split_ids(filters.get("cart", "")),
        item_id=filters.get("item") or None,
        category=filters.get("category") or None,
    )
    return Wish(
        filters["placement"],
        ask,
        filters.get("added", ""),
        filters.get("deed", ""),
        filters.get("missing", ""),
    )


def explore(answers: Answers, wish: Wish) -> Exploration:
    """Make the list, and the one with what was added where something was; nothing is noted."""
    desk, ask = answers.placements, wish.ask
    before = desk.recommend(wish.placement, ask, explain=True, log=False)
    after = before
    added = desk.why_not(wish.placement, ask, wish.added) if wish.added else None
    if added is not None and added.verdict != Verdict.UNKNOWN:
        ask = add_event(ask, wish.added, wish.deed)
        after = desk.recommend(wish.placement, ask, explain=True, log=False)
    standing = desk.why_not(wish.placement, ask, wish.missing) if wish.missing else None
    named = (*wish.ask.history, *wish.ask.cart, *filter(None, [wish.ask.item_id]))
    return replace(compare(before, after, added, standing), unknown=desk.find_unknown(named))


def add_event(ask: Ask, item_id: str, deed: str) -> Ask:
    """The same request after one more event; in a cart counts as looked at too."""
    if deed == "bought":
        return msgspec.structs.replace(ask, bought=(*ask.bought, item_id)[-100:])
    history = (*ask.history, item_id)[-100:]
    if deed == "in_cart":
        return msgspec.structs.replace(ask, history=history, cart=(*ask.cart, item_id)[-100:])
    return msgspec.structs.replace(ask, history=history)


def compare(
    before: PlacementView,
    after: PlacementView,
    added: WhyNotView | None,
    standing: WhyNotView | None,
) -> Exploration:
    """Where each item of a list stood in another."""
    old = {item.item_id: item.position for item in before.items}
    new = {item.item_id for item in after.items}
    places = tuple(
        Place(item, old.get(item.item_id), _name_move(old.get(item.item_id), item.position))
        for item in after.items
    )
    gone = tuple(item for item in before.items if item.item_id not in new)
    return Exploration(after, places, gone, added, standing)


def _name_move(before: int | None, position: int) -> str:
    if before is None:
        return "new"
    return "same" if before == position else "up" if position < before else "down"


def answer_exploration(words: Words, found: Exploration) -> str:
    """Who would see what first, why, and what one more event would change."""
    view, added = found.view, found.added
    who = words.text("explorer.who.stranger")
    if view.customer_id and view.known:
        code = "known" if view.personalised else "refused"
        who = words.text(f"explorer.who.{code}", customer=view.customer_id)
    elif view.customer_id:
        who = words.text("explorer.who.unknown", customer=view.customer_id)
    if found.unknown:
        unknown = words.listed(found.unknown)
        who = words.join(words.text("explorer.unknown", n=len(found.unknown), items=unknown), who)
    if not view.items:
        return words.join(who, words.text("explorer.answer.none"))
    first = view.items[0]
    said = words.text("explorer.answer", n=len(view.items), name=first.name or first.item_id)
    parts = [who, said, words.say(first.why)]
    if added is not None:
        code = "changes" if found.moved else "nothing"
        code = code if found.compared else "unknown"
        name = added.name or added.item_id
        parts.append(words.text(f"explorer.answer.{code}", n=found.moved, name=name))
    return words.join(*parts)


def _spell(filters: Mapping[str, str]) -> dict[str, str]:
    """For the address: without a deed where nothing was added."""
    return {k: v for k, v in filters.items() if k != "deed" or filters["added"]}


ROUTES = [get_explorer]
