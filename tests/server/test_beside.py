"""What the supervisor does while its worker starts: it holds nobody up, and what fails is said."""

import socket
from pathlib import Path
from threading import Event

import pytest
from click.testing import CliRunner

from lingxi.app.shop import Shop, init_shop
from lingxi.cli import serve as command
from lingxi.errors import StoreUnavailable
from lingxi.server.serve import _call_when_open, _run_beside


def test_what_is_done_beside_is_over_before_the_server_is_and_stops_nothing() -> None:
    stops: list[str] = []
    done = Event()
    with _run_beside(done.set, lambda: stops.append("stop")) as finished:
        assert done.wait(30)
        assert finished.wait(30)
    assert stops == []


def test_what_fails_beside_stops_the_server_and_is_raised_where_it_serves() -> None:
    stopped = Event()

    def fail() -> None:
        raise StoreUnavailable("The shop's database cannot be used: it is read-only.")

    def serve() -> None:
        with _run_beside(fail, stopped.set) as done:
            assert stopped.wait(30)
            assert not done.is_set()

    with pytest.raises(StoreUnavailable, match="read-only"):
        serve()


def test_the_address_is_told_only_once_it_answers_and_the_work_beside_is_done() -> None:
    opened, done, told = Event(), Event(), Event()
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        host, port = server.getsockname()
        with _call_when_open(host, port, opened, done, told.set):
            asked, _ = server.accept()
            assert not opened.is_set()  # it listens, and has said nothing yet
            with asked:
                asked.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                assert opened.wait(30)
                assert not told.is_set()
                done.set()
                assert told.wait(30)


def test_the_first_start_makes_a_login_and_the_next_one_none(tmp_path: Path) -> None:
    init_shop(tmp_path / "s", name="S", currency="GBP", timezone="UTC", language="en").close()
    assert command._ensure_administrator(tmp_path / "s") is not None
    assert command._ensure_administrator(tmp_path / "s") is None
    shop = Shop.open(tmp_path / "s")
    assert not shop.store.has_open_erasures()
    shop.close()


def test_a_folder_without_a_shop_is_refused_in_words(tmp_path: Path) -> None:
    told = CliRunner().invoke(command.command, ["--shop", str(tmp_path)])
    assert told.exit_code == 2
    assert "no shop" in told.output.lower()
