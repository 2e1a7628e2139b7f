"""Files of Gorse: its binary dump, JSON lines, lists; each record once, bad ones set aside."""

import gzip
import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from lingxi.app import jobs
from lingxi.app.shop import Shop, init_shop
from lingxi.errors import FileUnreadable
from lingxi.gorse.history import list_feedback
from lingxi.gorse.items import require_item, to_gorse
from lingxi.gorse.users import get_user
from lingxi.ingest.quarantine import count_quarantine

STAMP = "2026-05-01T12:30:00.5Z"
SECONDS, NANOS = 1777638600, 500_000_000


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = init_shop(tmp_path / "s", name="L", currency="EUR", timezone="UTC", language="en")
    yield made
    made.close()


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def chunk(field: int, value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(raw)) + raw


def double(field: int, value: float) -> bytes:
    return varint(field << 3 | 1) + struct.pack("<d", value)


MOMENT = number(1, SECONDS) + number(2, NANOS)
USER = chunk(1, "u1") + chunk(2, '["a","b"]') + chunk(3, "a reader")
ITEM = (
    chunk(2, "i1")
    + number(3, 1)
    + chunk(4, "books")
    + chunk(4, "novels")
    + chunk(5, MOMENT)
    + chunk(6, '{"pages": 300}')
    + chunk(7, "A novel")
)
OLD = chunk(2, "like") + chunk(3, "u1") + chunk(4, "i1") + chunk(5, MOMENT) + chunk(6, "good")
KEY = chunk(2, "rate") + chunk(3, "u1") + chunk(4, "i1")
NEW = KEY + double(5, 4.5) + chunk(6, MOMENT) + chunk(7, "better")
NEW_OF_NOTHING = chunk(2, "read") + chunk(3, "u1") + chunk(4, "i1") + chunk(6, MOMENT)


def dump(*feedback: bytes) -> bytes:
    out = b""
    for mark, records in ((-1, [USER]), (-2, [ITEM]), (-3, feedback)):
        out += struct.pack("<q", mark)
        for record in records:
            out += struct.pack("<q", len(record)) + record
    return out + struct.pack("<q", 0)


def look(shop: Shop) -> list[tuple[str, str, str, float, str, str]]:
    with shop.store.read() as tx:
        found, _ = list_feedback(shop.store, tx, shop.clock.now())
    return [(f.feedback_type, f.user_id, f.item_id, f.value, f.timestamp, f.comment) for f in found]


def test_a_dump_of_any_version_comes_in_whole_and_once(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "dump.bin"
    path.write_bytes(dump(OLD, NEW, NEW_OF_NOTHING))
    first, again = jobs.import_gorse(shop, path), jobs.import_gorse(shop, path)
    assert (first.lines_in, first.lines_kept, first.lines_set_aside) == (5, 5, 0)
    assert (first.events_new, first.events_known) == (3, 0)
    assert (again.events_new, again.events_known) == (0, 3)
    assert look(shop) == [
        ("like", "u1", "i1", 0.0, STAMP, "good"),
        ("rate", "u1", "i1", 4.5, STAMP, "better"),
        ("read", "u1", "i1", 0.0, STAMP, ""),
    ]
    with shop.store.read() as tx:
        user, item = get_user(shop.store, tx, "u1"), to_gorse(require_item(tx, "i1"))
    assert (user.labels, user.comment) == (["a", "b"], "a reader")
    assert (item.is_hidden, item.categories, item.timestamp) == (True, ["books", "novels"], STAMP)
    assert (item.labels, item.comment) == ({"pages": 300}, "A novel")


LINES = [
    {"UserId": "u1", "Labels": ["a"], "Comment": "a reader"},
    {"ItemId": "i1", "IsHidden": False, "Categories": ["books"], "Timestamp": STAMP},
    {"FeedbackType": "like", "UserId": "u1", "ItemId": "i1", "Value": 2, "Timestamp": STAMP},
]


@pytest.mark.parametrize("form", ["lines", "list", "gzip", "snake"])
def test_json_comes_in_in_every_form(shop: Shop, tmp_path: Path, form: str) -> None:
    path = tmp_path / "export"
    text = "\n".join(json.dumps(line) for line in LINES)
    if form == "list":
        text = json.dumps(LINES)
    if form == "snake":
        names = {"UserId": "user_id", "ItemId": "item_id", "FeedbackType": "feedback_type"}
        text = "\n".join(
            json.dumps({names.get(k, k.lower()): v for k, v in line.items()}) for line in LINES
        ).replace("ishidden", "is_hidden")
    raw = text.encode()
    path.write_bytes(
        gzip.compress(raw) if form == "gzip" else b"\xef\xbb\xbf" * (form == "lines") + raw
    )
    report = jobs.import_gorse(shop, path)
    assert (report.lines_kept, report.lines_set_aside, report.kind) == (3, 0, "gorse")
    assert look(shop) == [("like", "u1", "i1", 2.0, STAMP, "")]
    assert shop.answers.quality().imports[0].import_id == report.import_id


def test_bad_records_are_set_aside_with_their_reason_and_the_others_taken(
    shop: Shop, tmp_path: Path
) -> None:
    path = tmp_path / "export.jsonl"
    bad = [
        "not json",
        '{"Colour": "blue"}',
        '{"UserId": ""}',
        '{"ItemId": "x", "Timestamp": "soon"}',
        '{"FeedbackType": "like", "UserId": "u2", "ItemId": "x", "Value": "much"}',
    ]
    good = ['{"FeedbackType": "like", "UserId": 7, "ItemId": 0, "Timestamp": "2026-05-01"}']
    path.write_text("\n".join([*bad, *good]), encoding="utf-8")
    report = jobs.import_gorse(shop, path)
    assert (report.lines_in, report.lines_kept, report.lines_set_aside) == (6, 1, 5)
    waiting = shop.answers.quarantine().rows
    assert len(waiting) == 5
    assert {row.raw["record"] for row in waiting} == set(bad)
    assert [row[:3] for row in look(shop)] == [("like", "7", "0")]


def test_equal_bad_records_of_different_batches_all_wait(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    path.write_text('{"UserId": ""}\n' * 1_100, encoding="utf-8")
    assert jobs.import_gorse(shop, path).lines_set_aside == 1_100
    with shop.store.read() as tx:
        assert sum(count_quarantine(tx).values()) == 1_100


@pytest.mark.parametrize(
    "raw",
    [b"", b"  \n", dump(OLD)[:-8], dump(OLD)[:60], struct.pack("<qq", -1, -9), b"[{]"],
)
def test_a_file_that_is_damaged_is_refused(shop: Shop, tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "dump.bin"
    path.write_bytes(raw)
    with pytest.raises(FileUnreadable):
        jobs.import_gorse(shop, path)


def test_an_absent_file_is_refused(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable):
        jobs.import_gorse(shop, tmp_path / "nowhere")
