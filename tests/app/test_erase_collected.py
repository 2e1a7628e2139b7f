"""Erasure of what the collector holds: each value is found where it lies first, then nowhere.

What lies under a person's key is found with that key: in the database, and in a backup, to which
the key never went.
"""

import gzip
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from lingxi.access.sources import SourceKind, create_source
from lingxi.app import jobs
from lingxi.app.erase import erase_customer, sign
from lingxi.app.people import export_person
from lingxi.app.rooms import METADATAS
from lingxi.app.shop import Shop
from lingxi.app.webhooks import take_webhook
from lingxi.clock import FixedClock
from lingxi.errors import UnknownCustomer
from lingxi.ingest import find_customer
from lingxi.ingest.message import Message
from lingxi.ingest.sealed import list_subjects
from lingxi.ingest.webhooks.verify import sign as sign_webhook
from lingxi.store.keyring import Keyring
from lingxi.store.manifest import Manifest

DEMO_END = datetime(2026, 6, 30, tzinfo=UTC)
BROWSER, CRM = "browser-of-ada-1815", "crm-ada-1843"
SECRETS = {
    "email": "ada.king@lovelace.example",
    "phone": "+44 20 7946 0815",
    "name": "Augusta Ada Byron",
    "street": "12 St James Square",
    "review": "a wonderful mug for my aunt Arabella",
    "aside": "please ring my neighbour Babbage",
}
"""What may lie nowhere as it is: only under a key, or as a keyed hash."""
_SURROGATES = {"subject", "customer", "other", "one", "kept", "merged"}
SEALED = (
    ("SELECT subject, value FROM trait WHERE value IS NOT NULL"),
    ("SELECT subject, value FROM private"),
    ("SELECT owner, sealed FROM quarantine_message"),
)


@pytest.fixture
def shop(demo_folder: Path, tmp_path: Path) -> Iterator[Shop]:
    folder = tmp_path / "shop"
    shutil.copytree(demo_folder, folder)
    opened = Shop.open(folder, clock=FixedClock(DEMO_END), environ={})
    with opened.store.write() as tx:
        kind, keyring = SourceKind.SHOPIFY, opened.store.keyring
        create_source(tx, keyring, DEMO_END, "shopify", kind, actor="t", secret="s3cret")
    yield opened
    opened.close()


def take(shop: Shop, *bodies: Mapping[str, object]) -> list[str]:
    messages = [
        Message(body=body, raw=msgspec.json.encode(body), received_at=DEMO_END, source="web")
        for body in bodies
    ]
    return [outcome.result for outcome in shop.intake.take(messages)]


def live_as_ada(shop: Shop, customer_id: str) -> None:
    """A customer of the trained shop does all that the collector keeps something of."""
    traits = {name: SECRETS[name] for name in ("email", "phone", "name")}
    traits["address"] = {"street": SECRETS["street"], "city": "London"}
    who = {"userId": customer_id, "anonymousId": BROWSER}
    context = {"externalIds": [{"id": CRM, "type": "crm"}], "ip": "203.0.113.15"}
    review = {"product_id": "p1", "review_body": SECRETS["review"], "rating": "5"}
    consent = {"purpose": "marketing", "channel": "email", "granted": False}
    aside = {"type": "track", "userId": customer_id, "properties": {"note": SECRETS["aside"]}}
    results = take(
        shop,
        {"type": "page", "anonymousId": BROWSER, "messageId": "a0"},
        {"type": "identify", "messageId": "a1", "traits": traits, "context": context, **who},
        {"type": "track", "event": "Product Reviewed", "properties": review, **who},
        {"type": "track", "event": "Consent Withdrawn", "properties": consent, **who},
        aside,
    )
    assert results == ["stored"] * 4 + ["dropped"]
    order = {
        "id": 1815,
        "created_at": "2026-06-29T10:00:00Z",
        "currency": "GBP",
        "total_price": "9.00",
        "email": SECRETS["email"],
        "line_items": [{"product_id": 1, "sku": "MUG-1", "quantity": 1, "price": "9.00"}],
    }
    raw = msgspec.json.encode(order)
    headers = {
        "x-shopify-topic": "orders/create",
        "x-shopify-webhook-id": "delivery-1815",
        "x-shopify-hmac-sha256": sign_webhook("s3cret", raw),
    }
    assert take_webhook(shop, "shopify", headers, raw).result == "taken"


def find_bytes(folder: Path, text: str) -> list[str]:
    """Files of a folder that hold a text as bytes, whatever they are; gzip is opened."""
    needle, found = text.encode(), []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        body = path.read_bytes()
        body = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
        if needle in body:
            found.append(path.relative_to(folder).as_posix())
    return found


def find_sealed(database: Path, keyring: Keyring) -> str:
    """Everything that lies under a key in a database, as far as a key for it is there."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = [row for query in SEALED for row in connection.execute(query).fetchall()]
    return "\n".join(filter(None, keyring.decrypt_many(rows)))


def find_subjects(shop: Shop, subjects: set[int]) -> dict[str, int]:
    """Rows of these surrogates in the lake and in artefacts, decoded."""
    found = {"lake": 0, "artefacts": 0}
    for path in (shop.store.folder / "lake").rglob("*.parquet"):
        own = pq.read_table(path)["subject"].to_pylist()
        found["lake"] += sum(subject in subjects for subject in own)
    for manifest in shop.store.artefacts.list():
        place = shop.store.folder / "artefacts" / manifest.kind / manifest.version
        for name, owner in manifest.personal.items():
            table, column = place / f"{name}.parquet", place / f"{owner}.npy"
            if table.exists():
                own = pq.read_table(table)[owner].to_pylist()
            else:
                own = np.load(column).tolist() if column.exists() else []
            found["artefacts"] += sum(each in subjects for each in own)
    return found


def find_rows(shop: Shop, subjects: set[int]) -> list[str]:
    """Columns of the database that name one of these surrogates."""
    found = []
    with shop.store.read() as tx:
        for table in (table for each in METADATAS for table in each.sorted_tables):
            for name in _SURROGATES & {*table.c.keys()}:
                if subjects & set(tx.execute(sa.select(table.c[name])).scalars()):
                    found.append(f"{table.name}.{name}")
    return sorted(found)


def test_everything_collected_of_a_person_is_found_and_then_is_not(
    shop: Shop, tmp_path: Path
) -> None:
    customer_id = shop.answers.customers(sort="-orders", n=1).rows[0].customer_id
    live_as_ada(shop, customer_id)
    with shop.store.read() as tx:
        customer = find_customer(tx, customer_id)
        subjects = set(list_subjects(tx, customer))
    with shop.store.artefacts.write("neighbours") as writer:
        writer.save_array("owners", np.array([customer, 0]))
        writer.save_array("rows", np.zeros((2, 3)))
        writer.manifest = Manifest(personal={"rows": "owners"})
    shop.store.lake.roll()
    saved = tmp_path / "saved"
    jobs.back_up(shop, saved)
    assert len(subjects) >= 5
    data, state = shop.store.folder, "state.sqlite"

    export = msgspec.json.encode(export_person(shop, customer_id)).decode()
    for text in (customer_id, BROWSER, CRM, *SECRETS.values()):
        assert text in export, text
    for place in (data / state, saved / "data" / state):
        sealed = find_sealed(place, shop.store.keyring)
        assert [text for text in SECRETS.values() if text not in sealed] == []
    for text in SECRETS.values():
        assert find_bytes(data, text) == find_bytes(saved, text) == []
    for text in (BROWSER, CRM):
        assert {Path(path).name.split("-")[0] for path in find_bytes(data, text)} == {state}
    before = find_subjects(shop, subjects)
    assert {"event.subject", "identity.subject", "identifier.subject", "trait.subject"} <= set(
        find_rows(shop, subjects)
    )
    assert min(before.values()) > 0
    assert any(seen.outcome.subject in subjects for seen in shop.recent.list(n=100))
    assert shop.answers.consent(customer_id).rows

    receipt = erase_customer(shop, customer_id)

    assert receipt.signature == sign(shop, receipt).signature
    assert receipt.rows["ingest"] > 10
    with pytest.raises(UnknownCustomer):
        export_person(shop, customer_id)
    for text in (BROWSER, CRM, *SECRETS.values()):
        assert find_bytes(shop.settings.folder, text) == [], text
    sealed = find_sealed(data / state, shop.store.keyring)
    assert [text for text in SECRETS.values() if text in sealed] == []
    assert find_subjects(shop, subjects) == {"lake": 0, "artefacts": 0}
    assert [seen for seen in shop.recent.list(n=100) if seen.outcome.subject in subjects] == []
    assert find_rows(shop, subjects) == []


def test_what_a_backup_keeps_of_a_person_cannot_be_read_any_more(
    shop: Shop, tmp_path: Path
) -> None:
    customer_id = shop.answers.customers(sort="-orders", n=1).rows[0].customer_id
    live_as_ada(shop, customer_id)
    take(shop, {"type": "identify", "userId": "bob", "traits": {"email": "bob@x.example"}})
    saved = tmp_path / "saved"
    jobs.back_up(shop, saved)
    erase_customer(shop, customer_id)
    copy, keyring = saved / "data" / "state.sqlite", shop.store.keyring
    left = find_sealed(copy, keyring)
    assert [name for name, text in SECRETS.items() if text in left] == ["aside"]
    # bytes that were set aside lie under the key of the day on which they expire
    shop.clock.advance(timedelta(days=32))
    take(shop, {"type": "page", "anonymousId": "somebody-else"})
    assert SECRETS["aside"] not in find_sealed(copy, keyring)
    assert find_sealed(copy, keyring) == "bob@x.example"
