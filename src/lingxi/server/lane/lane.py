"""The lane for lists asked for with a key: past Litestar, on the event loop.

It does all that the gate, the route and the observer do, in their order and with their words; what
it does not know it leaves to them: sessions, other addresses, parameters that will not do. Nothing
on it waits: SQLite's readers wait for nobody, another model is loaded beside it, and what takes
long (much of the catalogue to be read, rules to be tried on all items, a list to be committed
before it is shown) is done on a thread.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import msgspec
from litestar.concurrency import sync_to_thread
from litestar.types import HTTPResponseStartEvent, HTTPScope, Send
from sqlalchemy import Connection

from lingxi.access.roles import Scope as Permission
from lingxi.app.queries.recommendations import answer
from lingxi.app.shop import Shop
from lingxi.server.errors import describe_problem
from lingxi.server.gate import Gate, Presented, check_permission
from lingxi.server.lane.asked import is_plain_id, read_ask, read_key, read_query
from lingxi.server.metrics import Metrics
from lingxi.server.observe import log_request
from lingxi.server.problems import Problems
from lingxi.server.requests import request_id
from lingxi.server.security import security_headers
from lingxi.store.reader import Reader

PERSONS = "/v1/recommendations/"
PERSONS_ROUTE = "/v1/recommendations/{customer_id}"
PLACES, LISTS = "/v1/placements/", "/recommendations"
PLACES_ROUTE = "/v1/placements/{name}/recommendations"


@dataclass(frozen=True)
class Wanted:
    """A request on the lane: the key it shows, its route, and how it is answered.

    ``at_once`` answers in a transaction, or nothing where that would hold others up; then
    ``apart`` does, on a thread.
    """

    key: str
    route: str
    at_once: Callable[[Connection], msgspec.Struct | None]
    apart: Callable[[], msgspec.Struct]


class Lane:
    """Answers ``GET /v1/recommendations/{customer_id}`` and
    ``GET /v1/placements/{name}/recommendations`` where the store is SQLite."""

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
        if not self._open or scope["method"] != "GET":
            return None
        if path.startswith(PERSONS):
            return self._find_person(path[len(PERSONS) :], scope)
        if path.startswith(PLACES) and path.endswith(LISTS):
            return self._find_place(path[len(PLACES) : -len(LISTS)], scope)
        return None

    async def serve(self, wanted: Wanted, scope: HTTPScope, send: Send) -> None:
        """Answer one request straight to the server."""
        started, name = perf_counter(), request_id(scope)
        status, headers, actor = 200, self._headers, None
        try:
            with self._reader.read() as tx:
                principal = self._gate.admit(tx, Presented(wanted.key, None))
                actor = None if principal is None else principal.actor
                check_permission(principal, Permission.RECOMMENDATIONS)
                view = wanted.at_once(tx)
            body = self._encode(view or await sync_to_thread(wanted.apart))
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
        self._metrics.count("GET", wanted.route, status, seconds)
        log_request("GET", wanted.route, status, seconds, actor, name)

    def close(self) -> None:
        """Let go of the connection."""
        self._reader.close()

    def _find_person(self, customer_id: str, scope: HTTPScope) -> Wanted | None:
        if not is_plain_id(customer_id) or customer_id[0] == "/" or customer_id[-1] == "/":
            return None
        key, asked = read_key(scope["headers"]), read_query(scope["query_string"])
        recommender = self._shop.answers.ready_recommender()
        if key is None or asked is None or recommender is None:
            return None
        shop, (n, history, log) = self._shop, asked

        def at_once(tx: Connection) -> msgspec.Struct | None:
            if recommender.goods.is_far_behind(tx):
                return None
            return answer(shop, tx, recommender, customer_id, n=n, history=history, log=log)

        def apart() -> msgspec.Struct:
            with shop.store.read() as tx:
                return answer(shop, tx, recommender, customer_id, n=n, history=history, log=log)

        return Wanted(key, PERSONS_ROUTE, at_once, apart)

    def _find_place(self, name: str, scope: HTTPScope) -> Wanted | None:
        if not is_plain_id(name) or "/" in name:
            return None
        key, asked = read_key(scope["headers"]), read_ask(scope["query_string"])
        recommender = self._shop.answers.ready_recommender()
        if key is None or asked is None or recommender is None:
            return None
        desk, (ask, log) = self._shop.answers.placements, asked
        return Wanted(
            key,
            PLACES_ROUTE,
            lambda tx: desk.recommend_at_once(tx, recommender, name, ask, log=log),
            lambda: desk.recommend(name, ask, log=log),
        )
