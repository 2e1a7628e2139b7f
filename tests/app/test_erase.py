"""Erasure: the person is found in every place first, then in none; others stay as they were."""

import gzip
import importlib
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from lingxi.app import jobs
from lingxi.app.erase import erase_customer, sign
from lingxi.app.rooms import FORGETTERS, METADATAS
from lingxi.app.shop import Shop
from lingxi.cli import main
from lingxi.clock import FixedClock
from lingxi.errors import UnknownCustomer
from lingxi.ingest import find_customer

DEMO_END = datetime(2026, 6, 30, tzinfo=UTC)


@pytest.fixture
def shop(demo_folder: Path, tmp_path: Path) -> Iterator[Shop]:
    folder = tmp_path / "shop"
    shutil.copytree(demo_folder, folder)
    opened = Shop.open(folder, clock=FixedClock(DEMO_END), environ={})
    yield opened
    opened.close()


def count_rows(shop: Shop, customer: int) -> dict[str, int]:
    """Rows of a customer in every table with a column of customers or subjects."""
    found = {}
    with shop.store.read() as tx:
        for metadata in METADATAS:
            for table in metadata.sorted_tables:
                for name in ("customer", "subject"):
                    if name in table.c:
                        query = sa.select(sa.func.count()).where(table.c[name] == customer)
                        found[f"{table.name}.{name}"] = tx.execute(query).scalar_one()
    return found


def count_in_files(shop: Shop, customer: int) -> dict[str, int]:
    """Rows of a customer in lake and artefacts, decoded."""
    lake = sum(
        pq.read_table(path).column("subject").to_pylist().count(customer)
        for path in (shop.store.folder / "lake").rglob("*.parquet")
    )
    held = 0
    for manifest in shop.store.artefacts.list():
        place = shop.store.folder / "artefacts" / manifest.kind / manifest.version
        for name, owner in manifest.personal.items():
            if (place / f"{name}.parquet").exists():
                held += pq.read_table(place / f"{name}.parquet")[owner].to_pylist().count(customer)
            elif (place / f"{owner}.npy").exists():
                held += int((np.load(place / f"{owner}.npy") == customer).sum())
    return {"lake": lake, "artefacts": held}


def find_text(folder: Path, text: str) -> list[str]:
    """Files that hold a text as bytes, gzip opened."""
    needle = text.encode()
    found = []
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        body = path.read_bytes()
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        if needle in body:
            found.append(str(path.relative_to(folder)))
    return found


def test_every_stateful_room_can_forget() -> None:
    for metadata_room in ("policy", "access", "recommend", "lifecycle", "profiles", "catalogue"):
        assert metadata_room in FORGETTERS
    assert list(FORGETTERS)[-1] == "ingest"
    root = Path(importlib.import_module("lingxi").__file__ or "").parent
    stateful = {path.parent.name for path in root.glob("*/tables.py")} - {"store"}
    assert stateful <= set(FORGETTERS)


def test_erased_customer_is_in_every_place_before_and_in_none_after(shop: Shop) -> None:
    folder = shop.settings.folder
    customer_id = shop.answers.customers(sort="-orders", n=1).rows[0].customer_id
    with shop.store.read() as tx:
        customer = find_customer(tx, customer_id)
    before = count_rows(shop, customer)
    for place in (
        "event.subject",
        "identity.customer",
        "identifier.subject",
        "customer_profile.customer",
        "item_history.customer",
        "customer_state.customer",
        "planned_action.customer",
    ):
        assert before[place] > 0, place
    assert count_in_files(shop, customer)["lake"] > 0
    assert find_text(folder / "plan", customer_id)
    others = dict(shop.answers.plan(n=500).by_action)
    known = shop.segments.list().customers

    receipt = erase_customer(shop, customer_id)

    assert set(count_rows(shop, customer).values()) == {0}
    assert count_in_files(shop, customer) == {"lake": 0, "artefacts": 0}
    assert find_text(folder / "plan", customer_id) == []
    assert find_text(folder / "data", customer_id) == []
    assert receipt.rows["store"] > 0
    assert sign(shop, receipt) == receipt
    with pytest.raises(UnknownCustomer):
        shop.answers.customer(customer_id)
    assert sum(shop.answers.plan().by_action.values()) == sum(others.values()) - 1
    assert shop.segments.list().customers == known - 1


def test_restored_backup_does_not_bring_an_erased_customer_back(shop: Shop, tmp_path: Path) -> None:
    customer_id = shop.answers.customers(sort="-orders", n=1).rows[0].customer_id
    kept_id = shop.answers.customers(sort="-orders", n=2).rows[1].customer_id
    jobs.back_up(shop, tmp_path / "saved")
    erase_customer(shop, customer_id)
    shop.close()
    shutil.rmtree(shop.settings.folder / "data")
    jobs.restore_shop(tmp_path / "saved", shop.settings.folder)
    again = Shop.open(shop.settings.folder, clock=FixedClock(DEMO_END), environ={})
    try:
        assert again.answers.customer(kept_id).orders > 0
        with pytest.raises(UnknownCustomer):
            again.answers.customer(customer_id)
    finally:
        again.close()


def test_backup_and_restore_by_command(shop: Shop, tmp_path: Path) -> None:
    events = shop.answers.status().events
    plan = shop.answers.plan(n=3)
    saved, fresh = str(tmp_path / "saved"), str(tmp_path / "fresh")
    made = CliRunner().invoke(main, ["backup", saved, "--shop", str(shop.settings.folder)])
    assert made.exit_code == 0, made.output
    assert CliRunner().invoke(main, ["restore", saved, fresh]).exit_code == 0
    again = Shop.open(Path(fresh), clock=FixedClock(DEMO_END), environ={})
    try:
        assert again.answers.status().events == events
        assert again.answers.plan(n=3) == plan
        customer = plan.rows[0].customer_id
        assert again.answers.recommendations(customer) == shop.answers.recommendations(customer)
    finally:
        again.close()
    refused = CliRunner().invoke(main, ["restore", saved, fresh])
    assert refused.exit_code == 2
    assert "holds data already" in refused.output
    wrong = CliRunner().invoke(main, ["restore", str(tmp_path), str(tmp_path / "other")])
    assert wrong.exit_code == 2
    assert "not a backup" in wrong.output
