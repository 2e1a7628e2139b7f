"""Sources over the API: made, given a new key, switched off. Their rates: ``/v1/source-rates``."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import post
from litestar.params import JSONBody, PathParameter

from lingxi.access import Scope
from lingxi.access.sources import (
    Source,
    create_source,
    disable_source,
    list_sources,
    read_kind,
    rotate_source,
)
from lingxi.server.api.parameters import check_id
from lingxi.server.api.route import read
from lingxi.server.api.write import write
from lingxi.server.dependencies import AnyRequest, AskShop, provide_principal

SourceName = Annotated[str, PathParameter(description="The source's name.")]


class SourceView(msgspec.Struct, frozen=True):
    """One source. The write key may stand in a public page; a secret is never shown."""

    name: str
    kind: str
    write_key: str
    allowed_origins: tuple[str, ...]
    has_secret: bool
    created_at: datetime
    disabled_at: datetime | None = None


class NewSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A source to be made; ``secret`` is what a shop platform signs its webhooks with."""

    name: str
    kind: str = "web"
    secret: str = ""
    allowed_origins: tuple[str, ...] = ()


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new secret beside the new write key, where the platform has one."""

    secret: str = ""


@read("/v1/sources", Scope.ADMIN, "Sources")
def get_all(shop: AskShop) -> list[SourceView]:
    """All sources, oldest first, disabled ones included."""
    with shop.store.read() as tx:
        return [_view(source) for source in list_sources(tx)]


@write(post, "/v1/sources", Scope.ADMIN, "Make a source")
def post_source(shop: AskShop, request: AnyRequest, data: JSONBody[NewSource]) -> SourceView:
    """A source with a new write key."""
    with shop.store.write() as tx:
        made = create_source(
            tx,
            shop.store.keyring,
            shop.clock.now(),
            data.name,
            read_kind(data.kind),
            actor=provide_principal(request).actor,
            secret=data.secret,
            allowed_origins=data.allowed_origins,
        )
    return _view(made)


@write(post, "/v1/sources/{name:str}/rotate", Scope.ADMIN, "A new key for a source")
def post_rotated(
    shop: AskShop, request: AnyRequest, name: SourceName, data: JSONBody[NewKey]
) -> SourceView:
    """A new write key; the old one ends within a second. A disabled source is in use again."""
    now, wanted = shop.clock.now(), check_id("name", name)
    with shop.store.write() as tx:
        made = rotate_source(
            tx,
            shop.store.keyring,
            now,
            wanted,
            actor=provide_principal(request).actor,
            secret=data.secret,
        )
    return _view(made)


@write(post, "/v1/sources/{name:str}/disable", Scope.ADMIN, "Switch a source off")
def post_disabled(shop: AskShop, request: AnyRequest, name: SourceName) -> list[SourceView]:
    """Nothing more is taken from it, within a second; the sources as they are then."""
    wanted = check_id("name", name)
    with shop.store.write() as tx:
        disable_source(tx, shop.clock.now(), wanted, actor=provide_principal(request).actor)
        return [_view(source) for source in list_sources(tx)]


def _view(source: Source) -> SourceView:
    return SourceView(
        name=source.name,
        kind=source.kind.value,
        write_key=source.write_key,
        allowed_origins=source.allowed_origins,
        has_secret=source.has_secret,
        created_at=source.created_at,
        disabled_at=source.disabled_at,
    )


ROUTES = [get_all, post_source, post_rotated, post_disabled]
