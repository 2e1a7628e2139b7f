"""The sources that are built in keep the contract; so does the example of a plug-in."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from lingxi.errors import InvalidSetting, SourceUnavailable
from lingxi.ingest.intake import Intake
from lingxi.ingest.pulling import Page, kinds, make_source, pull_source
from lingxi.ingest.pulling.http_pages import HttpPages
from lingxi.ingest.pulling.json_folder import JsonLinesFolder
from lingxi.ingest.waiting import list_waiting
from lingxi.testing import SourceContract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Bench

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "till_source.py"


def message(number: int) -> dict[str, object]:
    return {
        "type": "track",
        "event": "Product Viewed",
        "messageId": f"m{number}",
        "userId": f"u{number % 3}",
        "timestamp": "2026-01-01T10:00:00Z",
        "properties": {"product_id": f"A{number}"},
    }


class TestJsonLinesFolder(SourceContract):
    @pytest.fixture(autouse=True)
    def _fill(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "logs"
        self.folder.mkdir()
        lines = [json.dumps(message(n)) for n in range(9)]
        (self.folder / "2026-01-01.jsonl").write_text("\n".join(lines[:5]))  # no line end
        (self.folder / "2026-01-02.jsonl").write_text("")
        (self.folder / "2026-01-03.jsonl").write_text("".join(line + "\n" for line in lines[5:]))

    def make(self) -> JsonLinesFolder:
        return JsonLinesFolder(str(self.folder))

    def add(self) -> None:
        with (self.folder / "2026-01-03.jsonl").open("a") as file:
            file.write(json.dumps(message(9)) + "\n")

    def test_a_line_that_is_being_written_waits_for_its_end(self) -> None:
        _, cursor = self.walk(100)
        newest = self.folder / "2026-01-03.jsonl"
        text = json.dumps(message(9))
        newest.write_text(newest.read_text() + text[:20])
        assert self.walk(100, cursor) == ([], cursor)
        newest.write_text(newest.read_text() + text[20:] + "\n")
        assert self.walk(100, cursor)[0] == [text.encode()]

    def test_a_file_that_is_gone_or_begun_anew_is_no_obstacle(self) -> None:
        page = self.make().pull("", 2)
        (self.folder / "2026-01-01.jsonl").unlink()
        assert len(self.walk(100, page.cursor)[0]) == 4
        _, cursor = self.walk(100)
        (self.folder / "2026-01-03.jsonl").write_text(json.dumps(message(9)) + "\n")
        assert self.walk(100, cursor)[0] == [json.dumps(message(9)).encode()]


class Pages(BaseHTTPRequestHandler):
    """Gives the server's messages in pages of three at most."""

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        server = self.server
        assert isinstance(server, Shop)
        server.asked.append(self.headers.get("Authorization"))
        if server.status != 200:
            self.send_response(server.status)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
            return
        start = int(query.get("cursor", ["0"])[0])
        size = min(3, int(query["n"][0]))
        some = server.messages[start : start + size]
        rest = start + size < len(server.messages)
        body = json.dumps({"messages": some, "next_cursor": start + size if rest else None})
        self.send_response(200)
        self.end_headers()
        self.wfile.write((server.body or body).encode())

    def log_message(self, *_: object) -> None:
        """Nobody listens."""


class Shop(ThreadingHTTPServer):
    """A shop's own API."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Pages)
        self.messages = [message(n) for n in range(8)]
        self.asked: list[str | None] = []
        self.status = 200
        self.body = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/messages?shop=1"


@pytest.fixture
def api() -> Iterator[Shop]:
    server = Shop()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


class TestHttpPages(SourceContract):
    @pytest.fixture(autouse=True)
    def _serve(self, api: Shop) -> None:
        self.api = api

    def make(self) -> HttpPages:
        return HttpPages(self.api.url, "secret")

    def add(self) -> None:
        self.api.messages.append(message(len(self.api.messages)))

    def test_the_token_goes_with_each_request(self) -> None:
        self.walk(2)
        assert set(self.api.asked) == {"Bearer secret"}

    @pytest.mark.parametrize(
        ("status", "told"),
        [(401, "check the token"), (503, "asked again later"), (302, "name the")],
    )
    def test_a_refusal_says_what_to_do(self, status: int, told: str) -> None:
        self.api.status = status
        with pytest.raises(SourceUnavailable, match=f"answered {status}; .*{told}"):
            self.make().pull("", 2)
        assert len(self.api.asked) == 1  # a redirect is not followed

    def test_an_answer_of_another_shape_is_named(self) -> None:
        self.api.body = "<html>"
        with pytest.raises(SourceUnavailable, match="did not answer"):
            self.make().pull("", 2)

    @pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "shop.example"])
    def test_only_http_is_asked(self, url: str) -> None:
        with pytest.raises(SourceUnavailable, match="must begin with https"):
            HttpPages(url)


def load_example() -> type:
    spec = importlib.util.spec_from_file_location("till_source", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["till_source"] = module
    spec.loader.exec_module(module)
    return module.TillSource


class TestExample(SourceContract):
    @pytest.fixture(autouse=True)
    def _fill(self, tmp_path: Path) -> None:
        self.database = tmp_path / "till.sqlite"
        with sqlite3.connect(self.database) as till:
            till.execute(
                "create table sale (id integer primary key, card text, at text, total real)"
            )
            rows = [(f"c{n % 3}", f"2026-01-0{n + 1}T10:00:00Z", 9.5 + n) for n in range(6)]
            till.executemany("insert into sale (card, at, total) values (?, ?, ?)", rows)

    def make(self):
        return load_example()(str(self.database))

    def add(self) -> None:
        with sqlite3.connect(self.database) as till:
            till.execute("insert into sale (card, at, total) values ('c1', '2026-02-01', 5)")


class Bad:
    """Breaks the contract in one way."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def pull(self, _cursor: str, _n: int, /) -> Page:
        return self.page

    def close(self) -> None:
        """Nothing to let go."""


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (Page((b"{}",) * 3, "1"), "gave 3 messages where at most 2"),
        (Page((), "", more=True), "does not move"),
        (Page((b"{}",), ""), "gave messages, but its cursor"),
        (Page((), "x" * 5_000), "longer than 4,000"),
    ],
)
def test_a_source_that_breaks_the_contract_is_stopped_and_named(
    bench: Bench, page: Page, told: str
) -> None:
    intake = Intake(bench.store, bench.settings, bench.clock)
    with pytest.raises(SourceUnavailable, match=told):
        pull_source(bench.store, intake, bench.clock, "bad", Bad(page), n=2)
    assert bench.log() == []


def test_what_cannot_be_used_waits_with_its_bytes(bench: Bench) -> None:
    intake = Intake(bench.store, bench.settings, bench.clock)
    untimed = {k: v for k, v in message(1).items() if k != "timestamp"}
    raws = (b"{not json", json.dumps(untimed).encode(), json.dumps(message(2)).encode())
    pulled = pull_source(bench.store, intake, bench.clock, "s", Bad(Page(raws, "1")), n=9)
    assert (pulled.stored, pulled.dropped) == (1, 2)
    waiting = list_waiting(bench.store)
    assert [(w.reason, w.message.raw) for w in waiting] == [
        ("line_malformed", raws[0]),
        ("time_missing", raws[1]),
    ]
    again = intake.retake([(w.id, w.message) for w in waiting])
    assert [each.result for each in again] == ["dropped", "dropped"]  # still a record


def test_kinds_are_named_and_a_plug_in_is_found_by_its_entry_point(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from importlib.metadata import EntryPoint, EntryPoints

    load_example()
    point = EntryPoint("till", "till_source:TillSource", kinds.GROUP)
    broken = EntryPoint("lost", "no_such_module:Source", kinds.GROUP)
    monkeypatch.setattr(kinds, "entry_points", lambda **_: EntryPoints([point, broken]))
    assert type(make_source("till", {"path": str(tmp_path / "x")})).__name__ == "TillSource"
    with pytest.raises(InvalidSetting, match=r"no source of kind 'foldr' \(did you mean 'folder'"):
        make_source("foldr", {})
    with pytest.raises(InvalidSetting, match="cannot be loaded: No module named"):
        make_source("lost", {})
    with pytest.raises(InvalidSetting, match=r"got an unexpected keyword argument 'uri'"):
        make_source("http", {"uri": "x"})
