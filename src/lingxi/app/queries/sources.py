"""Sources with their rates and errors."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lingxi.access.sources import Source, list_sources
from lingxi.app.collect_views import FilesView, SourceRow, SourcesView
from lingxi.app.cursors import check_size
from lingxi.app.watch.journal import list_files, list_folders
from lingxi.ingest.counts import SourceCount, last_seen, list_counts
from lingxi.ingest.pulling.state import list_pulls
from lingxi.ingest.turned_away import NOBODY, TurnedAway

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

_HOURS = 24
_HOUR = timedelta(hours=1)


def get_sources(shop: "Shop") -> SourcesView:
    """Every source, those too that only the log knows (files, imports), and why messages of the
    last 24 hours were set aside."""
    now = shop.clock.now()
    first = now.replace(minute=0, second=0, microsecond=0) - (_HOURS - 1) * _HOUR
    with shop.store.read() as tx:
        counts = list_counts(tx, since=first)
        seen = last_seen(tx)
        registered = {source.name: source for source in list_sources(tx)}
    own: defaultdict[str, list[SourceCount]] = defaultdict(list)
    for count in counts:
        own[count.source].append(count)
    names = [*registered, *sorted(set(seen) - set(registered))]
    reasons: Counter[str] = Counter()
    for count in counts:
        if count.reason:
            reasons[count.reason] += count.n
    away = shop.turned_away.list()
    return SourcesView(
        as_of=now,
        sources=tuple(
            _to_row(name, registered.get(name), own[name], seen.get(name), first, away.get(name))
            for name in names
        ),
        reasons=dict(reasons),
        without_key=away.get(NOBODY),
    )


def get_files(shop: "Shop", *, n: int = 20) -> FilesView:
    """What comes in by itself: from watched folders and by pulling; the ``n`` last files."""
    check_size(n)
    with shop.store.read() as tx:
        return FilesView(
            as_of=shop.clock.now(),
            folders=tuple(list_folders(tx)),
            files=tuple(list_files(tx, n=n)),
            pulls=tuple(list_pulls(tx)),
        )


def _to_row(
    name: str,
    source: Source | None,
    counts: Sequence[SourceCount],
    last: datetime | None,
    first: datetime,
    turned_away: TurnedAway | None,
) -> SourceRow:
    totals: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    by_hour = [0] * _HOURS
    for count in counts:
        totals[count.outcome] += count.n
        if count.reason:
            reasons[count.reason] += count.n
        place = (count.hour - first) // _HOUR
        if count.outcome == "stored" and 0 <= place < _HOURS:
            by_hour[place] += count.n
    return SourceRow(
        name=name,
        kind="file" if source is None else source.kind.value,
        write_key="" if source is None else source.write_key,
        created_at=None if source is None else source.created_at,
        disabled_at=None if source is None else source.disabled_at,
        last_seen_at=last,
        stored=totals["stored"],
        duplicates=totals["duplicate"],
        dropped=totals["dropped"],
        by_hour=tuple(by_hour),
        top_reason=reasons.most_common(1)[0][0] if reasons else None,
        turned_away=turned_away,
    )
