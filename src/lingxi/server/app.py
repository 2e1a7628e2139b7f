"""The web application: the API, the pages, and everything that guards them."""

from litestar import Litestar
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.utils import ensure_async_callable

import lingxi
from lingxi.app.shop import Shop
from lingxi.server.api import API, MACHINE, ReferencePage, get_style
from lingxi.server.api.route import KEY_SCHEME
from lingxi.server.assets import PREFIX, SNIPPET, get_asset, get_snippet
from lingxi.server.collect import ROUTES, Door, Front
from lingxi.server.collect.description import SCHEMES
from lingxi.server.dependencies import DEPENDENCIES
from lingxi.server.errors import answer_error
from lingxi.server.gate import Gate, GateOfShop
from lingxi.server.gorse import GORSE
from lingxi.server.lane import Lane
from lingxi.server.load import make_door
from lingxi.server.mail import MAIL
from lingxi.server.metrics import Metrics
from lingxi.server.observe import make_observer
from lingxi.server.pages import PAGES, draw_error

LARGEST_BODY = 256 * 1024
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


def set_shop(app: Litestar, shop: Shop, opened: Door | None = None) -> None:
    """Let the application be over this shop, and over nothing that it was over before; ``opened``
    is a door that takes events of it already."""
    metrics, gate, door = Metrics(), Gate(shop), opened or make_door(shop)
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


def create_front(shop: Shop, door: Door) -> Front:
    """The application with door and lane before it, as a worker process serves it; the shop is
    closed with it."""
    app = make_app()
    set_shop(app, shop, door)
    app.on_shutdown.append(shop.close)
    return Front(door, app.state["lane"], app)


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
