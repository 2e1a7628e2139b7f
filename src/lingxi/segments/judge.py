"""Whether a customer fulfils a rule now: read from the state, current with every event."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from lingxi.catalogue import read_revision
from lingxi.errors import InvalidInput, did_you_mean
from lingxi.segments.definitions import get_segment, resolve_rule
from lingxi.segments.facts import Facts
from lingxi.segments.gather import gather, read_goods
from lingxi.segments.lists import require_list
from lingxi.segments.needs import STAGE, Needs, find_needs
from lingxi.segments.predicate import Predicates
from lingxi.segments.reading import write_rule
from lingxi.segments.rule import All, Any, InList, Not, Rule, Score, Stage, walk
from lingxi.segments.scores import PROFILE_SCORES, ScoreColumn, find_score
from lingxi.segments.stream import Goods
from lingxi.store import Store
from lingxi.store.tables import to_micros


class Verdict(msgspec.Struct, frozen=True):
    """Whether one condition holds of a customer; ``parts`` are below it."""

    rule: dict[str, object]
    holds: bool
    parts: tuple["Verdict", ...] = ()


class Judge:
    """Answers about single customers of one store.

    ``scores`` are those of the rooms above; those of the profile are known. ``stages`` are the
    words that a condition on stages may use.
    """

    def __init__(
        self, store: Store, scores: Sequence[ScoreColumn] = (), stages: Sequence[str] = ()
    ) -> None:
        self.store = store
        self.stages = tuple(stages)
        self.scores = {score.name: score for score in (*PROFILE_SCORES, *scores)}
        self.moments = frozenset(s.name for s in self.scores.values() if s.kind == "moment")
        self._goods: tuple[int, dict[tuple[str, ...], frozenset[str]]] = (-1, {})

    def matches(self, tx: Connection, rule: Rule, customer: int, now: datetime) -> bool:
        """Whether a customer fulfils a rule at ``now``, by all that the transaction sees.

        Raises
        ------
        InvalidInput
            If the rule names a segment or score that there is not.
        """
        whole = resolve_rule(tx, rule)
        facts = self.read_facts(tx, [customer], find_needs([whole]))[customer]
        return Predicates(self.moments).make(whole)(facts, to_micros(now))

    def is_member(self, tx: Connection, segment_name: str, customer: int, now: datetime) -> bool:
        """Whether a customer is in a segment, by its rule and not by what was noted.

        Raises
        ------
        UnknownSegment
            If there is none of this name.
        """
        rule = get_segment(tx, segment_name).segment.rule
        return self.matches(tx, rule, customer, now)

    def explain(self, tx: Connection, rule: Rule, customer: int, now: datetime) -> Verdict:
        """Which conditions of a rule hold of a customer, and which do not."""
        whole = resolve_rule(tx, rule)
        facts = self.read_facts(tx, [customer], find_needs([whole]))[customer]
        now_us = to_micros(now)

        def tell(node: Rule) -> Verdict:
            inner = resolve_rule(tx, node)
            holds = Predicates(self.moments).make(inner)(facts, now_us)
            parts: tuple[Rule, ...] = ()
            if isinstance(node, All | Any):
                parts = node.rules
            elif isinstance(node, Not):
                parts = (node.rule,)
            return Verdict(write_rule(node), holds, tuple(tell(part) for part in parts))

        return tell(rule)

    def check(self, tx: Connection, rule: Rule) -> None:
        """Raise InvalidInput or UnknownList unless there is everything that a rule names."""
        for node in walk(resolve_rule(tx, rule)):
            match node:
                case Score():
                    find_score(self.scores, node.score)
                case InList():
                    require_list(tx, node.list)
                case Stage():
                    find_score(self.scores, STAGE)
                    self._check_stages(node)

    def _check_stages(self, node: Stage) -> None:
        for stage in node.stages:
            if stage not in self.stages:
                near = did_you_mean(stage, self.stages)
                words = ", ".join(self.stages)
                raise InvalidInput(f"There is no stage {stage!r}{near}; there are {words}.")

    def read_facts(
        self, tx: Connection, customers: Sequence[int], needs: Needs
    ) -> dict[int, Facts]:
        """What rules need to know of some customers."""
        goods = self.read_goods(tx, needs)
        return gather(self.store, self.scores, tx, customers, needs, goods)

    def read_goods(self, tx: Connection, needs: Needs) -> Goods:
        """The items of the categories that rules name; read anew when the catalogue changes."""
        if not needs.categories:
            return {}
        revision, known = read_revision(tx), self._goods[1]
        if self._goods[0] != revision:
            known = {}
        missing = needs.categories - known.keys()
        if missing:
            known = {**known, **read_goods(tx, missing)}
        self._goods = revision, known
        return known
