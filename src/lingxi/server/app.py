"""The web application: the API, the pages, and everything that guards them."""

import gc
import os
from pathlib import Path
from threading import Thread

from granian.utils.proxies import wrap_asgi_with_proxy_headers
from litestar import Litestar
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ASGIApp
from litestar.utils import ensure_async_callable

import lingxi
from lingxi.app.shop import Shop
from lingxi.ingest.cleaning import Rules
from lingxi.ingest.draining import Sealer
from lingxi.server.api import API, MACHINE, ReferencePage, get_style
from lingxi.server.api.route import KEY_SCHEME
from lingxi.server.assets import PREFIX, SNIPPET, get_asset, get_snippet
from lingxi.server.collect import ROUTES, Counts, Door, Front, Queue, TopicQueue
from lingxi.server.collect.description import SCHEMES
from lingxi.server.dependencies import DEPENDENCIES
from lingxi.server.errors import answer_error
from lingxi.server.gate import Gate, GateOfShop
from lingxi.server.gorse import GORSE
from lingxi.server.lane import Lane
from lingxi.server.mail import MAIL
from lingxi.server.metrics import Metrics
from lingxi.server.observe import configure_logs, make_observer
from lingxi.server.pages import PAGES, draw_error
from lingxi.server.serve import SHOP_VARIABLE
from lingxi.store.topics import TopicWriter

LARGEST_BODY = 256 * 1024
TRUSTED_PROXIES = "127.0.0.1,::1"
_DESCRIPTION = (
    "Send a secret key as 'Authorization: Bearer lx_...'. Amounts are in minor units of the "
    "answer's currency, moments in UTC, shares and probabilities between 0 and 1; null means that "
    'it cannot be known yet. Errors are {"error": {"code", "message", "request_id"}}.'
)


def create_app(shop: Shop) -> Litestar:
    """The application over one opened shop; whoever opened the shop closes it."""
    app = make_app()
    set_shop(app, shop)
    return app


def make_app() -> Litestar:
    """The application without a shop: its addresses, and what each of them takes and answers."""
    return Litestar(
        route_handlers=[
            *API,
            *MACHINE,
            GORSE,
            *PAGES,
            *MAIL,
            *ROUTES,
            get_style,
            get_asset,
            get_snippet,
        ],
        dependencies=DEPENDENCIES,
        middleware=[GateOfShop()],
        exception_handlers={Exception: answer_error},
        openapi_config=describe_api(),
        compression_config=CompressionConfig(
            "gzip",
            minimum_size=2048,
            gzip_compress_level=4,
            exclude=[f"^{PREFIX}/", f"^{SNIPPET}$"],
        ),
        request_max_body_size=LARGEST_BODY,
        logging_config=None,
        debug=False,
    )


def set_shop(app: Litestar, shop: Shop) -> None:
    """Let the application be over this shop, and over nothing that it was over before."""
    metrics, gate, door = Metrics(), Gate(shop), make_door(shop)
    metrics.register(door.counts)
    lane = Lane(shop, gate, metrics)
    app.state = State(
        {
            "shop": shop,
            "metrics": metrics,
            "error_page": draw_error,
            "gate": gate,
            "door": door,
            "lane": lane,
        }
    )
    app.before_send = [ensure_async_callable(make_observer(shop.settings.server, metrics))]
    app.on_shutdown = [door.queue.close, door.cleaner.close, gate.writes.close, lane.close]


def make_door(shop: Shop) -> Door:
    """The door for events of one shop, with its queue."""
    counts, settings = Counts(), shop.settings.collect
    if settings.queue == "log":
        return Door(shop, Queue(shop.intake, settings, counts), counts)
    writer = TopicWriter(
        shop.settings.kafka,
        timeout_seconds=settings.patience_seconds,
        most_records=2 * settings.waiting_events,
        most_bytes=2 * settings.waiting_bytes,
    )
    sealer = Sealer(shop.store.keyring, Rules.of(shop.settings))
    return Door(shop, TopicQueue(writer, sealer, settings, counts), counts)


def load_app() -> ASGIApp:
    """The application of a worker process; the shop's folder comes from the environment.

    With secure cookies a proxy on this machine stands in front: its word on who asks is taken.
    """
    configure_logs()
    shop = Shop.open(Path(os.environ[SHOP_VARIABLE]))
    Thread(target=shop.store.log.warm, name="lingxi-warm", daemon=True).start()
    shop.ensure_source()
    app = create_app(shop)
    app.on_shutdown.append(shop.close)
    front = Front(app.state["door"], app.state["lane"], app)
    shop.answers.ready_recommender()  # is loaded beside the start
    spare_collector()
    if not shop.settings.server.secure_cookies:
        return front
    wrapped: ASGIApp = wrap_asgi_with_proxy_headers(front, trusted_hosts=TRUSTED_PROXIES)
    return wrapped


def spare_collector() -> None:
    """Let Python's cycle collector look rarely, and only at what came after the start.

    An event makes some hundred objects and no cycle: by default the collector would run at every
    tenth event, and now and then walk through everything that was ever imported, for 0.1 s.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def describe_api() -> OpenAPIConfig:
    """What the description of the API says besides its routes; served at ``/docs/openapi.json``."""
    key = SecurityScheme(type="http", scheme="bearer", description="A secret key, lx_...")
    return OpenAPIConfig(
        title="HTTP API of Lingxi",
        version=lingxi.__version__,
        description=_DESCRIPTION,
        path="/docs",
        render_plugins=[ReferencePage(), JsonRenderPlugin(path="/openapi.json")],
        components=Components(security_schemes={KEY_SCHEME: key, **SCHEMES}),
        use_handler_docstrings=True,
    )
