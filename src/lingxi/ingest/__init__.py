"""Sources, cleaning as a list of named steps, identity and quarantine: raw files → the log."""

from typing import TYPE_CHECKING

from lingxi.doors import open_door

if TYPE_CHECKING:
    from lingxi.ingest.erasure import forget
    from lingxi.ingest.files.retry import retry_lines
    from lingxi.ingest.files.take import import_lines
    from lingxi.ingest.identity import (
        customer_ids,
        find_customer,
        resolve_subjects,
        search_customers,
        seek_browser,
        seek_customer,
    )
    from lingxi.ingest.learnt import read_learnt
    from lingxi.ingest.mending import (
        Retries,
        mend_quarantine,
        replay_quarantine,
        retry_orders,
    )
    from lingxi.ingest.options import ImportOptions
    from lingxi.ingest.orders import import_orders
    from lingxi.ingest.quarantine import (
        count_quarantine,
        expire_quarantine,
        export_quarantine,
        list_quarantine,
    )
    from lingxi.ingest.reading import read_table
    from lingxi.ingest.reasons import DropReason
    from lingxi.ingest.report import ImportReport, ReasonCount
    from lingxi.ingest.runs import list_imports
else:
    __getattr__ = open_door(__name__, __file__)

__all__ = [
    "DropReason",
    "ImportOptions",
    "ImportReport",
    "ReasonCount",
    "Retries",
    "count_quarantine",
    "customer_ids",
    "expire_quarantine",
    "export_quarantine",
    "find_customer",
    "forget",
    "import_lines",
    "import_orders",
    "list_imports",
    "list_quarantine",
    "mend_quarantine",
    "read_learnt",
    "read_table",
    "replay_quarantine",
    "resolve_subjects",
    "retry_lines",
    "retry_orders",
    "search_customers",
    "seek_browser",
    "seek_customer",
]
