"""Placements of a shop in use: lists with their reasons, why not, and what a change would do."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
import sqlalchemy as sa

from lingxi.app.placements.book import Book
from lingxi.app.placements.preview import compare_lists, draw_sample
from lingxi.app.placements.promoted import Promoted
from lingxi.app.placements.ready import Lists, Ready
from lingxi.app.placements.request import Ask, Found, find_asker, read_context
from lingxi.app.placements.show import show_standing
from lingxi.app.placements.stock import Stock
from lingxi.app.placements.views import PlacementView, PreviewView, WhyNotView
from lingxi.app.served import to_placement_event
from lingxi.recommend.placements.compiled import Compiled, Compiler
from lingxi.recommend.placements.context import Context
from lingxi.recommend.placements.definition import Placement, Rule, Strategy, Variant
from lingxi.recommend.placements.knowledge import Knowledge
from lingxi.recommend.placements.listing import Listed, make_list
from lingxi.recommend.placements.split import choose_variant
from lingxi.recommend.placements.why_not import find_standing

if TYPE_CHECKING:
    from lingxi.app.queries.recommendations import Shelf
    from lingxi.app.shop import Shop
    from lingxi.recommend import Recommender


_IDLE = np.random.default_rng(0)
"""For lists that leave nothing to chance: it is never asked."""


@dataclass(frozen=True)
class _Asked:
    """A request for a list of a placement, and what is known of it at that moment."""

    placement: Placement
    recommender: "Recommender"
    now: datetime
    found: Found
    known: Knowledge
    context: Context

    @property
    def experiment(self) -> str | None:
        """The name of the placement's experiment, if it has one."""
        return self.placement.experiment.name if self.placement.experiment else None


class Desk:
    """Everything about placements that API, pages and command line ask."""

    def __init__(self, shop: "Shop", shelf: "Shelf") -> None:
        self._shop, self._shelf = shop, shelf
        self.book = Book(shop)
        self._stock = Stock(shop)
        self._promoted = Promoted(shop)
        self._compiler = Compiler()

    def recommend(
        self,
        name: str,
        ask: Ask,
        *,
        explain: bool = False,
        log: bool = True,
        draft: Placement | None = None,
        arm: str | None = None,
    ) -> PlacementView:
        """The list of a placement for a request.

        Parameters
        ----------
        explain
            Give every item's causes and steps too.
        log
            Note the list as shown. What is only looked at is not: it explores nothing either.
        draft
            A definition to try in place of the one in use.
        arm
            The arm to show, whoever asks; for looking only.

        Raises
        ------
        UnknownPlacement
            If there is no such placement.
        InvalidInput
            If the request cannot be understood.
        NotTrained
            Before the first training.
        """
        definitions = self.book.get()
        placement = draft or definitions.get(name)
        ask.check()
        recommender = self._shelf.get()
        with self._shop.store.read() as tx:
            asked = self._ask(tx, recommender, placement, ask)
        variant, chosen = choose_variant(placement, asked.context.unit)
        if arm is not None and placement.experiment is not None:
            variant, chosen = placement.experiment.variant if arm == "b" else placement, arm
        compiled = self._compiler.get(variant, definitions.rules, asked.context, asked.known.table)
        return self._answer(name, ask, asked, variant, compiled, chosen, explain=explain, log=log)

    def recommend_at_once(
        self,
        tx: sa.Connection,
        recommender: "Recommender",
        name: str,
        ask: Ask,
        *,
        log: bool = True,
    ) -> PlacementView | None:
        """As ``recommend``, in a transaction of the caller's; nothing where it would take long:
        because something of the catalogue or the rules must be made ready first, the model scores
        all items, or the list must be committed before it is shown."""
        definitions = self.book.get()
        placement = definitions.get(name)
        ask.check()
        if _takes_long(placement, log) or not self._stock.is_ready(tx, recommender):
            return None
        asked = self._ask(tx, recommender, placement, ask)
        variant, chosen = choose_variant(placement, asked.context.unit)
        compiled = self._compiler.find(variant, definitions.rules, asked.context, asked.known.table)
        if compiled is None:
            return None
        lists = Lists(recommender, name, ask, asked.context, compiled)
        if not asked.known.is_quick and lists.recall() is None:
            return None
        return self._answer(name, ask, asked, variant, compiled, chosen, explain=False, log=log)

    def _answer(
        self,
        name: str,
        ask: Ask,
        asked: _Asked,
        variant: Variant,
        compiled: Compiled,
        arm: str | None,
        *,
        explain: bool,
        log: bool,
    ) -> PlacementView:
        list_id = uuid4().hex if log else ""
        ready = self._prepare(name, ask, asked, variant, compiled, list_id, explain=explain)
        if log:
            self._note(name, list_id, asked, ready, arm)
        return PlacementView(
            placement=name,
            list_id=list_id,
            customer_id=ask.customer_id,
            known=asked.found.customer is not None,
            personalised=asked.found.personalised,
            as_of=asked.now,
            currency=self._shop.settings.shop.currency,
            experiment=asked.experiment,
            arm=arm,
            diversity_loss=ready.loss,
            items=ready.items,
        )

    def _prepare(
        self,
        name: str,
        ask: Ask,
        asked: _Asked,
        variant: Variant,
        compiled: Compiled,
        list_id: str,
        *,
        explain: bool,
    ) -> Ready:
        """The list, remembered where chance has no say and it depends on nothing but its key."""
        exploring = bool(list_id) and variant.exploration.share > 0
        lists = None
        if not (exploring or explain or _asks_log(variant)):
            lists = Lists(asked.recommender, name, ask, asked.context, compiled)
        ready = None if lists is None else lists.recall()
        if ready is None:
            rng = np.random.default_rng(seed_of(list_id)) if exploring else _IDLE
            listed = make_list(
                asked.known, variant, compiled, asked.context, rng, n=ask.n, exploring=exploring
            )
            ready = Ready.of(asked.known, listed, explain=explain)
            if lists is not None:
                lists.keep(ready)
        return ready

    def why_not(self, name: str, ask: Ask, item_id: str) -> WhyNotView:
        """Why an item is not in the list of a request, or where it stands in it."""
        definitions = self.book.get()
        placement = definitions.get(name)
        ask.check()
        recommender = self._shelf.get()
        with self._shop.store.read() as tx:
            asked = self._ask(tx, recommender, placement, ask)
        variant, _ = choose_variant(placement, asked.context.unit)
        known = asked.known
        listed = self._make(known, variant, definitions.rules, asked.context, ask.n)
        return show_standing(name, known, item_id, find_standing(known, listed, item_id))

    def preview(
        self,
        name: str,
        draft: Placement,
        *,
        asks: Sequence[Ask] = (),
        sample: int = 50,
        show: int = 5,
    ) -> PreviewView:
        """What a draft would do to the lists of these requests, or of a sample of customers.

        The sample is drawn from all customers with a history, the same as long as they are. A new
        placement is compared with lists of nothing.
        """
        definitions = self.book.get()
        before = definitions.placements.get(name)
        recommender, now = self._shelf.get(), self._shop.clock.now()
        pairs: list[tuple[Ask, Listed | None, Listed]] = []
        with self._shop.store.read() as tx:
            known = self._stock.get(tx, recommender)
            for ask in asks or draw_sample(tx, known, draft, sample):
                ask.check()
                found = find_asker(self._shop, tx, ask)
                old, new = (
                    None
                    if each is None
                    else self._make(
                        known,
                        each,
                        definitions.rules,
                        self._read_context(tx, ask, found, now, each, recommender, known),
                        ask.n,
                    )
                    for each in (before, draft)
                )
                if new is not None:
                    pairs.append((ask, old, new))
        return compare_lists(name, known, pairs, show)

    def find_unknown(self, item_ids: Sequence[str]) -> tuple[str, ...]:
        """Those of some items that the shop does not have."""
        recommender = self._shelf.get()
        with self._shop.store.read() as tx:
            index = self._stock.get(tx, recommender).table.index
        return tuple(dict.fromkeys(each for each in item_ids if each not in index))

    def _ask(
        self, tx: sa.Connection, recommender: "Recommender", placement: Placement, ask: Ask
    ) -> _Asked:
        """What a request's list depends on, as this transaction sees it."""
        now = self._shop.clock.now()
        found = find_asker(self._shop, tx, ask)
        known = self._stock.get(tx, recommender)
        context = self._read_context(tx, ask, found, now, placement, recommender, known)
        return _Asked(placement, recommender, now, found, known, context)

    def _read_context(
        self,
        tx: sa.Connection,
        ask: Ask,
        found: Found,
        now: datetime,
        placement: Placement,
        recommender: "Recommender",
        known: Knowledge,
    ) -> Context:
        variants = _list_variants(placement)
        ignored = any(variant.filters.ignored_after for variant in variants)
        context = read_context(
            self._shop, tx, ask, found, now, recommender=recommender, known=known, ignored=ignored
        )
        if any(Strategy.PROMOTED in variant.strategies for variant in variants):
            return replace(context, promoted=self._promoted.get(tx, recommender))
        return context

    def _make(
        self,
        known: Knowledge,
        variant: Variant,
        rules: Sequence[Rule],
        context: Context,
        n: int | None,
    ) -> Listed:
        """The list for looking at: nothing is explored, and the same request gives the same."""
        compiled = self._compiler.get(variant, rules, context, known.table)
        return make_list(known, variant, compiled, context, _IDLE, n=n, exploring=False)

    def _note(self, name: str, list_id: str, asked: _Asked, ready: Ready, arm: str | None) -> None:
        event = to_placement_event(
            list_id,
            name,
            ready.lines,
            ready.told,
            subject=asked.found.customer if asked.found.personalised else None,
            now=asked.now,
            version=asked.recommender.version,
            experiment=asked.experiment,
            arm=arm,
        )
        if ready.explored:
            self._shop.served.commit(event)
        else:
            self._shop.served.put(event)


def _list_variants(placement: Placement) -> list[Variant]:
    """What may be shown: the placement itself, and what its experiment tries."""
    variants: list[Variant] = [placement]
    if placement.experiment is not None:
        variants.append(placement.experiment.variant)
    return variants


def _asks_log(variant: Variant) -> bool:
    """Whether its lists depend on what the log holds beside the customer's history."""
    return variant.filters.ignored_after > 0 or Strategy.PROMOTED in variant.strategies


def _takes_long(placement: Placement, log: bool) -> bool:
    """Whether a list of it is committed before it is shown, or looks through the log."""
    return any(
        (log and each.exploration.share > 0) or _asks_log(each)
        for each in _list_variants(placement)
    )


def seed_of(list_id: str) -> int:
    """The seed of a list's exploration: who has the id can draw it again."""
    return int.from_bytes(blake2b(list_id.encode(), digest_size=8).digest(), "big")
