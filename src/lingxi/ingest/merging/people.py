"""The people of one batch, in memory: which identifier is whose, and the rules that change it.

Rules and limits follow Segment Unify's identity resolution (identifier priority, limits, merge
protection), with one difference: two people who both have a user id are never merged.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from lingxi.config import IdentitySettings
from lingxi.ingest.message import IdKind

Name = tuple[str, str]
"""Kind and value of an identifier as the table keeps them."""
PASSING = frozenset({IdKind.ANONYMOUS.value, IdKind.DEVICE.value})
"""Kinds that name a browser or device and not a person: several may use one."""
MOST_TURNS = 30
"""Log-outs and changes of hands of one browser within the window; beyond it, it joins nobody."""
_MARK = "\x1f"
"""Between a browser's id and its old surrogate; cleaning takes it out of every id that comes in."""
_RANK = {kind.value: rank for rank, kind in enumerate(IdKind)}


@dataclass(frozen=True)
class Member:
    """One surrogate of a customer, and the identifier it stands for where there is one still."""

    subject: int
    known: bool
    name: Name | None
    since: datetime | None = None


@dataclass(frozen=True)
class Merged:
    """Two customers became one; ``subjects`` moved, each with whether it was known before."""

    kept: int
    merged: int
    subjects: tuple[tuple[int, bool], ...]
    rule: str
    kind: str
    event_id: str


@dataclass(frozen=True)
class Refused:
    """Two identifiers were seen together and not joined.

    ``subject`` is whom the message was from, ``other`` who has the identifier ``name`` (nobody
    where a limit kept it from being attached).
    """

    rule: str
    name: Name
    subject: int
    other: int | None
    event_id: str


@dataclass(frozen=True)
class Turn:
    """A browser went on under a new surrogate: its old one, whose that is, when it was set aside,
    and whether because so many shared the browser that it became nobody's."""

    subject: int
    customer: int
    at: datetime
    shared: bool


@dataclass
class People:
    """Identifiers and customers as this transaction sees them, and what the batch changes.

    ``load`` fetches the members of a customer when a rule needs them; ``number`` gives out a new
    surrogate; ``apart`` tells whether a merge between two sets of surrogates was undone once;
    ``turns`` the last turns of a browser, the oldest first.
    """

    limits: IdentitySettings
    now: datetime
    number: Callable[[], int]
    load: Callable[[int], Sequence[Member]]
    apart: Callable[[Iterable[int], Iterable[int]], bool]
    turns: Callable[[Name], Sequence[Turn]]
    subjects: dict[Name, int] = field(default_factory=dict)
    owners: dict[int, int] = field(default_factory=dict)
    created: dict[Name, int] = field(default_factory=dict)
    rotated: list[tuple[Name, int]] = field(default_factory=list)
    turned: list[tuple[Name, Turn]] = field(default_factory=list)
    moved: dict[int, tuple[int, bool]] = field(default_factory=dict)
    merges: list[Merged] = field(default_factory=list)
    refusals: list[Refused] = field(default_factory=list)
    _members: dict[int, dict[Name, Member]] = field(default_factory=dict)
    _bare: dict[int, dict[int, bool]] = field(default_factory=dict)
    _turns: dict[Name, list[Turn]] = field(default_factory=dict)

    def settle(self, names: Sequence[Name], event_id: str, *, login: bool) -> int:
        """The surrogate of a message's strongest name, the others joined to it as the rules let.

        ``login`` says that the message identifies somebody, and not only mentions both.
        """
        base = names[0]
        subject = self.subjects.get(base)
        if subject is None:
            subject = self._create(base, None)
        for name in names[1:]:
            other = self.subjects.get(name)
            owner = self.owners[subject]
            if other is None:
                self._attach(subject, name, event_id)
            elif self.owners[other] != owner:
                self._join(subject, name, event_id, login=login)
        return subject

    def log_out(self, names: Sequence[Name]) -> None:
        """The browsers of a message start anew: what is done on them next is somebody else's."""
        for name in names:
            if name[0] in PASSING and name in self.subjects:
                owner = self.owners[self.subjects[name]]
                if self._is_identified(owner):
                    self._rotate(name, None)

    def _create(self, name: Name, owner: int | None) -> int:
        subject = self.number()
        self.subjects[name] = self.created[name] = subject
        customer = subject if owner is None else owner
        self.owners[subject] = customer
        if owner is None:
            self._members[customer] = {}
            self._bare[customer] = {}
        known = name[0] not in PASSING or (owner is not None and self._is_known(owner))
        self._load(customer)[name] = Member(subject, known, name, self.now)
        self._bare[customer][subject] = known
        self.moved[subject] = (customer, known)
        return subject

    def _attach(self, subject: int, name: Name, event_id: str) -> None:
        """A new identifier of somebody known already, unless they have too many of its kind."""
        owner = self.owners[subject]
        rule = "limit" if len(self._values(owner, name)) >= self._limit(name) else ""
        if not rule and name[0] == IdKind.EXTERNAL:
            spaces = self._spaces(owner)
            if _space(name) not in spaces and len(spaces) >= self.limits.systems:
                rule = "systems"
        if rule:
            self.refusals.append(Refused(rule, name, subject, None, event_id))
        else:
            self._create(name, owner)

    def _join(self, subject: int, name: Name, event_id: str, *, login: bool) -> None:
        other = self.subjects[name]
        ours, theirs = self.owners[subject], self.owners[other]
        rule: str | None = self._refuse(ours, theirs)
        if name[0] in PASSING and rule in ("", "two_identified"):
            rule = self._pass_on(name, ours, theirs, login=login)
        if rule:
            self.refusals.append(Refused(rule, name, subject, other, event_id))
        elif rule is not None:
            self._merge(ours, theirs, "alias" if login else "together", name[0], event_id)

    def _refuse(self, ours: int, theirs: int) -> str:
        """The rule that forbids to make one of two customers; empty if none does."""
        self._load(ours)
        other = self._load(theirs)
        if self._is_identified(ours) and self._is_identified(theirs):
            return "two_identified"
        if self.apart(self._bare[ours], self._bare[theirs]):
            return "kept_apart"
        samples = {(name[0], _space(name)): name for name in other}
        for sample in samples.values():
            together = self._values(ours, sample) | self._values(theirs, sample)
            if len(together) > self._limit(sample):
                return "limit"
        if len(self._spaces(ours) | self._spaces(theirs)) > self.limits.systems:
            return "systems"
        return ""

    def _pass_on(self, name: Name, ours: int, theirs: int, *, login: bool) -> str | None:
        """What becomes of a browser that a message of another customer names.

        Empty: the two are one person. Nothing: it was handed over. Else the rule that refuses it.
        """
        turns = self._turns_of(name)
        since = self.now - timedelta(days=self.limits.browser_days)
        recent = [turn for turn in turns if turn.at > since]
        taken = self._is_identified(theirs)
        hands = [self.moved.get(turn.subject, (turn.customer,))[0] for turn in recent]
        hands += [customer for customer in (theirs, ours) if self._is_identified(customer)]
        changes = sum(one != other for one, other in pairwise(hands))
        shared = changes > self.limits.browsers or len(recent) >= MOST_TURNS
        if not (taken and self._is_identified(ours)) and not (turns and turns[-1].shared):
            return "shared_browser" if shared else ""
        if not login:
            return "no_login" if taken else "shared_browser"
        full = len(self._values(ours, name) | {name[1]}) > self._limit(name)
        if not shared and not full:
            self._rotate(name, ours)
            return None
        if taken:
            self._rotate(name, None, shared=True)
        return "shared_browser" if shared else "limit"

    def _merge(self, ours: int, theirs: int, rule: str, kind: str, event_id: str) -> None:
        kept, gone = sorted((ours, theirs), key=self._standing)
        known = self._is_known(kept) or self._is_known(gone)
        moving = self._subjects_of(gone)
        self.merges.append(Merged(kept, gone, tuple(sorted(moving.items())), rule, kind, event_id))
        for subject in moving:
            self.owners[subject] = kept
            self.moved[subject] = (kept, known)
            self._bare[kept][subject] = known
        members = self._load(gone)
        self._load(kept).update(members)
        if known:
            for subject in self._subjects_of(kept):
                self._bare[kept][subject] = True
                self.moved[subject] = (kept, True)
        self._members[gone] = {}
        self._bare[gone] = {}

    def _rotate(self, name: Name, owner: int | None, *, shared: bool = False) -> None:
        """A browser goes on under a new surrogate; its past stays with whom it belonged to."""
        turns = self._turns_of(name)
        old = self.subjects.pop(name)
        previous = self.owners[old]
        aside = (name[0], set_aside(name[1], old))
        if self.created.pop(name, None) is None:
            self.rotated.append((name, old))
        else:
            self.created[aside] = old
        members = self._load(previous)
        member = members.pop(name, None)
        if member is not None:
            members[aside] = Member(old, member.known, aside, member.since)
        turns.append(Turn(old, previous, self.now, shared))
        self.turned.append((name, turns[-1]))
        self._create(name, owner)

    def _turns_of(self, name: Name) -> list[Turn]:
        if name not in self._turns:
            self._turns[name] = list(self.turns(name))
        return self._turns[name]

    def _limit(self, name: Name) -> int:
        limits = self.limits
        return {
            IdKind.USER.value: 1,
            IdKind.EMAIL.value: limits.emails,
            IdKind.PHONE.value: limits.phones,
            IdKind.EXTERNAL.value: limits.externals,
        }.get(name[0], limits.browsers)

    def _values(self, customer: int, name: Name) -> set[str]:
        """The identifiers of this kind that count against the limit; browsers only while they are
        new and each once however often somebody logged out, ids of another system by system."""
        since = self.now - timedelta(days=self.limits.browser_days)
        space = _space(name)
        return {
            plain_value(other[1])
            for other, member in self._load(customer).items()
            if other[0] == name[0]
            and _space(other) == space
            and (name[0] not in PASSING or (member.since or since) > since)
        }

    def _spaces(self, customer: int) -> set[str]:
        return {_space(name) for name in self._load(customer) if name[0] == IdKind.EXTERNAL}

    def _load(self, customer: int) -> dict[Name, Member]:
        if customer not in self._members:
            found = self.load(customer)
            self._members[customer] = {m.name: m for m in found if m.name is not None}
            self._bare[customer] = {m.subject: m.known for m in found}
        return self._members[customer]

    def _subjects_of(self, customer: int) -> dict[int, bool]:
        self._load(customer)
        return self._bare[customer]

    def _is_identified(self, customer: int) -> bool:
        return any(name[0] == IdKind.USER.value for name in self._load(customer))

    def _is_known(self, customer: int) -> bool:
        return any(self._subjects_of(customer).values())

    def _standing(self, customer: int) -> tuple[int, int]:
        """Who stays when two become one: the one with the strongest identifier, then the elder."""
        ranks = [_RANK.get(name[0], len(_RANK)) for name in self._load(customer)]
        return min(ranks, default=len(_RANK)), customer


def _space(name: Name) -> str:
    """The system that an external id belongs to; empty for the other kinds."""
    return name[1].partition(":")[0] if name[0] == IdKind.EXTERNAL.value else ""


def set_aside(value: str, subject: int) -> str:
    """What a browser's id is kept as once the browser goes on under another surrogate."""
    return f"{value}{_MARK}{subject}"


def plain_value(value: str) -> str:
    """A browser's id as it came.

    >>> plain_value(set_aside("a~7", 12)), plain_value("a~7")
    ('a~7', 'a~7')
    """
    return value.partition(_MARK)[0]
