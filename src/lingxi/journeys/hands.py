"""What the runner is handed by who puts the rooms together: the judge of rules, codes, lists."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

Issue = Callable[[Connection, str, int, str, datetime], str | None]
"""Issue a code of an offer to a customer, once for a key: its id, or nothing: there is none."""
Join = Callable[[Connection, str, int, datetime], object]
"""Put a customer onto a manual list."""
Members = Callable[[Any, datetime], list[int]]
"""The customers for whom a rule holds; all customers for no rule. Sorted by id."""


class Judge(Protocol):
    """Says whether a rule holds; ``lingxi.segments.Judge`` is one."""

    def matches(self, tx: Connection, rule: Any, customer: int, now: datetime, /) -> bool:
        """Whether the rule holds for the customer, current with every event."""


@dataclass(frozen=True)
class Hands:
    """What journeys ask of the rooms beside them."""

    judge: Judge
    read_rule: Callable[[Any], Any]
    issue: Issue
    join: Join
    members: Members
