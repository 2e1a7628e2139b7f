"""The lane for recommendations asked for with a key: past Litestar, on the event loop.

It does all that the gate, the route and the observer do, in their order and with their words; what
it does not know it leaves to them: sessions, other addresses, parameters that will not do. Nothing
on it waits: SQLite's readers wait for nobody, and another model is loaded beside it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import msgspec
from litestar.concurrency import sync_to_thread
from litestar.types import HTTPResponseStartEvent, HTTPScope, Send
from sqlalchemy import Connection

from lingxi.access.roles import Scope as Permission
from lingxi.app.queries.recommendations import answer
from lingxi.app.shop import Shop
from lingxi.recommend.rules import MOST_HISTORY
from lingxi.server.api.parameters import LONGEST_ID, MOST_RECOMMENDED
from lingxi.server.errors import describe_problem
from lingxi.server.gate import Gate, Presented, check_permission, choose_key
from lingxi.server.metrics import Metrics
from lingxi.server.observe import log_request
from lingxi.server.problems import Problems
from lingxi.server.requests import request_id
from lingxi.server.security import security_headers
from lingxi.store.reader import Reader

if TYPE_CHECKING:
    from lingxi.recommend import Recommender

PREFIX = "/v1/recommendations/"
ROUTE = "/v1/recommendations/{customer_id}"
_NUMBER = re.compile(r"[0-9]{1,3}")
_KEY_HEADERS = frozenset({b"authorization", b"x-api-key"})
_LONGEST_QUERY = 30_000
_DEFAULT_N = 10
_TRUTHS = ("true", "false")


@dataclass(frozen=True)
class Wanted:
    """What a request on the lane asks for, and the key it shows."""

    key: str
    customer_id: str
    n: int
    history: tuple[str, ...]
    log: bool
    recommender: "Recommender"


class Lane:
    """Answers ``GET /v1/recommendations/{customer_id}`` where the store is SQLite."""

    def __init__(self, shop: Shop, gate: Gate, metrics: Metrics) -> None:
        self._shop, self._gate, self._metrics = shop, gate, metrics
        self._reader = Reader(shop.store.engine)
        self._open = shop.store.engine.dialect.name == "sqlite"
        self._encode = msgspec.json.Encoder().encode
        self._headers = [
            (b"content-type", b"application/json"),
            *security_headers(shop.settings.server),
            (b"cache-control", b"no-store"),
        ]

    def find(self, scope: HTTPScope) -> Wanted | None:
        """What the request wants, if it belongs on the lane and there is a model to answer it."""
        path = scope["path"]
        if not self._open or not path.startswith(PREFIX) or scope["method"] != "GET":
            return None
        customer_id = path[len(PREFIX) :]
        if not is_plain_id(customer_id) or customer_id[0] == "/" or customer_id[-1] == "/":
            return None
        key = read_key(scope["headers"])
        if key is None:
            return None
        asked = read_query(scope["query_string"])
        recommender = None if asked is None else self._shop.answers.ready_recommender()
        if asked is None or recommender is None:
            return None
        return Wanted(key, customer_id, *asked, recommender)

    async def serve(self, wanted: Wanted, scope: HTTPScope, send: Send) -> None:
        """Answer one request straight to the server."""
        started, name = perf_counter(), request_id(scope)
        status, headers, actor = 200, self._headers, None
        try:
            with self._reader.read() as tx:
                principal = self._gate.admit(tx, Presented(wanted.key, None))
                actor = None if principal is None else principal.actor
                check_permission(principal, Permission.RECOMMENDATIONS)
                near = not wanted.recommender.goods.is_far_behind(tx)
                body = self._answer(tx, wanted) if near else b""
            if not near:
                body = await sync_to_thread(self._answer_apart, wanted)
        except Exception as error:
            status, problem, extra = describe_problem(error, name)
            body = self._encode(Problems(problem))
            headers = [*headers, *((n.lower().encode(), v.encode()) for n, v in extra.items())]
        await send(
            HTTPResponseStartEvent(
                type="http.response.start",
                status=status,
                headers=[
                    *headers,
                    (b"content-length", b"%d" % len(body)),
                    (b"x-request-id", name.encode()),
                ],
            )
        )
        await send({"type": "http.response.body", "body": body, "more_body": False})
        seconds = perf_counter() - started
        self._metrics.count("GET", ROUTE, status, seconds)
        log_request("GET", ROUTE, status, seconds, actor, name)

    def close(self) -> None:
        """Let go of the connection."""
        self._reader.close()

    def _answer(self, tx: Connection, wanted: Wanted) -> bytes:
        view = answer(
            self._shop,
            tx,
            wanted.recommender,
            wanted.customer_id,
            n=wanted.n,
            history=wanted.history,
            log=wanted.log,
        )
        return self._encode(view)

    def _answer_apart(self, wanted: Wanted) -> bytes:
        """On a thread: much of the catalogue must be read first."""
        with self._shop.store.read() as tx:
            return self._answer(tx, wanted)


def read_key(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The secret key of a request; nothing where there is none, or more than one of a header.

    >>> read_key([(b"authorization", b"Bearer lx_1")]), read_key([(b"cookie", b"a=b")])
    ('lx_1', None)
    """
    given = [pair for pair in headers if pair[0] in _KEY_HEADERS]
    found = dict(given)
    if len(found) != len(given):
        return None
    api_key = found.get(b"x-api-key")
    return choose_key(
        found.get(b"authorization", b"").decode("latin-1"),
        None if api_key is None else api_key.decode("latin-1"),
    )


def read_query(text: bytes) -> tuple[int, tuple[str, ...], bool] | None:
    """``n``, ``history`` and ``log`` of a query; nothing where the route itself must look at it.

    >>> read_query(b""), read_query(b"n=5"), read_query(b"log=false&history=a&history=b%20c")
    ((10, (), True), (5, (), True), (10, ('a', 'b c'), False))
    >>> read_query(b"n=0"), read_query(b"m=1"), read_query(b"history=%FF")
    (None, None, None)
    """
    if not text:
        return _DEFAULT_N, (), True
    if len(text) > _LONGEST_QUERY or not text.isascii():
        return None
    n, history, log = "", list[str](), ""
    for name, value in parse_qsl(text.decode(), keep_blank_values=True):
        if name == "n" and not n:
            n = value
        elif name == "log" and not log and value in _TRUTHS:
            log = value
        elif name == "history" and is_plain_id(value):
            history.append(value)
        else:
            return None
    if len(history) > MOST_HISTORY or (n and not _NUMBER.fullmatch(n)):
        return None
    number = int(n) if n else _DEFAULT_N
    return (number, tuple(history), log != "false") if 1 <= number <= MOST_RECOMMENDED else None


def is_plain_id(text: str) -> bool:
    """Whether a text can be an identifier without a second look.

    >>> is_plain_id("17850"), is_plain_id("a//b"), is_plain_id("")
    (True, False, False)
    """
    return (
        0 < len(text) <= LONGEST_ID
        and text.isprintable()
        and "\ufffd" not in text
        and "//" not in text
    )
