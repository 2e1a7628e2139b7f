"""What works beside the server: started with it, again when it ends, ended with it."""

import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread

import pytest

from lingxi.app.shop import Shop, init_shop
from lingxi.config import PullSettings, Settings, WatchSettings, WorkSettings
from lingxi.server import companions as room
from lingxi.server.companions import companions, keep_running, list_companions, stand_back

ORDERS = "order_id,sku,qty,price,date,customer_id\n1,A,1,5,2026-01-02,u1\n"


def test_a_shop_that_asks_for_none_has_none(tmp_path: Path) -> None:
    assert list_companions(Settings(folder=tmp_path, work=WorkSettings(processes=0))) == []
    assert list_companions(Settings(folder=tmp_path)) == [["work"]]
    all_of_them = Settings(
        folder=tmp_path,
        watch=WatchSettings(folder="in"),
        pull={"x": PullSettings(kind="folder")},
        work=WorkSettings(processes=2),
    )
    assert list_companions(all_of_them) == [["watch"], ["pull", "--keep"], ["work"], ["work"]]


def test_the_watched_folder_and_the_pulled_one_come_in_beside_the_server(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    init_shop(folder, name="S", currency="GBP", timezone="UTC", language="en").close()
    logs = folder / "logs"
    logs.mkdir()
    line = (
        '{"event": "Quiz Finished", "userId": "u1", "messageId": "m1", "timestamp": "2026-01-01"}'
    )
    (logs / "a.jsonl").write_text(line + "\n")
    with (folder / "lingxi.toml").open("a") as config:
        config.write('\n[watch]\nfolder = "in"\nsettle_seconds = 0\nlook_seconds = 0.1\n')
        config.write('\n[pull.logs]\nkind = "folder"\npath = "logs"\nevery_seconds = 0.2\n')
    (folder / "in").mkdir()
    (folder / "in" / "orders.csv").write_text(ORDERS)
    shop = Shop.open(folder, environ={})
    with companions(shop.settings):
        end = time.monotonic() + 120
        view = shop.answers.files()
        while not (view.files and view.pulls) and time.monotonic() < end:
            time.sleep(0.1)
            view = shop.answers.files()
    assert {"Order Completed", "Quiz Finished"} <= {e.name for e in shop.store.log.read()}
    assert [(row.name, row.messages, row.error) for row in view.pulls] == [("logs", 1, None)]
    assert [row.result for row in view.files] == ["done"]
    shop.close()


@pytest.mark.skipif(not hasattr(os, "setpriority"), reason="processes have no niceness here")
def test_a_companion_makes_way_for_the_server() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        stand_back(child.pid)
        own, its = (os.getpriority(os.PRIO_PROCESS, pid) for pid in (0, child.pid))
        assert its == min(19, own + 10)
    finally:
        child.communicate(b"")
    stand_back(child.pid)  # gone already: nothing to do


def test_what_ends_is_started_again(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(room, "_PAUSE_SECONDS", 0.05)
    started = []

    class Child:
        pid = -1

        def __init__(self, command: list[str], **_: object) -> None:
            started.append(command[3:])

        def poll(self) -> int:
            return 1

    monkeypatch.setattr(room.subprocess, "Popen", Child)
    stop = Event()
    thread = Thread(target=keep_running, args=(["watch"], tmp_path, stop))
    thread.start()
    while len(started) < 3:
        time.sleep(0.01)
    stop.set()
    thread.join(10)
    assert started[0] == started[2] == ["watch", "--shop", str(tmp_path)]
