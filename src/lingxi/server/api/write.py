"""How a route that changes something is declared; the counterpart of ``read``."""

from typing import TypeVar

from litestar import delete, patch, post, put

from lingxi.access.roles import Scope
from lingxi.server.api.route import KEY_SCHEME

Verb = TypeVar("Verb", post, put, patch, delete)


def write(verb: type[Verb], path: str, scope: Scope, summary: str) -> Verb:
    """A route that writes to the store, on a thread, for whoever holds ``scope``."""
    return verb(
        path,
        opt={"scope": scope},
        security=[{KEY_SCHEME: [scope.value]}],
        tags=[path.split("/")[2].partition(":")[0]],
        summary=summary,
        status_code=200,
        sync_to_thread=True,
    )
