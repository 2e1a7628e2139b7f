"""How fast, and whether at all: a rate for each domain, and a breaker before the server."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

_MOST_DOMAINS = 10_000
_SLOWED_SECONDS = 600.0


@dataclass
class _Lane:
    rate: float
    next_at: float = 0.0
    slowed_until: float = 0.0


@dataclass
class Pace:
    """Messages a second for each domain of recipients; 0 sets no limit.

    A domain that says "too fast" goes at half its rate for ten minutes, or waits where it has none.
    ``ticks`` are seconds that only grow.
    """

    default: float = 0.0
    rates: Mapping[str, float] = field(default_factory=dict)
    ticks: Callable[[], float] = monotonic
    _lanes: "OrderedDict[str, _Lane]" = field(default_factory=OrderedDict, init=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    def take(self, domain: str, *, patience: float = 0.0) -> float:
        """Seconds to wait before the next message to a domain may go.

        At most ``patience``: the turn is taken. More: it is not; come back after so long.
        """
        with self._lock:
            now, lane = self.ticks(), self._lane(domain)
            rate = self._rate(lane, now)
            wait = max(0.0, lane.next_at - now)
            if wait > patience:
                return wait
            if rate > 0:
                lane.next_at = max(now, lane.next_at) + 1.0 / rate
            return wait

    def slow_down(self, domain: str, seconds: float) -> None:
        """The domain wants fewer: rest for ``seconds``, then go at half the rate for a while."""
        with self._lock:
            lane, now = self._lane(domain), self.ticks()
            lane.next_at = max(lane.next_at, now + seconds)
            lane.slowed_until = now + seconds + _SLOWED_SECONDS

    def _rate(self, lane: _Lane, now: float) -> float:
        return lane.rate / 2 if now < lane.slowed_until else lane.rate

    def _lane(self, domain: str) -> _Lane:
        lane = self._lanes.get(domain)
        if lane is None:
            lane = self._lanes[domain] = _Lane(self.rates.get(domain, self.default))
            if len(self._lanes) > _MOST_DOMAINS:
                self._lanes.popitem(last=False)
        else:
            self._lanes.move_to_end(domain)
        return lane


@dataclass
class Breaker:
    """Keeps from a server that fails: after ``failures`` in a row nothing goes for a while.

    The pause begins at ``first_seconds`` and doubles up to ``longest_seconds``; after it one
    message tries, and only if that goes well all follow.
    """

    failures: int = 5
    first_seconds: float = 30.0
    longest_seconds: float = 900.0
    ticks: Callable[[], float] = monotonic
    _in_a_row: int = field(default=0, init=False)
    _pauses: int = field(default=0, init=False)
    _until: float = field(default=0.0, init=False)
    _probing: bool = field(default=False, init=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)
    detail: str = field(default="", init=False)

    @property
    def state(self) -> str:
        """``closed`` (all goes), ``open`` (nothing goes) or ``half_open`` (one tries)."""
        with self._lock:
            if not self._pauses:
                return "closed"
            return "open" if self.ticks() < self._until else "half_open"

    def ask(self) -> float:
        """Seconds until it is worth asking again; 0: go, and report how it went."""
        with self._lock:
            if not self._pauses:
                return 0.0
            left = self._until - self.ticks()
            if left > 0:
                return left
            if self._probing:
                return 1.0
            self._probing = True
            return 0.0

    def release(self) -> None:
        """A turn that was asked for is not used: another may try in its place."""
        with self._lock:
            self._probing = False

    def succeed(self) -> None:
        """The server did its work."""
        with self._lock:
            self._in_a_row = self._pauses = 0
            self._probing = False
            self.detail = ""

    def fail(self, detail: str) -> None:
        """The server could not be reached, or wants nothing from us."""
        with self._lock:
            self._in_a_row += 1
            self.detail = detail[:300]
            probe, self._probing = self._probing, False
            resting = self._pauses and self.ticks() < self._until
            if probe or (self._in_a_row >= self.failures and not resting):
                self._pauses += 1
                pause = self.first_seconds * 2 ** min(self._pauses - 1, 20)
                self._until = self.ticks() + min(self.longest_seconds, pause)
