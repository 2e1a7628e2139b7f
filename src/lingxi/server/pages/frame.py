"""The frame around every page: who reads, in which language and theme, and where they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response
from litestar.di import NamedDependency, Provide
from litestar.enums import MediaType

from lingxi import __version__
from lingxi.access import SessionUser
from lingxi.i18n import LANGUAGES
from lingxi.server.assets import asset_url
from lingxi.server.dependencies import AnyRequest, AskShop, AskToken, AskTranslator
from lingxi.server.pages import links
from lingxi.server.pages.words import Words

THEME_COOKIE = "lingxi_theme"
THEMES = ("system", "light", "dark")
TEMPLATES = Path(__file__).parents[1] / "templates"


@dataclass(frozen=True)
class Place:
    """One entry of the rail."""

    code: str
    path: str
    icon: str


@dataclass(frozen=True)
class Group:
    """Entries that stand together in the rail; one without a name has no heading."""

    code: str
    places: tuple[Place, ...]


RAIL = (
    Group("", (Place("today", "/", "today"),)),
    Group(
        "customers",
        (Place("people", "/customers", "people"), Place("segments", "/segments", "segments")),
    ),
    Group(
        "recommendations",
        (
            Place("items", "/items", "items"),
            Place("placements", "/placements", "placements"),
            Place("explorer", "/explorer", "explorer"),
            Place("recommender", "/recommender", "report"),
            Place("coverage", "/coverage", "coverage"),
        ),
    ),
    Group(
        "automation",
        (
            Place("plan", "/plan", "plan"),
            Place("journeys", "/journeys", "journeys"),
            Place("calendar", "/calendar", "calendar"),
            Place("templates", "/templates", "templates"),
            Place("messages", "/messages", "messages"),
            Place("deliverability", "/deliverability", "mail"),
            Place("coupons", "/coupons", "coupons"),
        ),
    ),
    Group(
        "data",
        (
            Place("live", "/live", "live"),
            Place("sources", "/sources", "sources"),
            Place("quality", "/quality", "quality"),
            Place("consent", "/consent", "consent"),
            Place("models", "/models", "models"),
        ),
    ),
    Group("", (Place("settings", "/settings", "settings"),)),
)
"""The rail, along the customer's road."""


@dataclass(frozen=True)
class Frame:
    """Everything a page needs that does not depend on its subject."""

    words: Words
    shop_name: str
    theme: str
    csrf_token: str
    user: SessionUser | None
    path: str
    here: str
    """Path with its query, to come back to."""

    def list_page(
        self, template: str, context: Mapping[str, object], address: links.Address
    ) -> Response[str]:
        """A page with a list; the browser shows the address without its empty filters."""
        return self.page(
            template,
            {**context, "address": address},
            headers={"HX-Push-Url": address.here},
        )

    @property
    def now(self) -> datetime:
        """The moment the page is made."""
        return self.words.now

    def page(
        self,
        template: str,
        context: Mapping[str, object] | None = None,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response[str]:
        """A whole HTML page from a template."""
        html = (
            read_templates()
            .get_template(template)
            .render(
                frame=self,
                language=self.words.reader.language,
                languages=LANGUAGES,
                themes=THEMES,
                rail=RAIL,
                version=__version__,
                user=self.user,
                **self.words.functions(),
                **(context or {}),
            )
        )
        return Response(
            html,
            media_type=MediaType.HTML,
            status_code=status,
            headers={"Cache-Control": "no-store", **(headers or {})},
        )


@lru_cache
def read_templates() -> Environment:
    """The environment of all templates; every value is escaped, an unknown name is an error."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        asset=asset_url,
        link=links.link,
        customer_link=links.customer_link,
        item_link=links.item_link,
        flip_sort=links.flip_sort,
        aria_sort=links.aria_sort,
    )
    return environment


def make_frame(
    request: AnyRequest, shop: AskShop, translator: AskTranslator, csrf_token: AskToken
) -> Frame:
    """The frame for one request; the login page has one too, without a user."""
    principal = request.scope.get("user")
    theme = request.cookies.get(THEME_COOKIE, THEMES[0])
    return Frame(
        words=Words(translator, shop.clock.now()),
        shop_name=shop.settings.shop.name,
        theme=theme if theme in THEMES else THEMES[0],
        csrf_token=csrf_token,
        user=principal if isinstance(principal, SessionUser) else None,
        path=request.url.path,
        here=_here(request),
    )


def _here(request: AnyRequest) -> str:
    query = urlencode(list(request.query_params.multi_items()))
    return f"{request.url.path}?{query}" if query else request.url.path


AskFrame = NamedDependency[Frame]
"""The type of a handler's parameter ``frame``."""

FRAME = {"frame": Provide(make_frame, sync_to_thread=False)}
"""A handler of a page asks for ``frame``."""
