"""Every example runs as it stands."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from litestar.testing import TestClient

from lingxi.app.shop import Shop

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def run(*args: str | Path, **environment: str) -> str:
    done = subprocess.run(
        [str(arg) for arg in args],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_ratings() -> None:
    told = run(sys.executable, EXAMPLES / "ratings.py")
    assert "Ben: near Ann" in told
    assert "Ann: near" in told
    assert told.count("\n") == 5


def test_till_source() -> None:
    told = run(sys.executable, EXAMPLES / "till_source.py").splitlines()
    assert [line.partition('"userId": ')[2][:4] for line in told[:3]] == ['"c1"', '"c2"', '"c1"']
    assert told[3] == "next time from 3"


def test_plan_by_channel(demo_folder: Path) -> None:
    told = run(
        sys.executable, EXAMPLES / "plan_by_channel.py", demo_folder / "plan" / "plan.parquet"
    )
    assert "none     leave_alone" in told


def test_own_data(raw_shop: Path, tmp_path: Path) -> None:
    shop = tmp_path / "mine"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    told = run(
        "bash",
        EXAMPLES / "own_data.sh",
        raw_shop / "orders.csv",
        shop,
        PATH=path,
        LINGXI_LEARNING_RECOMMENDER_SECONDS="2",
    )
    assert f"lingxi serve --shop {shop}" in told
    assert (shop / "plan" / "plan.csv").is_file()


def test_api_client_asks_as_the_api_answers(
    demo_shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import importlib.util

    from lingxi.access import Scope, create_key
    from lingxi.server.app import create_app

    spec = importlib.util.spec_from_file_location("api_client", EXAMPLES / "api_client.py")
    assert spec is not None
    assert spec.loader is not None
    client = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(client)
    with demo_shop.store.write() as tx:
        now = demo_shop.clock.now()
        key = create_key(tx, now, "example", [Scope.RECOMMENDATIONS], actor="test").secret
    customer = demo_shop.answers.customers(sort="-orders", n=1).rows[0].customer_id
    with TestClient(create_app(demo_shop)) as http:

        class Answer:
            def __init__(self, body: bytes) -> None:
                self.body = body

            def read(self) -> bytes:
                return self.body

            def __enter__(self) -> "Answer":
                return self

            def __exit__(self, *_: object) -> None:
                return None

        def ask(request, timeout: float) -> Answer:
            assert timeout > 0
            answer = http.get(request.full_url, headers=dict(request.header_items()))
            assert answer.status_code == 200, answer.text
            return Answer(answer.content)

        monkeypatch.setattr(client, "urlopen", ask)
        client.main("http://testserver.local", key, customer)
    told = capsys.readouterr().out.splitlines()
    offered = demo_shop.answers.recommendations(customer, n=5).items
    for item in offered:
        assert any(line.startswith(f"{item.item_id}  {item.name}") for line in told)
