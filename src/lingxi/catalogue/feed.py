"""Import of a catalogue file: one line, or one entry of a Google Merchant feed, an item."""

from collections.abc import Mapping
from pathlib import Path
from time import perf_counter

import msgspec
import sqlalchemy as sa

from lingxi.catalogue.feed_lines import Feed, Terms, read_feed
from lingxi.catalogue.feed_woocommerce import read_export
from lingxi.catalogue.feed_xml import read_xml
from lingxi.catalogue.items import read_items
from lingxi.catalogue.write import Merge, merge_items
from lingxi.clock import Clock
from lingxi.config import Settings
from lingxi.errors import InvalidInput
from lingxi.i18n import Sentence
from lingxi.ingest import DropReason, ImportOptions, ImportReport, ReasonCount, read_table
from lingxi.ingest.columns import missing_columns, recognise
from lingxi.ingest.counts import count_report
from lingxi.ingest.quarantine import Found, put_quarantine
from lingxi.ingest.rates import RateBook
from lingxi.ingest.raw import RawTable
from lingxi.ingest.reading import detect_form
from lingxi.ingest.reasons import PutReason
from lingxi.ingest.runs import next_import_id, put_run
from lingxi.ingest.synonyms import ATTRIBUTE_FIELDS, ITEM_FIELDS
from lingxi.schema import Item
from lingxi.store import Progress, Store, silent

_FIELDS = ITEM_FIELDS | ATTRIBUTE_FIELDS
_WORDS = frozenset(word for tiers in _FIELDS.values() for tier in tiers for word in tier.split())


def import_items(
    store: Store,
    settings: Settings,
    clock: Clock,
    path: Path,
    progress: Progress = silent,
    options: ImportOptions | None = None,
    *,
    complete: bool = False,
) -> ImportReport:
    """Bring in a catalogue: each field that the file has is set, the others stay as they are.

    Parameters
    ----------
    complete
        Whether the file lists all that is on sale: what it does not list goes off sale.

    Raises
    ------
    FileUnreadable
        If the file is absent, empty, damaged or of another form than its name says.
    UnknownColumn
        If no column holds the item's code, or two could.
    InvalidInput
        If a complete file holds no item that could be read, or a currency is none.
    """
    chosen = options or ImportOptions()
    started, clocked = clock.now(), perf_counter()
    progress("Reading", 0, None)
    raw = _read(path, chosen)
    mapping = recognise_columns(raw, chosen.mapping)
    own = settings.shop.currency
    terms = Terms(own, chosen.currency or own, started, settings.zone, RateBook(store).rate)
    feed = read_feed(raw, mapping, terms)
    progress("Writing items", 0, len(feed.merges))
    found = list_aside(raw, feed)
    with store.write() as tx:
        gone = _find_absent(tx, feed) if complete else {}
        written = merge_items(store, tx, {**feed.merges, **gone}, started)
        import_id = next_import_id(store, tx)
        put_quarantine(store, tx, import_id, found, started)
        report = msgspec.structs.replace(
            describe_feed(raw, mapping, feed, import_id, path.name),
            started_at=started,
            timezone=settings.shop.timezone,
            currency=own,
            events_new=written.events,
            notes=(Sentence("clean.note.items_taken_off", {"n": len(gone)}),) if gone else (),
            seconds=round(perf_counter() - clocked, 3),
        )
        put_run(tx, report, chosen)
        count_report(tx, report)
    progress("Writing items", written.items, written.items)
    return report


def _read(path: Path, options: ImportOptions) -> RawTable:
    if detect_form(path) == "xml":
        return read_xml(path, _WORDS, encoding=options.encoding)
    raw = read_table(
        path, encoding=options.encoding, delimiter=options.delimiter, sheet=options.sheet
    )
    return raw if options.mapping else read_export(raw)


def recognise_columns(raw: RawTable, stated: Mapping[str, str]) -> dict[str, str]:
    """Field → column of a catalogue.

    Raises
    ------
    UnknownColumn
        If no column holds the item's code, or two could.
    """
    mapping = recognise(
        raw.headers, _FIELDS, stated, same=raw.same, needed=("item", "name", "price")
    )
    if "item" not in mapping:
        raise missing_columns(raw.headers, mapping, ["item"], mapped=True)
    return mapping


def list_aside(raw: RawTable, feed: Feed) -> list[Found]:
    """The lines of a feed that were set aside, as quarantine wants them."""
    malformed = [
        Found(m.row, "drop_malformed", DropReason.LINE_MALFORMED.value, {"line": m.text})
        for m in raw.malformed
    ]
    return malformed + [
        Found(int(raw.rows[line]), step, reason, raw.record(line))
        for step, reason, index in feed.dropped
        for line in index.tolist()
    ]


def _find_absent(tx: sa.Connection, feed: Feed) -> dict[str, Merge]:
    """What is on sale and not in the file, as it will be: off sale."""
    if not feed.merges:
        raise InvalidInput(
            "The file holds no item that could be read, so it cannot be all that is on sale. "
            "Nothing was changed."
        )

    def off(old: Item | None) -> Item:
        if old is None:
            raise AssertionError("only items that are known go off sale")
        return msgspec.structs.replace(old, active=False)

    return {
        item_id: off
        for item_id, item in read_items(tx).items()
        if item.active and item_id not in feed.listed
    }


def describe_feed(
    raw: RawTable, mapping: dict[str, str], feed: Feed, import_id: str, file: str
) -> ImportReport:
    """What reading a feed came to; what was written is not in it yet."""
    reasons = [
        ReasonCount(step, reason, len(index), False, f"row {int(raw.rows[index[0]])}")
        for step, reason, index in feed.dropped
    ]
    if raw.malformed:
        reasons.insert(
            0, ReasonCount("drop_malformed", "line_malformed", len(raw.malformed), False)
        )
    touched = (
        ("put_currency", PutReason.CURRENCY_CONVERTED, feed.converted),
        ("put_item_fields", PutReason.VALUE_DROPPED, feed.left_out),
    )
    changed = [
        ReasonCount(step, reason.value, len(lines), True, f"row {int(raw.rows[lines[0]])}")
        for step, reason, lines in touched
        if lines
    ]
    return msgspec.structs.replace(
        ImportReport.empty(import_id, file, "items"),
        mapping=mapping,
        lines_in=len(raw) + len(raw.malformed),
        lines_kept=len(feed.merges),
        lines_set_aside=sum(reason.lines for reason in reasons),
        reasons=(*reasons, *changed),
        items=len(feed.merges),
    )
