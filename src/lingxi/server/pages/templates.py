"""Templates: all of them, and one with its text in each language and a preview for any customer."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.enums import MediaType, RequestEncodingType
from litestar.params import Body, FromPath, FromQuery

from lingxi.access import Scope
from lingxi.app.messages.views import TemplateDetail, TemplatePreview, TemplatesView
from lingxi.app.shop import Shop
from lingxi.errors import InvalidInput, UserError
from lingxi.i18n import LANGUAGES
from lingxi.messaging.templates.liquid_engine import KINDS
from lingxi.server.api.parameters import check_text
from lingxi.server.api.templates import read_definition
from lingxi.server.dependencies import AskShop, AskUser
from lingxi.server.pages.frame import AskFrame, Frame
from lingxi.server.pages.links import link
from lingxi.server.pages.session import see
from lingxi.server.pages.words import Words

_READ = {"scope": Scope.MESSAGES}
_WRITE = {"scope": Scope.MESSAGES_WRITE}
_DONE = ("saved", "published", "restored", "sent")
_COUPON = re.compile(r"{[{%][^}]*\bcoupon\b")
_LINES = ("subject", "preview", "title", "url")
_FIELDS = ("kind", "subject", "preview", "title", "url", "body", "text")
_LETTER_POLICY = (
    "sandbox; default-src 'none'; img-src https: data:; style-src 'unsafe-inline'; "
    "frame-ancestors 'self'"
)
"""A letter may style itself and show pictures; it runs nothing and leads nowhere."""
FormData = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/templates", opt=_READ, sync_to_thread=True)
def get_templates(frame: AskFrame, shop: AskShop) -> Response[str]:
    """All templates."""
    view = shop.templates.list_all()
    return frame.page("templates.html", {"view": view, "answer": answer(frame.words, view)})


@get("/templates/{name:str}", opt=_READ, sync_to_thread=True)
def get_template(
    frame: AskFrame,
    shop: AskShop,
    name: FromPath[str],
    language: FromQuery[str] = "",
    customer_id: FromQuery[str] = "",
    done: FromQuery[str] = "",
) -> Response[str]:
    """One template: its text, a preview, its versions."""
    said = done if done in _DONE else ""
    return draw(frame, shop, name, language, check_text("customer_id", customer_id), done=said)


@post("/templates/{name:str}", opt=_WRITE, sync_to_thread=True, status_code=200)
def post_draft(
    data: FormData, frame: AskFrame, shop: AskShop, user: AskUser, name: FromPath[str]
) -> Response[str]:
    """Make the draft what the form says; nothing is sent of it before it is published."""
    language, customer_id = str(data.get("language", "")), str(data.get("customer_id", ""))
    try:
        definition = _overlay(shop.templates.describe(name).definition, language, data)
        shop.templates.put(read_definition(name, definition), actor=user.actor)
    except UserError as error:
        return draw(frame, shop, name, language, "", problem=str(error), values=data, status=400)
    return see(_address(name, language, customer_id, "saved"))


@post("/templates/{name:str}/publish", opt=_WRITE, sync_to_thread=True, status_code=200)
def post_published(
    data: FormData, frame: AskFrame, shop: AskShop, user: AskUser, name: FromPath[str]
) -> Response[str]:
    """Make the draft what is sent."""
    try:
        shop.templates.publish(name, actor=user.actor, note=check_text("note", _say(data, "note")))
    except UserError as error:
        return draw(frame, shop, name, "", "", problem=str(error), status=400)
    return see(_address(name, "", "", "published"))


@post("/templates/{name:str}/restore", opt=_WRITE, sync_to_thread=True, status_code=200)
def post_restored(
    data: FormData, frame: AskFrame, shop: AskShop, user: AskUser, name: FromPath[str]
) -> Response[str]:
    """Make the draft what a version was."""
    try:
        version = _say(data, "version")
        if not version.isdecimal() or len(version) > 9:
            raise InvalidInput("A version is a whole number.")
        shop.templates.restore(name, int(version), actor=user.actor)
    except UserError as error:
        return draw(frame, shop, name, "", "", problem=str(error), status=400)
    return see(_address(name, "", "", "restored"))


@post("/templates/{name:str}/test", opt=_WRITE, sync_to_thread=True, status_code=200)
def post_test(
    data: FormData, frame: AskFrame, shop: AskShop, user: AskUser, name: FromPath[str]
) -> Response[str]:
    """Send the draft to one address at once."""
    language, customer_id = _say(data, "language"), _say(data, "customer_id")
    try:
        sent = shop.templates.send_test(
            name, _say(data, "to"), actor=user.actor, customer_id=customer_id, language=language
        )
        if sent.outcome != "accepted":
            raise InvalidInput(f"The test was not accepted: {sent.reason} {sent.detail}".strip())
    except UserError as error:
        return draw(frame, shop, name, language, "", problem=str(error), status=400)
    return see(_address(name, language, customer_id, "sent"))


@get("/templates/{name:str}/letter", opt=_READ, sync_to_thread=True)
def get_letter(
    shop: AskShop,
    name: FromPath[str],
    language: FromQuery[str] = "",
    customer_id: FromQuery[str] = "",
) -> Response[str]:
    """The draft's HTML as a customer would get it, for the frame of the preview alone."""
    shown = shop.templates.preview(
        name, language=language, customer_id=check_text("customer_id", customer_id)
    )
    headers = {"content-security-policy": _LETTER_POLICY, "x-frame-options": "SAMEORIGIN"}
    return Response(shown.html, media_type=MediaType.HTML, headers=headers)


def draw(
    frame: Frame,
    shop: Shop,
    name: str,
    language: str,
    customer_id: str,
    *,
    done: str = "",
    problem: str = "",
    values: Mapping[str, Any] | None = None,
    status: int = 200,
) -> Response[str]:
    """The page of one template."""
    detail = shop.templates.describe(name)
    if language not in LANGUAGES:
        language = str(detail.definition["fallback"])
    preview, trouble = _try(shop, detail, language, customer_id)
    said = values or _spell(detail.definition, language)
    context = {
        "detail": detail,
        "language_shown": language,
        "tongues": LANGUAGES,
        "kinds": KINDS,
        "customer_id": customer_id,
        "values": said,
        "fields": [field for field in _LINES if field in _find_usual(detail) or said.get(field)],
        "preview": preview,
        "brings_coupon": bool(_COUPON.search(str(said.get("body", "")))),
        "letter": link(f"/templates/{name}/letter", language=language, customer_id=customer_id),
        "may_change": frame.user is not None and frame.user.can(Scope.MESSAGES_WRITE),
        "done": done,
        "problem": problem or trouble,
    }
    return frame.page("template.html", context, status=status)


def _find_usual(detail: TemplateDetail) -> tuple[str, ...]:
    """The lines that a message of the template's channel has besides its body."""
    return _LINES[:2] if detail.template.channel == "email" else _LINES[2:]


def answer(words: Words, view: TemplatesView) -> str:
    """All templates in a sentence."""
    if not view.templates:
        return words.text("templates.answer.none")
    live = sum(each.published > 0 for each in view.templates)
    return words.text("templates.answer", total=len(view.templates), live=live)


def _try(
    shop: Shop, detail: TemplateDetail, language: str, customer_id: str
) -> tuple[TemplatePreview | None, str]:
    """The preview, or why there is none; a language without a text of its own has none yet."""
    if language not in detail.template.languages:
        return None, ""
    try:
        return shop.templates.preview(
            detail.template.name, language=language, customer_id=customer_id
        ), ""
    except UserError as error:
        return None, str(error)


def _spell(definition: Mapping[str, Any], language: str) -> dict[str, str]:
    """The form's values of one language."""
    variant = definition["variants"].get(language, {"kind": KINDS[-1]})
    values = {field: str(variant.get(field, "")) for field in _FIELDS}
    return {
        **values,
        "category": str(definition["category"]),
        "required": ", ".join(definition["required"]),
    }


def _overlay(
    definition: Mapping[str, Any], language: str, data: Mapping[str, Any]
) -> dict[str, object]:
    """The definition with what the form says of one language."""
    if language not in LANGUAGES:
        raise InvalidInput(f"There is no language {language[:20]!r}.")
    before = definition["variants"].get(language, {})
    variant = {**before, **{field: _say(data, field) for field in _FIELDS if field in data}}
    return {
        **definition,
        "category": _say(data, "category").strip(),
        "required": [each.strip() for each in _say(data, "required").split(",") if each.strip()],
        "variants": {**definition["variants"], language: variant},
    }


def _say(data: Mapping[str, Any], name: str) -> str:
    return str(data.get(name, "")).replace("\r\n", "\n")


def _address(name: str, language: str, customer_id: str, done: str) -> str:
    return link(f"/templates/{name}", language=language, customer_id=customer_id, done=done)


ROUTES = [
    get_templates,
    get_template,
    post_draft,
    post_published,
    post_restored,
    post_test,
    get_letter,
]
