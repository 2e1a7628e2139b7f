"""The rules of ``docs/identity.md`` once more, as sets of names: who is who, without a store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

RANKS = ("user_id", "email", "phone", "external", "device", "anonymous")
BROWSERS = ("device", "anonymous")
MOST_TURNS = 30

Name = tuple[str, str]


@dataclass
class Node:
    """One identifier for as long as it means the same somebody; a browser has several in turn."""

    number: int
    name: Name
    since: datetime


@dataclass
class Union:
    """``moved`` joined ``kept``."""

    kept: int
    gone: int
    moved: frozenset[int]
    undone: bool = False


@dataclass
class Oracle:
    """Nodes by number; whose each is, by the number of a group; the node that a name means now."""

    limits: Mapping[str, int]
    nodes: list[Node] = field(default_factory=list)
    group: list[int] = field(default_factory=list)
    meaning: dict[Name, int] = field(default_factory=dict)
    turns: dict[Name, list[tuple[int, datetime, bool]]] = field(default_factory=dict)
    unions: list[Union] = field(default_factory=list)
    apart: set[frozenset[int]] = field(default_factory=set)
    refused: dict[str, int] = field(default_factory=dict)

    def take(
        self, names: Sequence[Name], previous: Sequence[Name], link: str, now: datetime
    ) -> int:
        """The node that a message counts for, after what it says of who is who."""
        known = [name for name in previous if name in self.meaning and name not in names]
        others = known or [name for name in previous[:1] if name not in names]
        own = [*names, *others]
        base = self.meaning.get(own[0])
        if base is None:
            base = self.make(own[0], None, now)
        for name in own[1:]:
            self.see_together(base, name, now, login=link in ("identify", "alias"))
        if link == "logout":
            for name in own:
                node = self.meaning.get(name) if name[0] in BROWSERS else None
                if node is not None and self.is_identified(self.group[node]):
                    self.turn(name, None, now)
        return base

    def see_together(self, base: int, name: Name, now: datetime, *, login: bool) -> None:
        ours = self.group[base]
        if name not in self.meaning:
            if self.has_room(ours, {name}, now):
                self.make(name, ours, now)
            return
        theirs = self.group[self.meaning[name]]
        if ours == theirs:
            return
        both = self.is_identified(ours) and self.is_identified(theirs)
        if not both and self.was_undone(ours, theirs):
            self.note("kept_apart")
            return
        own = {self.nodes[n].name for n in self.members(theirs) if self.counts(n, now)}
        if not both and not self.has_room(ours, own, now):
            return
        if name[0] in BROWSERS:
            self.meet_at_browser(ours, theirs, name, now, login=login)
        elif both:
            self.note("two_identified")
        else:
            self.join(ours, theirs)

    def meet_at_browser(
        self, ours: int, theirs: int, name: Name, now: datetime, *, login: bool
    ) -> None:
        taken = self.is_identified(theirs)
        recent = [t for t in self.turns.get(name, []) if now - t[1] < self.week()]
        hands = [self.group[node] for node, _, _ in recent]
        hands += [each for each in (theirs, ours) if self.is_identified(each)]
        crowded = sum(a != b for a, b in pairwise(hands)) > self.limits["browsers"]
        crowded = crowded or len(recent) >= MOST_TURNS
        nobodys = bool(self.turns.get(name)) and self.turns[name][-1][2]
        if not nobodys and not (taken and self.is_identified(ours)):
            if crowded:
                self.note("shared_browser")
            else:
                self.join(ours, theirs)
        elif not login:
            self.note("no_login" if taken else "shared_browser")
        elif crowded:
            self.note("shared_browser")
            if taken:
                self.turn(name, None, now, crowded=True)
        elif self.has_room(ours, {name}, now):
            self.turn(name, ours, now)
        elif taken:
            self.turn(name, None, now, crowded=True)

    def undo(self, union: Union) -> bool:
        """Whether it could be undone."""
        if union.undone or {self.group[node] for node in union.moved} != {union.kept}:
            return False
        for node in union.moved:
            self.group[node] = union.gone
            self.apart.add(frozenset({node, union.kept}))
        union.undone = True
        return True

    def make(self, name: Name, group: int | None, now: datetime) -> int:
        number = len(self.nodes)
        self.nodes.append(Node(number, name, now))
        self.group.append(number if group is None else group)
        self.meaning[name] = number
        return number

    def turn(self, name: Name, group: int | None, now: datetime, *, crowded: bool = False) -> None:
        self.turns.setdefault(name, []).append((self.meaning[name], now, crowded))
        self.make(name, group, now)

    def join(self, one: int, other: int) -> None:
        kept, gone = sorted((one, other), key=lambda g: (self.rank(g), g))
        moved = frozenset(self.members(gone))
        self.unions.append(Union(kept, gone, moved))
        for node in moved:
            self.group[node] = kept

    def has_room(self, group: int, names: set[Name], now: datetime) -> bool:
        own = {self.nodes[n].name for n in self.members(group) if self.counts(n, now)}
        whole = own | names
        for kind, value in names:
            space = value.partition(":")[0]
            like = {
                each
                for each in whole
                if each[0] == kind and (kind != "external" or each[1].partition(":")[0] == space)
            }
            if len(like) > self.limit(kind):
                self.note("limit")
                return False
        if len({v.partition(":")[0] for k, v in whole if k == "external"}) > self.limits["systems"]:
            self.note("systems")
            return False
        return True

    def counts(self, node: int, now: datetime) -> bool:
        """Whether it counts against a limit: a browser only while it is new."""
        found = self.nodes[node]
        return found.name[0] not in BROWSERS or now - found.since < self.week()

    def limit(self, kind: str) -> int:
        kinds = {"user_id": 1} | {k: self.limits[f"{k}s"] for k in ("email", "phone", "external")}
        return kinds.get(kind, self.limits["browsers"])

    def week(self) -> timedelta:
        return timedelta(days=self.limits["browser_days"])

    def was_undone(self, one: int, other: int) -> bool:
        left, right = self.members(one), self.members(other)
        return any(frozenset({a, b}) in self.apart for a in left for b in right)

    def is_identified(self, group: int) -> bool:
        return any(self.nodes[node].name[0] == "user_id" for node in self.members(group))

    def rank(self, group: int) -> int:
        return min(RANKS.index(self.nodes[node].name[0]) for node in self.members(group))

    def members(self, group: int) -> list[int]:
        return [node for node, own in enumerate(self.group) if own == group]

    def note(self, rule: str) -> None:
        self.refused[rule] = self.refused.get(rule, 0) + 1

    def is_known(self, group: int) -> bool:
        """Whether anything but browsers belongs to a group."""
        return self.rank(group) < RANKS.index("device")
