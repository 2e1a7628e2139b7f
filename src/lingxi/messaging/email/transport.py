"""How a finished message leaves: over SMTP from a pool of connections, or into a folder."""

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import BoundedSemaphore, Lock
from time import monotonic, sleep
from typing import Protocol

from lingxi.errors import InvalidInput
from lingxi.messaging.email.address import domain_of
from lingxi.messaging.email.pace import Breaker, Pace
from lingxi.messaging.email.replies import back_off, judge
from lingxi.messaging.email.session import Envelope, Lost, Refused, Server, Session
from lingxi.messaging.nouns import Accepted, Deferred, Failed, Outcome, Unclear

_PATIENCE = 2.0
_STALE_SECONDS = 20.0
_OURS = frozenset({"connect", "tls", "auth", "mail"})
"""Stages at which a refusal is about us, not about the recipient."""


class Transport(Protocol):
    """Takes a finished message over, in a bounded time."""

    def carry(self, envelope: Envelope, name: str, attempt: int, /) -> Outcome:
        """Hand it over; ``name`` is the message's id."""

    def state(self) -> tuple[str, str]:
        """The breaker's state and the last trouble."""

    def close(self) -> None:
        """Let go of everything."""


class Outbox:
    """A folder of ``.eml`` files, one a message: for a shop that has no mail server yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def carry(self, envelope: Envelope, name: str, attempt: int, /) -> Outcome:
        """Write the file whole or not at all; the same message is the same file."""
        path = self.folder / f"{name}.eml"
        part = path.with_suffix(f".{os.getpid()}.{attempt}.part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            head = (
                f"Return-Path: <{envelope.return_path}>\r\nDelivered-To: {envelope.recipient}\r\n"
            )
            part.write_bytes(head.encode() + envelope.data)
            part.replace(path)
        except OSError as error:
            return Deferred(back_off(attempt), "outbox_unwritable", str(error))
        return Accepted(path.name)

    def state(self) -> tuple[str, str]:
        """A folder has no breaker."""
        return "closed", ""

    def close(self) -> None:
        """Nothing is held open."""


@dataclass
class Pool:
    """At most ``size`` sessions with one server; each carries ``most`` messages, then ends."""

    server: Server
    size: int = 8
    most: int = 100
    context: ssl.SSLContext | None = None
    ticks: Callable[[], float] = monotonic
    _idle: list[tuple[float, Session]] = field(default_factory=list, init=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)
    _turns: BoundedSemaphore = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._turns = BoundedSemaphore(self.size)

    def borrow(self, *, fresh: bool = False) -> tuple[Session, bool]:
        """A session, and whether it has been used before; ``put_back`` or ``drop`` it.

        Raises
        ------
        Lost, Refused
            If no session can be had.
        """
        if not self._turns.acquire(timeout=self.server.timeout_seconds):
            raise Lost("All connections are busy.")
        try:
            while not fresh and (known := self._pop()) is not None:
                since, session = known
                if self.ticks() - since < _STALE_SECONDS:
                    return session, True
                session.close()
            return Session(self.server, context=self.context), False
        except BaseException:
            self._turns.release()
            raise

    def put_back(self, session: Session) -> None:
        """Keep a session for the next message, unless it has carried its share."""
        if session.sent >= self.most:
            session.close()
        else:
            with self._lock:
                self._idle.append((self.ticks(), session))
        self._turns.release()

    def drop(self, session: Session) -> None:
        """End a session that is of no more use."""
        session.close()
        self._turns.release()

    def close(self) -> None:
        """End all idle sessions."""
        while (known := self._pop()) is not None:
            known[1].close()

    def _pop(self) -> tuple[float, Session] | None:
        with self._lock:
            return self._idle.pop() if self._idle else None


@dataclass
class Smtp:
    """Sends over a pool of sessions, at each domain's pace, with a breaker before the server."""

    pool: Pool
    pace: Pace = field(default_factory=Pace)
    breaker: Breaker = field(default_factory=Breaker)
    pause: Callable[[float], None] = sleep

    def carry(self, envelope: Envelope, _name: str, attempt: int, /) -> Outcome:
        """Hand one message to the server."""
        domain = domain_of(envelope.recipient)
        if (wait := self.breaker.ask()) > 0:
            return Deferred(wait, "circuit_open", self.breaker.detail, tried=False)
        if (wait := self.pace.take(domain, patience=_PATIENCE)) > 0:
            if wait > _PATIENCE:
                self.breaker.release()
                return Deferred(wait, "paced", f"{domain} takes no more just now.", tried=False)
            self.pause(wait)
        outcome = self._try(envelope, attempt)
        if isinstance(outcome, Deferred) and outcome.reason == "too_fast":
            self.pace.slow_down(domain, min(outcome.seconds, 300.0))
        return outcome

    def state(self) -> tuple[str, str]:
        """The breaker's state and the last trouble."""
        return self.breaker.state, self.breaker.detail

    def close(self) -> None:
        """End the idle sessions."""
        self.pool.close()

    def _try(self, envelope: Envelope, attempt: int, *, fresh: bool = False) -> Outcome:
        try:
            session, used = self.pool.borrow(fresh=fresh)
        except Lost as error:
            self.breaker.fail(str(error))
            return Deferred(back_off(attempt), "unreachable", str(error))
        except Refused as error:
            return self._refuse(error, attempt)
        try:
            reply = session.send(envelope)
        except Lost as error:
            self.pool.drop(session)
            if used and not error.after_dot:  # the server had ended it meanwhile; nothing was taken
                return self._try(envelope, attempt, fresh=True)
            self.breaker.fail(str(error))
            if error.after_dot:
                return Unclear("dropped_after_data", str(error))
            return Deferred(back_off(attempt), "dropped", str(error))
        except Refused as error:
            self._recover(session, error)
            if used and error.reply.code == 421:
                return self._try(envelope, attempt, fresh=True)
            return self._refuse(error, attempt)
        except BaseException:
            self.pool.drop(session)
            raise
        self.pool.put_back(session)
        self.breaker.succeed()
        return Accepted(reply.text[:200])

    def _recover(self, session: Session, error: Refused) -> None:
        """Make a session ready for the next message after a refusal."""
        if error.reply.code == 421:
            self.pool.drop(session)
            return
        try:
            session.reset()
        except (Lost, Refused):
            self.pool.drop(session)
        else:
            self.pool.put_back(session)

    def _refuse(self, error: Refused, attempt: int) -> Deferred | Failed:
        ours = error.stage in _OURS or error.reply.code == 421
        if ours:
            self.breaker.fail(str(error))
        else:
            self.breaker.succeed()
        if error.stage in ("connect", "tls", "auth"):  # no message is to blame for that
            reason = {"auth": "login_refused", "tls": "no_tls"}.get(error.stage, "server_busy")
            return Deferred(back_off(attempt), reason, str(error.reply))
        outcome = judge(error.reply, attempt)
        if error.stage == "mail" and isinstance(outcome, Failed):
            return Failed("sender_refused", outcome.detail)
        return outcome


def read_rates(texts: tuple[str, ...]) -> dict[str, float]:
    """Rates by domain, from settings such as ``gmail.com=20``.

    Raises
    ------
    InvalidInput
        If one is not a domain, ``=`` and a number above 0.

    Examples
    --------
    >>> read_rates(("gmail.com=20", "qq.com = 0.5"))
    {'gmail.com': 20.0, 'qq.com': 0.5}
    """
    found = {}
    for text in texts:
        domain, _, number = text.partition("=")
        try:
            rate = float(number)
        except ValueError:
            rate = 0.0
        if not domain.strip() or not 0 < rate < 1e6:
            raise InvalidInput(f"mail.domain_rates: write 'gmail.com=20', not {text!r}.")
        found[domain.strip().lower()] = rate
    return found
