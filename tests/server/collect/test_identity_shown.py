"""Who a customer is, shown: what was not joined and why, in the API, on pages, as a command."""

import json
import re
from collections.abc import Mapping
from html import unescape

import pytest
from click.testing import CliRunner

from lingxi.access import Credentials, Role, Scope, create_key, passwords
from lingxi.access.users import create_user
from lingxi.app.people import export_person, get_identity
from lingxi.cli import main
from lingxi.i18n import LANGUAGES, load_catalogue

PASSWORD = "correct-horse-battery-9"
ADDRESS, PHONE = "both@x.example", "+44 20 7946 0018"


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    from argon2 import PasswordHasher

    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=256))


@pytest.fixture
def people(collector):
    """Two customers with one address and one browser, placeholders, and a bomb of browsers."""
    traits = {"email": ADDRESS, "phone": PHONE}
    bodies: list[Mapping[str, object]] = [
        {"type": "identify", "userId": "u1", "anonymousId": "browser-00001", "traits": traits},
        {"type": "identify", "userId": "u2", "traits": {"email": ADDRESS, "phone": "1111111"}},
        {"type": "page", "userId": "u2", "anonymousId": "browser-00001"},
        {"type": "page", "userId": "u1", "anonymousId": "null"},
    ]
    bodies += [{"type": "page", "userId": "u3", "anonymousId": f"many-{n:05}"} for n in range(60)]
    batch = [{"messageId": f"m{n}", **body} for n, body in enumerate(bodies)]
    answer = collector.client.post("/v1/batch", json={"batch": batch}, headers=collector.basic)
    assert answer.status_code == 200, answer.text
    with collector.shop.store.write() as tx:
        now = collector.shop.clock.now()
        key = create_key(tx, now, "t", [Scope.CUSTOMERS], actor="test")
        create_user(tx, now, Credentials("ada", PASSWORD), Role.ADMINISTRATOR, actor="test")
    return collector, {"authorization": f"Bearer {key.secret}"}


def test_the_api_says_what_was_not_joined_with_whom_and_why(people) -> None:
    collector, key = people
    view = collector.client.get("/v1/refused-links", headers=key).json()
    assert {(c["rule"], c["kind"]): c["n"] for c in view["counts"]} == {
        ("limit", "anonymous"): 55,
        ("two_identified", "email"): 1,
        ("no_login", "anonymous"): 1,
        ("blocked", "anonymous"): 1,
        ("blocked", "phone"): 1,
    }
    told = {(r["customer_id"], r["rule"], r["kind"]): r for r in view["rows"]}
    assert view["rows"][0] == told["u3", "limit", "anonymous"]
    assert told["u3", "limit", "anonymous"]["n"] == 55
    assert told["u3", "limit", "anonymous"]["masked"] == "ma•••59"
    assert told["u3", "limit", "anonymous"]["other_id"] is None
    assert told["u2", "no_login", "anonymous"]["masked"] == "br•••01"
    assert told["u2", "no_login", "anonymous"]["other_id"] == "u1"
    assert told["u2", "no_login", "anonymous"]["event_id"] == "web:m2"
    assert told["u2", "two_identified", "email"]["masked"] == "•••"
    assert told["u1", "blocked", "anonymous"]["masked"] == "null"
    own = collector.client.get("/v1/identity/u1", headers=key).json()["refused"]
    assert {(r["rule"], r["customer_id"]) for r in own} == {
        ("two_identified", "u2"),
        ("no_login", "u2"),
        ("blocked", "u1"),
    }
    assert "browser-00001" not in json.dumps(view)
    assert collector.client.get("/v1/refused-links?days=0", headers=key).status_code == 400


def test_the_command_line_says_the_same(people) -> None:
    collector, key = people
    place = ["--shop", str(collector.shop.settings.folder)]
    done = CliRunner().invoke(main, ["identity", "status", "--json", *place])
    assert done.exit_code == 0, done.output
    told = collector.client.get("/v1/refused-links", params={"n": 20}, headers=key).json()
    assert json.loads(done.stdout)["counts"] == told["counts"]
    assert json.loads(done.stdout)["rows"] == told["rows"]
    text = CliRunner().invoke(main, ["identity", "status", *place]).stdout
    assert re.search(r"u3 +anonymous +ma•••59 +55 +limit", text), text
    assert "only a log-in hands it over" in text
    shown = CliRunner().invoke(main, ["identity", "show", PHONE, *place]).stdout
    assert re.search(r"u2 +anonymous +br•••01 +1 +no_login +u1 ", shown), shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_say_the_same_in_both_languages(language: str, people) -> None:
    collector, _ = people
    client = collector.client
    client.headers.update({"accept": "text/html", "accept-language": language})
    token = re.search(r'name="_csrf_token" value="([^"]+)"', client.get("/login").text)[1]
    form = {"_csrf_token": token, "name": "ada", "password": PASSWORD, "language": language}
    assert client.post("/login", data=form, follow_redirects=False).status_code == 303
    words = load_catalogue(language)
    page = unescape(client.get("/customers/u2").text)
    for rule in ("two_identified", "no_login"):
        assert words[f"identity.refused.{rule}"].singular in page
    assert "br•••01" in page
    assert 'href="/customers/u1"' in page
    assert "browser-00001" not in page
    sources = unescape(client.get("/sources").text)
    for rule in ("two_identified", "no_login", "limit", "blocked"):
        assert words[f"identity.refused.{rule}"].singular in sources
    found = client.get("/customers", params={"search": PHONE}).text
    assert 'href="/customers/u1"' in found
    assert 'href="/customers/u2"' not in found


def test_a_customer_is_found_by_phone_in_the_api(people) -> None:
    collector, key = people
    for path in ("/v1/identity/+442079460018", "/v1/identity/0044 20 7946 0018"):
        assert collector.client.get(path, headers=key).json()["customer_id"] == "u1"
    listed = collector.client.get("/v1/customers", params={"search": PHONE}, headers=key).json()
    assert [row["customer_id"] for row in listed["rows"]] == ["u1"]
    hits = collector.client.get("/v1/search", params={"text": PHONE}, headers=key).json()
    assert [hit["kind"] for hit in hits["hits"]] == ["customer"]


def test_of_several_addresses_only_the_one_that_is_known_is_shown(collector) -> None:
    """An address that was refused is no identifier, though it was the last one told."""
    bodies = [
        {"type": "identify", "userId": "u9", "traits": {"email": f"e{n}@x.example"}}
        for n in range(7)  # five are taken
    ]
    phone = {"type": "identify", "userId": "u8", "traits": {"phone": "+44 (0)20 7946-0018"}}
    batch = [{"messageId": f"n{n}", **body} for n, body in enumerate([*bodies, phone])]
    answer = collector.client.post("/v1/batch", json={"batch": batch}, headers=collector.basic)
    assert answer.status_code == 200, answer.text

    def values(customer: str, kind: str) -> list[str]:
        rows = get_identity(collector.shop, customer).identifiers
        return sorted(row.value for row in rows if row.kind == kind)

    assert values("u9", "email") == ["•••"] * 5
    last = {"type": "identify", "userId": "u9", "messageId": "n99"}
    body = {**last, "traits": {"email": "E3@X.example"}}
    collector.client.post("/v1/identify", json=body, headers=collector.basic)
    assert values("u9", "email") == ["E3@X.example", *["•••"] * 4]
    (number,) = values("u8", "phone")
    assert "7946" in number


def test_an_export_tells_orders_as_data(collector) -> None:
    order = {"order_id": "o1", "currency": "GBP", "products": [{"product_id": "A", "price": 5}]}
    body = {"event": "Order Completed", "userId": "u7", "messageId": "o", "properties": order}
    collector.client.post("/v1/track", json=body, headers=collector.basic)
    profile = export_person(collector.shop, "u7").profile
    assert profile is not None
    ledger = profile["ledger"]
    assert isinstance(ledger, dict)
    assert ledger["o1"]["ordered_cents"] == 500
