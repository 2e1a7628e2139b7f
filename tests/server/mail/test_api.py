"""E-mail over the API and the command line: the same answers, by whoever may ask."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from litestar import Litestar
from litestar.testing import TestClient

from lingxi.access import Role, Scope
from lingxi.app.mail.views import get_deliverability, run_preflight
from lingxi.app.shop import Shop
from lingxi.cli import main
from lingxi.ingest import find_customer
from lingxi.messaging.email import open_links
from lingxi.messaging.email.dns import Unreachable
from lingxi.messaging.email.ledger import Came, Ledger, count
from lingxi.messaging.email.transport import Outbox
from lingxi.messaging.nouns import Accepted, Deferred, Failed, Unclear
from lingxi.profiles import put_traits
from lingxi.server.security import SESSION_COOKIE

Client = TestClient[Litestar]
Run = Callable[..., str]
BOUNCE = """\
From: MAILER-DAEMON@mx.example
To: {to}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; mei@customer.example
Action: failed
Status: 5.1.1

--b--
"""


@pytest.fixture
def run(shop: Shop) -> Run:
    """Runs a command of ``lingxi mail`` on the shop; what it printed."""

    def act(*words: str, status: int = 0, stdin: str | None = None) -> str:
        told = ["mail", *words, "--shop", str(shop.settings.folder)]
        result = CliRunner().invoke(main, told, input=stdin)
        assert result.exit_code == status, result.output
        return result.output

    return act


@pytest.fixture
def bounce(shop: Shop, customer_id: str) -> str:
    with shop.store.read() as tx:
        customer = find_customer(tx, customer_id)
    put_traits(shop.store, customer, {"email": "mei@customer.example"})
    hashed = shop.store.keyring.blind("mei@customer.example")
    links = open_links(shop.settings, shop.store.keyring)
    return BOUNCE.format(to=links.return_path("ab" * 16, customer, hashed, "bounces", "s.example"))


def test_suppressions_over_the_api(client: Client, key: dict[str, str]) -> None:
    added = client.post(
        "/v1/mail/suppressions", headers=key, json={"address": "A@b.example", "reason": "complaint"}
    )
    assert added.status_code == 200, added.text
    assert (added.json()["reason"], added.json()["everything"]) == ("complaint", False)
    listed = client.get("/v1/mail/suppressions", headers=key).json()
    assert (listed["total"], listed["by_reason"]) == (1, {"complaint": 1})
    assert "b.example" not in json.dumps(listed)
    release = {"address": "a@b.example", "why": "asked by phone"}
    path = "/v1/mail/suppressions/release"
    assert client.post(path, headers=key, json=release).json() == {"released": True}
    assert client.post(path, headers=key, json=release).json() == {"released": False}
    for body in ({"address": "no address"}, {"address": "a@b.example", "reason": "x"}, {}):
        assert client.post("/v1/mail/suppressions", headers=key, json=body).status_code == 400


def test_a_bounce_over_the_api(
    client: Client, make_key: Callable[..., dict[str, str]], bounce: str
) -> None:
    key = {**make_key(Scope.CONSENT_WRITE), "content-type": "message/rfc822"}
    answer = client.post("/v1/mail/reports", headers=key, content=bounce.encode())
    assert answer.json() == {
        "outcome": "noted", "kind": "bounce", "weight": "hard", "reason": "no_such_mailbox",
        "suppressed": True,
    }  # fmt: skip
    again = client.post("/v1/mail/reports", headers=key, content=bounce.encode())
    assert again.json()["outcome"] == "known"
    assert client.post("/v1/mail/reports", headers=key, content=b" ").status_code == 400
    weak = {**make_key(Scope.OVERVIEW), "content-type": "message/rfc822"}
    assert client.post("/v1/mail/reports", headers=weak, content=b"x").status_code == 403


def test_opt_ins_over_the_api(
    client: Client, key: dict[str, str], bounce: str, customer_id: str
) -> None:
    asked = client.post("/v1/mail/opt-ins", headers=key, json={"customer_id": customer_id})
    assert asked.json()["state"] == "pending", bounce
    rows = client.get("/v1/mail/opt-ins", headers=key, params={"customer_id": customer_id}).json()
    assert [row["id"] for row in rows["rows"]] == [asked.json()["id"]]
    nobody = client.post("/v1/mail/opt-ins", headers=key, json={"customer_id": "nobody"})
    assert nobody.status_code == 404


def test_deliverability_counts_by_provider_and_day(
    shop: Shop, client: Client, key: dict[str, str]
) -> None:
    ledger = Ledger(shop.settings.zone, Outbox(Path("x")), "worker")
    now = shop.clock.now()
    with shop.store.write() as tx:
        for outcome in (Accepted(), Accepted(), Failed("refused"), Deferred(1, "try_later"),
                        Unclear("dropped"), Deferred(1, "paced", tried=False)):  # fmt: skip
            ledger.note(tx, "a@gmail.com", outcome, now)
        ledger.note(tx, "a@annes-own.example", Accepted(), now)
        count(tx, shop.settings.zone, now, "gmail.com", Came.COMPLAINED)
    view = get_deliverability(shop)
    assert [(row.provider, row.outcomes.accepted) for row in view.by_provider] == [
        ("gmail.com", 2),
        ("other", 1),
    ]
    assert (view.total.accepted, view.total.failed, view.total.deferred) == (3, 1, 1)
    assert (view.total.unknown, view.total.complaint_rate) == (1, pytest.approx(1 / 3))
    answer = client.get("/v1/mail/deliverability", headers=key).json()
    assert answer["by_day"][0]["outcomes"]["accepted"] == 3
    assert "annes-own" not in json.dumps(answer)


def test_the_page_says_how_mail_fares(
    shop: Shop, client: Client, make_session: Callable[[Role], str]
) -> None:
    client.cookies.set(SESSION_COOKIE, make_session(Role.VIEWER))
    assert "No e-mail has been sent" in client.get("/deliverability").text
    with shop.store.write() as tx:
        count(tx, shop.settings.zone, shop.clock.now(), "gmail.com", Came.ACCEPTED, 1000)
        count(tx, shop.settings.zone, shop.clock.now(), "gmail.com", Came.COMPLAINED, 5)
    page = client.get("/deliverability").text
    assert "0.50% of the e-mails" in page
    assert "above the limit of 0.30%" in page


def test_the_checklist_with_a_dns_that_answers_and_one_that_does_not(shop: Shop, run: Run) -> None:
    def away(_name: str) -> list[str]:
        raise Unreachable("no name server")

    found = run_preflight(shop, ask=away)
    assert [check.name for check in found.checks] == ["sender"]  # nothing is set up
    assert not found.ready
    _set_up(shop)
    records = json.loads(run("dkim", "create", "--json"))
    assert [r["name"] for r in records] == [
        "lingxi._domainkey.shop.example",
        "lingxi-ed._domainkey.shop.example",
    ]
    assert json.loads(run("dkim", "show", "--json")) == records
    assert "IN TXT" in run("dkim", "show")
    run("dkim", "create", status=2)
    zone = {r["name"]: [r["text"]] for r in records}
    zone["shop.example"] = ["v=spf1 include:_spf.relay.example -all", "other"]
    zone["_dmarc.shop.example"] = ["v=DMARC1; p=quarantine; rua=mailto:d@shop.example"]
    with closing(Shop.open(shop.settings.folder, clock=shop.clock, environ={})) as again:
        states = _states(again, lambda name: zone.get(name, []))
        assert states == {
            "sender": "pass", "spf": "pass", "dkim": "pass", "dmarc": "pass", "alignment": "pass",
            "one_click": "pass", "public_url": "pass", "tls": "pass", "bounces": "warn",
            "complaints": "unknown", "hard_bounces": "unknown",
        }  # fmt: skip
        unknown = _states(again, away)
        assert {unknown[n] for n in ("spf", "dkim", "dmarc")} == {"unknown"}
        assert run_preflight(again, ask=away).ready
        empty = _states(again, lambda _name: [])
        assert {empty[n] for n in ("spf", "dkim", "dmarc")} == {"fail"}
        zone["shop.example"] = ["v=spf1 +all"]
        zone["lingxi._domainkey.shop.example"] = ["v=DKIM1; k=rsa; p=AAAA"]
        zone["_dmarc.shop.example"] = ["v=DMARC1; rua=mailto:x"]
        wrong = _states(again, lambda name: zone.get(name, []))
        assert {wrong[n] for n in ("spf", "dkim", "dmarc")} == {"fail"}


def _states(shop: Shop, ask: Callable[[str], list[str]]) -> dict[str, str]:
    return {check.name: check.state for check in run_preflight(shop, ask=ask).checks}


def _set_up(shop: Shop) -> None:
    path = shop.settings.folder / "lingxi.toml"
    path.write_text(
        path.read_text()
        + '\n[mail]\nsender = "hello@shop.example"\nhost = "smtp.relay.example"\n'
        + 'public_url = "https://mail.shop.example"\n'
    )


def test_the_command_line(run: Run, bounce: str, customer_id: str, tmp_path: Path) -> None:
    assert "Set mail.sender first" in run("dkim", "create", status=2)
    assert "is not written to any more" in run("suppress", "add", "a@b.example")
    assert "manual since" in run("suppress", "show", "a@b.example")
    assert "1 addresses in all" in run("suppress", "list")
    assert "is written to again" in run("suppress", "remove", "a@b.example", "--why", "asked")
    assert "is written to, where" in run("suppress", "show", "a@b.example")
    assert "is not an e-mail address" in run("suppress", "show", "nonsense", status=2)
    assert "is asked to confirm" in run("optin", "ask", customer_id)
    assert "pending" in run("optin", "list")
    assert "1 addresses are not written to" in run("bounces", "-", stdin=bounce)
    (tmp_path / "one.eml").write_text(bounce)
    assert "known" in run("bounces", str(tmp_path / "one.eml"))
    assert "cannot be read" in run("bounces", str(tmp_path / "absent"), status=2)
    assert "provider" in run("status")
    assert json.loads(run("status", "--json"))["total"]["hard"] == 1
    assert "There is no sender" in run("preflight", status=2)
