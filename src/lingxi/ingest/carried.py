"""Cleaned messages on their way from one process to another, in few bytes and fast."""

import msgspec

from lingxi.ingest.message import Cleaned, Dropped, Identifier, Link, Message, Step
from lingxi.ingest.reasons import DropReason, PutReason
from lingxi.schema import Event

Judged = Cleaned | Dropped
_PUTS = {reason.value: reason for reason in PutReason}
_DROPS = {reason.value: reason for reason in DropReason}
_Step = tuple[str, bool, str, str, str | None, str | None]


class Carried(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What was made of a message, without the message."""

    event: Event
    identifiers: tuple[Identifier, ...]
    previous: tuple[Identifier, ...]
    link: Link
    traits: dict[str, str | None]
    private: dict[str, object]
    also: tuple[Event, ...]
    steps: tuple[_Step, ...]


def carry(each: Cleaned) -> Carried:
    """What was made of a message, ready to be encoded as MessagePack.

    Encoding it raises ``OverflowError``, ``TypeError`` or ``ValueError`` where a value has no form
    there: a number beyond 64 bits, half of a surrogate pair.
    """
    return Carried(
        each.event,
        each.identifiers,
        each.previous,
        each.link,
        dict(each.traits),
        dict(each.private),
        each.also,
        _tell_steps(each.steps) if each.steps else (),
    )


def _tell_steps(steps: tuple[Step, ...]) -> tuple[_Step, ...]:
    return tuple(
        (s.name, isinstance(s.reason, PutReason), s.reason.value, s.field, s.before, s.after)
        for s in steps
    )


def restore(carried: Carried, message: Message) -> Cleaned:
    """The cleaned message on the other side."""
    return Cleaned(
        message=message,
        event=carried.event,
        identifiers=carried.identifiers,
        previous=carried.previous,
        link=carried.link,
        traits=carried.traits,
        private=carried.private,
        also=carried.also,
        steps=_read_steps(carried) if carried.steps else (),
    )


def _read_steps(carried: Carried) -> tuple[Step, ...]:
    return tuple(
        Step(name, (_PUTS if put else _DROPS)[reason], field, before, after)
        for name, put, reason, field, before, after in carried.steps
    )
