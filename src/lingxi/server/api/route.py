"""How a route of the API is declared: its address, the permission it needs, its words."""

from litestar import get

from lingxi.access.roles import Scope
from lingxi.server.validation import refuse_unknown_parameters

KEY_SCHEME = "secret key"


def read(path: str, scope: Scope, summary: str) -> get:
    """A GET route that answers from the store, on a thread, to whoever holds ``scope``.

    Every answer reads SQLite, DuckDB or PostgreSQL, which block; on the event loop one slow list
    would hold up all others. What the thread costs is measured in ``docs/server.md``.
    """
    return get(
        path,
        opt={"scope": scope},
        security=[{KEY_SCHEME: [scope.value]}],
        tags=[path.split("/")[2]],
        summary=summary,
        sync_to_thread=True,
        before_request=refuse_unknown_parameters,
    )
