"""The frame of the pages for customers: the shop's name, their language, nothing to log in to."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Request, Response
from litestar.enums import HttpMethod, MediaType, RequestEncodingType

from lingxi.app.shop import Shop
from lingxi.i18n import LANGUAGES, Translator, choose_language
from lingxi.server.pages.frame import read_templates

AnyReader = Request[Any, Any, Any]
OPEN = {"unguarded": True}
"""No key, no cookie, no form token: the address itself is signed."""
READ: Final = [HttpMethod.GET, HttpMethod.HEAD]
"""Whoever follows a link may ask for the headers alone first, as scanners and mailboxes do."""
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
}


def choose_reader(request: AnyReader, shop: Shop, known: str = "") -> Translator:
    """Words in the language that was asked for in the address, else that the customer is known to
    read, else of the browser, else of the shop."""
    asked = request.query_params.get("lang", "")
    language = asked if asked in LANGUAGES else known[:2].lower()
    if language not in LANGUAGES:
        header = request.headers.get("accept-language")
        language = choose_language(header) if header else shop.settings.shop.language
    return Translator(language, timezone=shop.settings.zone, currency=shop.settings.shop.currency)


def draw(
    request: AnyReader,
    shop: Shop,
    reader: Translator,
    template: str,
    context: Mapping[str, object],
    *,
    status: int = 200,
) -> Response[str]:
    """One page for a customer."""
    html = (
        read_templates()
        .get_template(template)
        .render(
            _=reader.text,
            language=reader.language,
            languages=LANGUAGES,
            shop_name=shop.settings.shop.name,
            path=request.url.path,
            **context,
        )
    )
    return Response(html, media_type=MediaType.HTML, status_code=status, headers=_HEADERS)


def refuse(request: AnyReader, shop: Shop) -> Response[str]:
    """The page for a link that is none of ours, or whose customer is gone."""
    reader = choose_reader(request, shop)
    context = {
        "title": reader.text("mail.page.not_valid"),
        "lines": [reader.text("mail.page.not_valid.why")],
        "links": [],
    }
    return draw(request, shop, reader, "mail_said.html", context, status=404)


async def read_form(request: AnyReader) -> Mapping[str, str]:
    """The fields of a form, whichever way it was encoded; none for anything else."""
    kind = request.content_type[0]
    if kind not in (RequestEncodingType.URL_ENCODED, RequestEncodingType.MULTI_PART):
        return {}
    form = await request.form()
    return {str(name): value for name, value in form.items() if isinstance(value, str)}
