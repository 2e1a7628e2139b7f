"""The plan as files for a marketer: Parquet, CSV and JSON with the shop's own customer ids."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from lingxi.config import Settings
from lingxi.i18n import Translator
from lingxi.ingest import customer_ids
from lingxi.policy.ledger import StoredAction, list_actions
from lingxi.store import Store

FORMS = ("parquet", "csv", "json")

_FIELDS: "list[pa.Field[pa.DataType]]" = [
    pa.field("customer_id", pa.string(), nullable=False),
    pa.field("stage", pa.string(), nullable=False),
    pa.field("segment", pa.string()),
    pa.field("value_cents", pa.int64(), nullable=False),
    pa.field("churn_probability", pa.float64()),
    pa.field("action", pa.string(), nullable=False),
    pa.field("rule", pa.string(), nullable=False),
    pa.field("offer", pa.string(), nullable=False),
    pa.field("channel", pa.string(), nullable=False),
    pa.field("item_ids", pa.list_(pa.string()), nullable=False),
    pa.field("reason", pa.string(), nullable=False),
    pa.field("expected_value_cents", pa.int64()),
    pa.field("currency", pa.string(), nullable=False),
]
PLAN_ROWS = pa.schema(_FIELDS)
"""One row per known customer, the most valuable first; ``reason`` in the shop's language."""


def tabulate(
    actions: Sequence[StoredAction], ids: Mapping[int, str], words: Translator
) -> pa.Table:
    """The plan as an Arrow table in the form of ``PLAN_ROWS``."""
    rows = [
        {
            "customer_id": ids[action.customer],
            "stage": action.stage,
            "segment": action.segment,
            "value_cents": action.value_cents,
            "churn_probability": action.churn_probability,
            "action": action.action,
            "rule": action.rule,
            "offer": action.offer,
            "channel": action.channel,
            "item_ids": list(action.item_ids),
            "reason": words.text(action.reason),
            "expected_value_cents": action.expected_value_cents,
            "currency": words.currency,
        }
        for action in actions
    ]
    return pa.Table.from_pylist(rows, schema=PLAN_ROWS)


def write_files(table: pa.Table, folder: Path) -> tuple[Path, ...]:
    """Write the plan in every form; each file is replaced whole."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = tuple(folder / f"plan.{form}" for form in FORMS)
    for path in paths:
        draft = path.with_name(f".{path.name}.draft")
        _write(table, draft, path.suffix)
        os.replace(draft, path)
    return paths


def _write(table: pa.Table, path: Path, suffix: str) -> None:
    if suffix == ".parquet":
        pq.write_table(table, path, compression="zstd")
    elif suffix == ".json":
        path.write_bytes(msgspec.json.encode(table.to_pylist()))
    else:
        items = [" ".join(ids or ()) for ids in table.column("item_ids").to_pylist()]
        at = table.schema.get_field_index("item_ids")
        flat = table.set_column(at, "item_ids", pa.array(items, pa.string()))
        for name in ("customer_id", "reason"):
            at = flat.schema.get_field_index(name)
            safe = [_defuse(str(text)) for text in flat.column(name).to_pylist()]
            flat = flat.set_column(at, name, pa.array(safe, pa.string()))
        pyarrow.csv.write_csv(flat, path)


def _defuse(text: str) -> str:
    """A cell that no spreadsheet takes for a formula.

    >>> _defuse("=1+1"), _defuse("17850")
    ("'=1+1", '17850')
    """
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def write_plan_files(store: Store, settings: Settings) -> tuple[Path, ...]:
    """Write the stored plan as Parquet, CSV and JSON to ``plan/`` in the shop's folder."""
    with store.read() as tx:
        actions = list_actions(tx, n=None)
        ids = customer_ids(tx, [action.customer for action in actions])
    words = Translator(settings.shop.language, settings.zone, settings.shop.currency)
    return write_files(tabulate(actions, ids, words), settings.folder / "plan")
