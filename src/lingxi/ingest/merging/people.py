"""The people of one batch, in memory: which identifier is whose, and the rules that change it.

Rules and limits follow Segment Unify's identity resolution (identifier priority, limits, merge
protection), with one difference: two people who both have a user id are never merged.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lingxi.config import IdentitySettings
from lingxi.ingest.message import IdKind

Name = tuple[str, str]
"""Kind and value of an identifier as the table keeps them."""
PASSING = frozenset({IdKind.ANONYMOUS.value, IdKind.DEVICE.value})
"""Kinds that name a browser or device and not a person: several may use one."""
MOST_TURNS = 30
"""Log-outs and changes of hands of one browser within the window; beyond it, it joins nobody."""
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
    """Two identifiers were seen together and not joined."""

    rule: str
    kind: str


@dataclass
class People:
    """Identifiers and customers as this transaction sees them, and what the batch changes.

    ``load`` fetches the members of a customer when a rule needs them; ``number`` gives out a new
    surrogate; ``apart`` tells whether a merge between two sets of surrogates was undone once;
    ``turns`` how often a browser changed hands since a moment.
    """

    limits: IdentitySettings
    now: datetime
    number: Callable[[], int]
    load: Callable[[int], Sequence[Member]]
    apart: Callable[[Iterable[int], Iterable[int]], bool]
    turns: Callable[[Name, datetime], int]
    subjects: dict[Name, int] = field(default_factory=dict)
    owners: dict[int, int] = field(default_factory=dict)
    created: dict[Name, int] = field(default_factory=dict)
    rotated: list[tuple[Name, int]] = field(default_factory=list)
    moved: dict[int, tuple[int, bool]] = field(default_factory=dict)
    merges: list[Merged] = field(default_factory=list)
    refusals: list[Refused] = field(default_factory=list)
    _members: dict[int, dict[Name, Member]] = field(default_factory=dict)
    _bare: dict[int, dict[int, bool]] = field(default_factory=dict)

    def settle(self, names: Sequence[Name], event_id: str, *, login: bool) -> int:
        """The surrogate of a message's strongest name, the others joined to it as the rules let.

        ``login`` says that the message identifies somebody, and not only mentions a browser.
        """
        base = names[0]
        subject = self.subjects.get(base)
        if subject is None:
            subject = self._create(base, None)
        for name in names[1:]:
            other = self.subjects.get(name)
            owner = self.owners[subject]
            if other is None:
                self._attach(name, owner)
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

    def _attach(self, name: Name, owner: int) -> None:
        """A new identifier of somebody known already, unless they have too many of its kind."""
        if self._count(owner, name) >= self._limit(name):
            self.refusals.append(Refused("limit", name[0]))
            return
        self._create(name, owner)

    def _join(self, subject: int, name: Name, event_id: str, *, login: bool) -> None:
        ours, theirs = self.owners[subject], self.owners[self.subjects[name]]
        rule = self._refuse(ours, theirs)
        if rule == "two_identified" and name[0] in PASSING:
            if login and self._count_turns(name) < self.limits.browsers:
                self._rotate(name, ours)
            else:
                self.refusals.append(Refused("shared_browser", name[0]))
        elif rule:
            self.refusals.append(Refused(rule, name[0]))
        elif name[0] in PASSING and self._count_turns(name) >= MOST_TURNS:
            self.refusals.append(Refused("shared_browser", name[0]))
        else:
            self._merge(ours, theirs, "alias" if login else "together", name[0], event_id)

    def _refuse(self, ours: int, theirs: int) -> str:
        self._load(ours)
        other = self._load(theirs)
        if self._is_identified(ours) and self._is_identified(theirs):
            return "two_identified"
        if self.apart(self._bare[ours], self._bare[theirs]):
            return "kept_apart"
        samples = {(name[0], _space(name)): name for name in other}
        for sample in samples.values():
            together = self._count(ours, sample) + self._count(theirs, sample)
            if together > self._limit(sample):
                return "limit"
        return ""

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

    def _rotate(self, name: Name, owner: int | None) -> None:
        """A browser goes on under a new surrogate; its past stays with whom it belonged to."""
        old = self.subjects.pop(name)
        previous = self.owners[old]
        aside = (name[0], f"{name[1]}~{old}")
        if self.created.pop(name, None) is None:
            self.rotated.append((name, old))
        else:
            self.created[aside] = old
        members = self._load(previous)
        member = members.pop(name, None)
        if member is not None:
            members[aside] = Member(old, member.known, aside, member.since)
        self._create(name, owner)

    def _count_turns(self, name: Name) -> int:
        """How often a browser has changed hands within the window, in this batch too."""
        since = self.now - timedelta(days=self.limits.browser_days)
        prefix = f"{name[1]}~"
        created = [value for kind, value in self.created if kind == name[0]]
        aside = sum(value.startswith(prefix) for value in created)
        return (
            aside + sum(1 for other, _ in self.rotated if other == name) + self.turns(name, since)
        )

    def _limit(self, name: Name) -> int:
        limits = self.limits
        return {
            IdKind.USER.value: 1,
            IdKind.EMAIL.value: limits.emails,
            IdKind.PHONE.value: limits.phones,
            IdKind.EXTERNAL.value: limits.externals,
        }.get(name[0], limits.browsers)

    def _count(self, customer: int, name: Name) -> int:
        """Identifiers of this kind that count against the limit; browsers only while they are
        new and each once however often somebody logged out, ids of another system by system."""
        since = self.now - timedelta(days=self.limits.browser_days)
        space = _space(name)
        counted = {
            other[1].removesuffix(f"~{member.subject}")
            for other, member in self._load(customer).items()
            if other[0] == name[0]
            and _space(other) == space
            and (name[0] not in PASSING or (member.since or since) > since)
        }
        return len(counted)

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
