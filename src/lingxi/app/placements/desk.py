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
from lingxi.app.placements.request import Ask, Found, find_asker, read_context
from lingxi.app.placements.show import show_items, show_standing
from lingxi.app.placements.stock import Stock
from lingxi.app.placements.views import PlacementView, PreviewView, WhyNotView
from lingxi.app.served import to_placement_event
from lingxi.recommend.placements.compiled import Compiler
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
        asked = self._ask(draft or definitions.get(name), ask)
        variant, chosen = choose_variant(asked.placement, asked.context.unit)
        if arm is not None and asked.placement.experiment is not None:
            treated = arm == "b"
            variant = asked.placement.experiment.variant if treated else asked.placement
            chosen = arm
        list_id = uuid4().hex if log else ""
        listed = self._make(
            asked.known, variant, definitions.rules, asked.context, ask.n, list_id or None
        )
        if log:
            self._note(name, list_id, asked, listed, chosen)
        return PlacementView(
            placement=name,
            list_id=list_id,
            customer_id=ask.customer_id,
            known=asked.found.customer is not None,
            personalised=asked.found.personalised,
            as_of=asked.now,
            currency=self._shop.settings.shop.currency,
            experiment=asked.experiment,
            arm=chosen,
            diversity_loss=listed.loss,
            items=show_items(asked.known, listed, explain=explain),
        )

    def why_not(self, name: str, ask: Ask, item_id: str) -> WhyNotView:
        """Why an item is not in the list of a request, or where it stands in it."""
        definitions = self.book.get()
        asked = self._ask(definitions.get(name), ask)
        variant, _ = choose_variant(asked.placement, asked.context.unit)
        known = asked.known
        listed = self._make(known, variant, definitions.rules, asked.context, ask.n, None)
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
                        self._read_context(tx, ask, found, now, each, recommender),
                        ask.n,
                        None,
                    )
                    for each in (before, draft)
                )
                if new is not None:
                    pairs.append((ask, old, new))
        return compare_lists(name, known, pairs, show)

    def _ask(self, placement: Placement, ask: Ask) -> _Asked:
        """Check a request, and read what its list depends on in one transaction."""
        ask.check()
        recommender, now = self._shelf.get(), self._shop.clock.now()
        with self._shop.store.read() as tx:
            found = find_asker(self._shop, tx, ask)
            known = self._stock.get(tx, recommender)
            context = self._read_context(tx, ask, found, now, placement, recommender)
        return _Asked(placement, recommender, now, found, known, context)

    def _read_context(
        self,
        tx: sa.Connection,
        ask: Ask,
        found: Found,
        now: datetime,
        placement: Placement,
        recommender: "Recommender",
    ) -> Context:
        variants: list[Variant] = [placement]
        if placement.experiment is not None:
            variants.append(placement.experiment.variant)
        ignored = any(variant.filters.ignored_after for variant in variants)
        context = read_context(self._shop, tx, ask, found, now, ignored=ignored)
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
        list_id: str | None,
    ) -> Listed:
        """The list; without an id nothing is explored, and the same request gives the same list."""
        compiled = self._compiler.get(variant, rules, context, known.table)
        rng = np.random.default_rng(seed_of(list_id or ""))
        return make_list(known, variant, compiled, context, rng, n=n, exploring=list_id is not None)

    def _note(
        self, name: str, list_id: str, asked: _Asked, listed: Listed, arm: str | None
    ) -> None:
        event = to_placement_event(
            list_id,
            name,
            [asked.known.table.facts[entry.place].item_id for entry in listed.entries],
            listed,
            subject=asked.found.customer if asked.found.personalised else None,
            now=asked.now,
            version=asked.recommender.version,
            experiment=asked.experiment,
            arm=arm,
        )
        if listed.log_propensity < 0:
            self._shop.served.commit(event)
        else:
            self._shop.served.put(event)


def seed_of(list_id: str) -> int:
    """The seed of a list's exploration: who has the id can draw it again."""
    return int.from_bytes(blake2b(list_id.encode(), digest_size=8).digest(), "big")
