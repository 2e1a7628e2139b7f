"""Templates: drafts, versions, previews and tests."""

from typing import Annotated

import msgspec
from litestar import delete, post, put
from litestar.params import JSONBody, PathParameter

from lingxi.access.roles import Scope
from lingxi.app.messages.views import TemplateDetail, TemplatePreview, TemplatesView, TestSent
from lingxi.errors import InvalidInput
from lingxi.forms import convert
from lingxi.messaging.templates.template import Template
from lingxi.server.api.parameters import LARGEST_NUMBER, LONGEST_ID, check_text
from lingxi.server.api.route import read
from lingxi.server.api.write import write
from lingxi.server.dependencies import AnyRequest, AskShop, provide_principal

TemplateName = Annotated[str, PathParameter(description="The template's name, such as welcome.")]
Text = Annotated[str, msgspec.Meta(max_length=LONGEST_ID)]
Context = dict[str, str | int | float | bool | None]


class TemplateChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The draft to be; ``definition`` is as GET gives it."""

    definition: dict[str, object]


class TemplateNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is published."""

    note: str = ""


class TemplateRestore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version that the draft is to be as."""

    version: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_NUMBER)]


class TemplateTrial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For whom it is rendered. ``definition`` is tried in place of the draft."""

    customer_id: Text = ""
    language: Text = ""
    context: Context = {}
    definition: dict[str, object] | None = None


class TemplateTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The address that the test goes to, and for whom it is rendered."""

    to: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
    customer_id: Text = ""
    language: Text = ""
    context: Context = {}


def read_definition(name: str, raw: dict[str, object]) -> Template:
    """A template of this name from its definition in JSON.

    Raises
    ------
    InvalidInput
        If it cannot be used, or says it has another name.
    """
    template = convert("definition", {"name": name, **raw}, Template)
    if template.name != name:
        raise InvalidInput(f"The definition says that its name is {template.name[:80]!r}.")
    return template


@read("/v1/templates", Scope.MESSAGES, "All templates")
def get_templates(shop: AskShop) -> TemplatesView:
    """Every template with its channel, languages and version."""
    return shop.templates.list_all()


@read("/v1/templates/{name:str}", Scope.MESSAGES, "One template")
def get_template(shop: AskShop, name: TemplateName) -> TemplateDetail:
    """Its draft, what is doubtful about it, and its versions."""
    return shop.templates.describe(name)


@write(put, "/v1/templates/{name:str}", Scope.MESSAGES_WRITE, "Write a draft")
def put_template(
    shop: AskShop, request: AnyRequest, name: TemplateName, data: JSONBody[TemplateChange]
) -> TemplateDetail:
    """Make the draft so; what is sent stays as it is until it is published."""
    template = read_definition(name, data.definition)
    return shop.templates.put(template, actor=provide_principal(request).actor)


@write(delete, "/v1/templates/{name:str}", Scope.MESSAGES_WRITE, "Take a draft away")
def delete_template(shop: AskShop, request: AnyRequest, name: TemplateName) -> TemplatesView:
    """Take away a template that was never published."""
    shop.templates.remove(name, actor=provide_principal(request).actor)
    return shop.templates.list_all()


@write(post, "/v1/templates/{name:str}/publish", Scope.MESSAGES_WRITE, "Publish a draft")
def post_published(
    shop: AskShop, request: AnyRequest, name: TemplateName, data: JSONBody[TemplateNote]
) -> TemplateDetail:
    """Make the draft what is sent, as a version that never changes."""
    actor = provide_principal(request).actor
    return shop.templates.publish(name, actor=actor, note=check_text("note", data.note))


@write(post, "/v1/templates/{name:str}/restore", Scope.MESSAGES_WRITE, "Restore a version")
def post_restored(
    shop: AskShop, request: AnyRequest, name: TemplateName, data: JSONBody[TemplateRestore]
) -> TemplateDetail:
    """Make the draft what a version was; publish it to send it."""
    return shop.templates.restore(name, data.version, actor=provide_principal(request).actor)


@write(post, "/v1/templates/{name:str}/preview", Scope.MESSAGES, "Preview a template")
def post_preview(
    shop: AskShop, name: TemplateName, data: JSONBody[TemplateTrial]
) -> TemplatePreview:
    """The draft, or a definition, as one customer would get it; nothing is sent or kept."""
    tried = None if data.definition is None else read_definition(name, data.definition)
    return shop.templates.preview(
        name,
        customer_id=data.customer_id,
        language=data.language,
        context=data.context,
        template=tried,
    )


@write(post, "/v1/templates/{name:str}/test", Scope.MESSAGES_WRITE, "Send a test")
def post_test(
    shop: AskShop, request: AnyRequest, name: TemplateName, data: JSONBody[TemplateTest]
) -> TestSent:
    """Send the draft to one address at once, marked as a test."""
    return shop.templates.send_test(
        name,
        data.to,
        actor=provide_principal(request).actor,
        customer_id=data.customer_id,
        language=data.language,
        context=data.context,
    )


ROUTES = [
    get_templates,
    get_template,
    put_template,
    delete_template,
    post_published,
    post_restored,
    post_preview,
    post_test,
]
