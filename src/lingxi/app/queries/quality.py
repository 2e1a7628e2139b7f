"""Data quality: every import with its counts, and what waits in quarantine."""

from lingxi import ingest
from lingxi.app.cursors import check_size, decode_cursor, encode_cursor
from lingxi.app.views import QualityView, QuarantineView
from lingxi.errors import InvalidInput
from lingxi.store import Store


def get_quality(store: Store) -> QualityView:
    """All imports, newest first, and the quarantine by reason."""
    with store.read() as tx:
        waiting = ingest.count_quarantine(tx)
        imports = ingest.list_imports(store)
    return QualityView(
        imports=tuple(imports),
        quarantined=sum(waiting.values()),
        quarantined_by_reason=waiting,
    )


def list_quarantine(store: Store, *, reason: str, cursor: str | None, n: int) -> QuarantineView:
    """A page of the lines set aside, oldest first."""
    check_size(n)
    after = 0
    if cursor is not None:
        (value,) = decode_cursor(cursor, 1)
        if not isinstance(value, int):
            raise InvalidInput("cursor is not one that this list gave; begin without it.")
        after = value
    lines = ingest.list_quarantine(store, reason=reason, after=after, n=n + 1)
    page = lines[:n]
    more = len(lines) > n
    return QuarantineView(tuple(page), encode_cursor([page[-1].id]) if more else None)
