"""Tables of ingest: identifiers, quarantine, documents seen, items learnt, imports done, counts."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from lingxi.store.tables import NAMING, SUBJECT, Moment

metadata = MetaData(naming_convention=NAMING)

identifier = Table(
    "identifier",
    metadata,
    Column("kind", String, primary_key=True),
    Column("value", String, primary_key=True),
    Column("subject", SUBJECT, nullable=False, unique=True),
    Column("sealed", String),
    Column("since", Moment),
)
"""Raw identifier → surrogate, given once. ``value`` of an e-mail address is its keyed hash;
``sealed`` is the keyed hash under which quarantined lines name the same person. A browser that
somebody logged out of goes on under a new surrogate; its old row's ``value`` gets a separator that
no id can have, and the old surrogate."""

browser_turn = Table(
    "browser_turn",
    metadata,
    Column("subject", SUBJECT, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("value", String, nullable=False),
    Column("at", Moment, nullable=False),
    Column("shared", Boolean, nullable=False),
    Index(None, "kind", "value"),
)
"""Browsers that went on under a new surrogate: the old one, and whether the new one is nobody's
because too many customers shared the browser."""

merge = Table(
    "merge",
    metadata,
    Column("id", SUBJECT, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("kept", SUBJECT, nullable=False, index=True),
    Column("merged", SUBJECT, nullable=False, index=True),
    Column("subjects", Text, nullable=False),
    Column("rule", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("event_id", String, nullable=False),
    Column("undone_at", Moment),
)
"""Two customers who turned out to be one: ``subjects`` are those that moved, as JSON pairs of
surrogate and whether it was known before; ``kind`` the identifier that both had."""

kept_apart = Table(
    "kept_apart",
    metadata,
    Column("one", SUBJECT, primary_key=True, autoincrement=False),
    Column("other", SUBJECT, primary_key=True, autoincrement=False, index=True),
)
"""Surrogates whose merge was undone: they are not merged again."""

identity_refusal = Table(
    "identity_refusal",
    metadata,
    Column("hour", Moment, primary_key=True),
    Column("rule", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("n", BigInteger, nullable=False),
)
"""Merges and links that were refused, by the hour and by the rule that refused them."""

refused_link = Table(
    "refused_link",
    metadata,
    Column("subject", SUBJECT, primary_key=True, autoincrement=False),
    Column("rule", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("other", SUBJECT, index=True),
    Column("masked", String, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False, index=True),
    Column("event_id", String, nullable=False),
)
"""What was refused, by the surrogate whose messages they were; ``other`` has the identifier, and
``masked`` is what may be shown of it."""

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", SUBJECT, primary_key=True, autoincrement=True),
    Column("fingerprint", String, nullable=False, unique=True),
    Column("import_id", String, nullable=False, index=True),
    Column("row", BigInteger, nullable=False),
    Column("step", String, nullable=False),
    Column("reason", String, nullable=False, index=True),
    Column("raw", LargeBinary, nullable=False),
    Column("sealed", String, index=True),
    Column("at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("owner", SUBJECT, nullable=False, server_default="0"),
)
"""Lines set aside: ``raw`` is the line as JSON under the key of ``owner``, which is destroyed once
the line has expired."""

quarantine_mended = Table(
    "quarantine_mended",
    metadata,
    Column("fingerprint", String, primary_key=True),
    Column("at", Moment, nullable=False),
)
"""Lines that left quarantine by being mended, so that the same file does not bring them back."""

quarantine_seen = Table(
    "quarantine_seen",
    metadata,
    Column("content", String, primary_key=True),
    Column("import_id", String, nullable=False, index=True),
    Column("n", BigInteger, nullable=False),
    Column("at", Moment, nullable=False, index=True),
)
"""How often an import that is under way has set a line of this content (a keyed hash) aside, so
that equal lines of its parts are told apart, also where it goes on after a crash."""

document = Table(
    "document",
    metadata,
    Column("key", String, primary_key=True),
    Column("fingerprint", String, nullable=False),
    Column("import_id", String, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("tied_lines", Integer, nullable=False),
)
"""Orders and refund documents that are in the log, each once, with a hash of their content;
``tied_lines`` of a refund's product lines found their order."""

trait = Table(
    "trait",
    metadata,
    Column("subject", SUBJECT, primary_key=True, autoincrement=False),
    Column("name", String(64), primary_key=True),
    Column("value", LargeBinary),
    Column("updated_at", Moment, nullable=False),
)
"""What was said of a person (name, e-mail, ...), each value under the surrogate's own key, so that
a merge moves nothing; no value means that it was taken back."""

private = Table(
    "private",
    metadata,
    Column("event_id", String, primary_key=True),
    Column("subject", SUBJECT, nullable=False, index=True),
    Column("value", LargeBinary, nullable=False),
)
"""What of an event may identify somebody, as JSON under the surrogate's own key."""

consent = Table(
    "consent",
    metadata,
    Column("customer", SUBJECT, primary_key=True, autoincrement=False),
    Column("purpose", String(40), primary_key=True),
    Column("channel", String(40), primary_key=True),
    Column("granted", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
    Column("source", String, nullable=False),
    Column("text_version", String),
    Index(None, "purpose", "channel"),
)
"""What each customer said last, by purpose and channel (``*`` is every channel)."""

order_state = Table(
    "order_state",
    metadata,
    Column("order_id", String, primary_key=True),
    Column("subject", SUBJECT, index=True),
    Column("told_at", Moment, nullable=False),
    Column("tellings", Integer, nullable=False),
    Column("goods_cents", BigInteger, nullable=False),
    Column("refunded_cents", BigInteger, nullable=False),
    Column("lines", Text, nullable=False),
    Column("name", String, index=True),
)
"""Orders told by messages, as last told: goods value, what of it came back, and the goods that
stand, as JSON ``{item: [quantity, amount]}``; ``name`` is the number that customers see, where it
is another."""

delivery = Table(
    "delivery",
    metadata,
    Column("source", String, primary_key=True),
    Column("delivery_id", String, primary_key=True),
    Column("at", Moment, nullable=False, index=True),
)
"""Webhook deliveries that were taken, so that each is taken once."""

told_product = Table(
    "told_product",
    metadata,
    Column("source", String, primary_key=True),
    Column("product_id", String, primary_key=True),
    Column("at", Moment, nullable=False),
)
"""When a platform last changed each product (or the stock of each inventory item) of which its
webhooks told, by the platform's own clock: what comes later and is older changes nothing."""

privacy_request = Table(
    "privacy_request",
    metadata,
    Column("id", SUBJECT, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),
    Column("source", String, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("person", LargeBinary, nullable=False),
    Column("done_at", Moment),
    Column("outcome", Text),
)
"""What a shop platform asked for a person (export, erasure) or for the whole shop; ``person`` is
whom it names, as JSON under the quarantine's key, emptied once it is done."""

learnt_item = Table(
    "learnt_item",
    metadata,
    Column("item_id", String, primary_key=True),
    Column("folded", String, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("price_cents", BigInteger),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
)
"""What order lines say of items: the usual name and the latest price; ``folded`` the code without
case, so that a later file spells it the same."""

import_run = Table(
    "import_run",
    metadata,
    Column("import_id", String, primary_key=True),
    Column("started_at", Moment, nullable=False),
    Column("kind", String, nullable=False),
    Column("options", LargeBinary, nullable=False),
    Column("report", LargeBinary, nullable=False),
    Index(None, "started_at"),
)
"""Imports: the options they ran with and the report they gave, as JSON."""

import_file = Table(
    "import_file",
    metadata,
    Column("key", String, primary_key=True),
    Column("import_id", String, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
    Column("tally", LargeBinary, nullable=False),
    Column("finished_at", Moment),
)
"""Files of events and customers by their content: how many units of them are in the log, what they
added up to, and how often they were finished."""

customer_line = Table(
    "customer_line",
    metadata,
    Column("sealed", String, primary_key=True),
    Column("content", String, nullable=False),
    Column("version", Integer, nullable=False),
)
"""What a file's line said of a customer last, as a hash, where lines do not say when they were
written; ``sealed`` is the keyed hash of the identifier."""

watched_folder = Table(
    "watched_folder",
    metadata,
    Column("folder", String, primary_key=True),
    Column("looked_at", Moment, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("error", Text),
)
"""Folders whose files come in by themselves: when somebody looked last, how many files wait."""

watched_file = Table(
    "watched_file",
    metadata,
    Column("key", String, primary_key=True),
    Column("folder", String, nullable=False),
    Column("name", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("at", Moment, nullable=False, index=True),
    Column("result", String, nullable=False),
    Column("import_id", String),
    Column("lines_in", BigInteger, nullable=False),
    Column("lines_kept", BigInteger, nullable=False),
    Column("events_new", BigInteger, nullable=False),
    Column("error", Text),
)
"""Files that came in from watched folders, and what became of them."""

pull_state = Table(
    "pull_state",
    metadata,
    Column("name", String, primary_key=True),
    Column("cursor", Text, nullable=False),
    Column("pulled_at", Moment, nullable=False),
    Column("messages", BigInteger, nullable=False),
    Column("error", Text),
    Column("behind", BigInteger),
)
"""Sources that are pulled from: how far, when last, what went wrong then, and what still waited."""

quarantine_message = Table(
    "quarantine_message",
    metadata,
    Column("id", SUBJECT, primary_key=True, autoincrement=True),
    Column("fingerprint", String, nullable=False, unique=True),
    Column("source", String, nullable=False, index=True),
    Column("step", String, nullable=False),
    Column("reason", String, nullable=False, index=True),
    Column("detail", String, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("owner", SUBJECT, nullable=False, server_default="0"),
    Column("times", BigInteger, nullable=False, server_default="1"),
)
"""Messages set aside: ``sealed`` is the message, its bytes as they came, under the key of
``owner``, which is destroyed once the message has expired; ``fingerprint`` a keyed hash of source
and bytes, so that a repetition is kept once, and ``times`` how often it came."""

quarantine_person = Table(
    "quarantine_person",
    metadata,
    Column("sealed", String, primary_key=True),
    Column("message", SUBJECT, primary_key=True, autoincrement=False, index=True),
)
"""Whom a message in quarantine names, as keyed hashes, so that erasure finds it."""

source_count = Table(
    "source_count",
    metadata,
    Column("source", String, primary_key=True),
    Column("hour", Moment, primary_key=True),
    Column("outcome", String, primary_key=True),
    Column("reason", String, primary_key=True),
    Column("n", BigInteger, nullable=False),
    Column("last_at", Moment, nullable=False),
    Index(None, "hour"),
)
"""Messages by source, hour and what became of them."""

rate = Table(
    "rate",
    metadata,
    Column("base", String, primary_key=True),
    Column("currency", String, primary_key=True),
    Column("day", String, primary_key=True),
    Column("value", String, nullable=False),
)
"""Exchange rates: units of ``currency`` for one of ``base`` on a day (ISO), a decimal number."""
