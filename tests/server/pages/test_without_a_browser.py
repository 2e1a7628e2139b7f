"""What can be shown without a browser: empty shops, errors, colours, and no style in templates."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from lingxi.access import Credentials, Role
from lingxi.access.users import create_user
from lingxi.app.shop import Shop, init_shop
from lingxi.i18n import LANGUAGES, load_catalogue
from lingxi.recommend.makeup import Makeup, PartWeights, Signal
from lingxi.server import pages
from lingxi.server.app import create_app, set_shop
from lingxi.store import CandidateRecord, Manifest, MeasureRecord

STATIC = Path(pages.__file__).parents[1] / "static"
TEMPLATES = Path(pages.__file__).parents[1] / "templates"
PASSWORD = "correct-horse-battery-9"
both = pytest.mark.parametrize("language", LANGUAGES)
HTML = {"accept": "text/html"}


@pytest.fixture
def empty_shop(tmp_path: Path) -> Iterator[Shop]:
    shop = init_shop(
        tmp_path / "shop", name="New & shop", currency="GBP", timezone="UTC", language="en"
    )
    with shop.store.write() as tx:
        create_user(
            tx, shop.clock.now(), Credentials("ada", PASSWORD), Role.ADMINISTRATOR, actor="test"
        )
    yield shop
    shop.close()


@pytest.fixture
def client(addresses: Litestar, empty_shop: Shop) -> Iterator[TestClient[Litestar]]:
    set_shop(addresses, empty_shop)
    with TestClient(addresses, raise_server_exceptions=False) as client:
        client.headers.update(HTML)
        log_in(client)
        yield client


def read_token(html: str) -> str:
    found = re.search(r'name="_csrf_token" value="([^"]+)"', html)
    assert found is not None
    return found[1]


def log_in(client: TestClient[Litestar]) -> None:
    token = read_token(client.get("/login").text)
    form = {"_csrf_token": token, "name": "ada", "password": PASSWORD}
    assert client.post("/login", data=form, follow_redirects=False).status_code == 303


@both
@pytest.mark.parametrize(
    ("address", "code", "command"),
    [
        ("/", "today.empty.title", "lingxi import orders FILE.csv"),
        ("/customers", "customers.empty.title", "lingxi import orders FILE.csv"),
        ("/plan", "plan.empty.title", "lingxi plan"),
        ("/items", "items.empty.title", "lingxi import orders FILE.csv"),
        ("/quality", "quality.empty.title", "lingxi import orders FILE.csv"),
        ("/models", "models.empty.title", "lingxi train"),
        ("/recommender", "report.empty.title", "lingxi evaluate shop"),
        ("/coverage", "coverage.empty.title", "lingxi train"),
        ("/explorer", "explorer.empty.title", "lingxi train"),
    ],
)
def test_an_empty_page_says_what_would_be_here_and_the_command(
    client, language, address, code, command
) -> None:
    client.cookies.set("lingxi_language", language)
    answer = client.get(address)
    assert answer.status_code == 200
    assert load_catalogue(language)[code].singular in answer.text
    assert f">{command}</code>" in answer.text


@both
def test_the_models_page_tells_what_a_learnt_model_is_made_of(client, empty_shop, language) -> None:
    parts = (PartWeights("als", None, 0.5, 0.25, 1.48), PartWeights("rp3beta", None, 0.1, 0.2, 0.9))
    signals = (Signal("share", "als", 0.625), Signal("near_day", "", 0.375))
    chosen_at = "2026-03-04T05:00:00+00:00"
    with empty_shop.store.artefacts.write("recommender") as writer:
        writer.save_json("makeup", Makeup(parts, 0.3, -0.1, signals))
        extra = {"refit": "renewal", "renewals": 2, "chosen_at": chosen_at, "items_changed": 41}
        writer.manifest = Manifest(chosen="ranker", extra=extra)
    client.cookies.set("lingxi_language", language)
    page = client.get("/models").text
    words = load_catalogue(language)
    for code in (
        "models.makeup",
        "models.makeup.signals",
        "signal.near_day",
        "recommend.model.als",
    ):
        assert html.escape(words[code].singular) in page
    assert (
        words["signal.share"].singular.format(model=words["recommend.model.als"].singular) in page
    )
    assert "1.48" in page
    assert "62.5" in page
    assert "41" in page
    assert client.get("/v1/models").status_code == 200


def test_the_history_of_a_model_is_of_its_choices_and_not_of_their_renewals(
    client, empty_shop
) -> None:
    def keep(value: float, **extra: str | int) -> None:
        measure = MeasureRecord("ndcg@10", value, value - 0.01, value + 0.01)
        best = CandidateRecord("als", chosen=True, measures=(measure,))
        simple = CandidateRecord("popularity", baseline=True, measures=(measure,))
        with empty_shop.store.artefacts.write("recommender") as writer:
            writer.save_json("nothing", 0)
            writer.manifest = Manifest(chosen="als", candidates=(best, simple), extra=extra)

    title = load_catalogue("en")["models.history"].singular
    keep(0.123)
    keep(0.123, renewals=1, chosen_at="2026-03-04T05:00:00+00:00", items_changed=4)
    assert title not in client.get("/models").text, "one choice is no history"
    keep(0.456)
    shown = client.get("/models").text
    assert title in shown
    assert "0.123" in shown
    versions = client.get("/v1/models").json()["versions"]
    assert [version["renewals"] for version in versions] == [0, 1, 0]


@both
def test_a_better_model_that_answers_too_late_is_told_of(client, empty_shop, language) -> None:
    def keep(answer_ms: float | None, **extra: str | float) -> None:
        measure = MeasureRecord("ndcg@10", 0.2, 0.1, 0.3)
        best = CandidateRecord("als", chosen=True, measures=(measure,), answer_ms=answer_ms)
        with empty_shop.store.artefacts.write("recommender") as writer:
            writer.save_json("nothing", 0)
            writer.manifest = Manifest(chosen="als", candidates=(best,), extra=extra)

    words = load_catalogue(language)
    client.cookies.set("lingxi_language", language)
    told = words["models.slower"].singular.format(model=words["model.blend"].singular, taken="7.3")
    keep(None)
    before = client.get("/models").text
    assert told not in before
    assert words["models.milliseconds"].singular not in before
    keep(0.6, slower_model="blend", slower_answer_ms=7.3)
    page = client.get("/models").text
    assert told in page
    assert words["models.milliseconds"].singular in page
    assert ">0.6</td>" in page


@both
def test_an_empty_shop_has_settings_and_search(client, language) -> None:
    client.cookies.set("lingxi_language", language)
    assert client.get("/settings").status_code == 200
    assert client.get("/search?q=x").status_code == 200


@both
def test_our_mistake_has_a_request_id_and_no_detail(
    client, empty_shop, language, monkeypatch
) -> None:
    def fail() -> None:
        raise ValueError("secret detail")

    monkeypatch.setattr(empty_shop.answers, "overview", fail)
    client.cookies.set("lingxi_language", language)
    answer = client.get("/", headers={"x-request-id": "quote-this-1"})
    assert answer.status_code == 500
    assert load_catalogue(language)["error.internal_error"].singular in answer.text
    assert "quote-this-1" in answer.text
    assert "secret detail" not in answer.text


def test_a_stranger_is_sent_to_the_login_page(client) -> None:
    client.cookies.clear()
    answer = client.get("/customers?stage=lost", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?back=/customers%3Fstage%3Dlost"
    part = client.get("/customers", headers={"hx-request": "true"}, follow_redirects=False)
    assert part.headers["hx-redirect"] == "/login?back=/customers"
    assert part.text == ""


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_a_login_never_leads_elsewhere(client, back) -> None:
    client.cookies.clear()
    token = read_token(client.get("/login").text)
    form = {"_csrf_token": token, "name": "ada", "password": PASSWORD, "back": back}
    answer = client.post("/login", data=form, follow_redirects=False)
    assert answer.headers["location"] == "/"


def test_a_sort_that_does_not_exist_is_refused(client) -> None:
    assert client.get("/items?sort=nonsense").status_code == 400


def test_own_password_is_changed_only_with_the_current_one(client) -> None:
    token = read_token(client.get("/settings").text)
    form = {"_csrf_token": token, "current": "wrong", "password": PASSWORD + "x"}
    assert client.post("/settings/password", data=form).status_code == 400
    answer = client.post(
        "/settings/password", data={**form, "current": PASSWORD}, follow_redirects=False
    )
    assert answer.headers["location"] == "/login"
    assert client.get("/", follow_redirects=False).status_code == 303


def test_settings_named_in_the_shop_are_shown(empty_shop) -> None:
    named = replace(empty_shop.settings.shop, name="<b>Bold & co</b>")
    shop = Shop(replace(empty_shop.settings, shop=named), empty_shop.store, empty_shop.clock)
    with TestClient(create_app(shop)) as client:
        text = client.get("/login", headers=HTML).text
    assert "&lt;b&gt;Bold &amp; co&lt;/b&gt;" in text
    assert "<b>Bold" not in text


def test_templates_hold_neither_styles_nor_scripts() -> None:
    for path in TEMPLATES.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", text), path.name
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path.name
        assert "| safe" not in text, path.name


def test_templates_hold_no_words_of_their_own() -> None:
    """Text between tags comes from the catalogues."""
    allowed = {"Lingxi", "lingxi.toml", "lx_"}
    for path in TEMPLATES.glob("*.html"):
        text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", " ", path.read_text("utf-8"), flags=re.S)
        text = re.sub(r"<code.*?</code>", " ", text, flags=re.S)
        words = set(re.findall(r"[A-Za-z_.]{3,}", re.sub(r"<[^>]*>", " ", text)))
        assert words <= allowed, (path.name, words)


def test_no_file_of_ours_is_too_long() -> None:
    for path in (STATIC / "js").glob("*.js"):
        assert len(path.read_text("utf-8").splitlines()) <= 300, path.name
    for path in (*(STATIC / "css").glob("*.css"), *TEMPLATES.glob("*.html")):
        assert len(path.read_text("utf-8").splitlines()) <= 400, path.name


def read_themes() -> dict[str, dict[str, str]]:
    text = (STATIC / "css" / "tokens.css").read_text(encoding="utf-8")
    found = {
        selector: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", body))
        for selector, body in re.findall(r"(:root[^{]*)\{([^}]*)\}", text)
    }
    themes = {
        "light": found[":root "],
        "dark": found[':root[data-theme="dark"] '],
        "system": found[':root[data-theme="system"] '],
    }
    assert themes["dark"] == themes["system"]
    return themes


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    """WCAG 2.2: the contrast ratio of two colours."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_a_contrast_of_4_5_and_marks_of_3(theme: str) -> None:
    tokens = read_themes()[theme]
    grounds = ("ground", "surface", "surface-2")
    pairs = [(ink, on) for ink in ("ink", "ink-2") for on in (*grounds, "neutral-soft")]
    pairs += [("accent", on) for on in (*grounds, "accent-soft")]
    pairs += [("accent-ink", "accent"), ("ink", "accent-soft"), ("ink-2", "accent-soft")]
    pairs += [(tone, "surface") for tone in ("good", "warning", "bad")]
    for ink, on in pairs:
        assert contrast(tokens[ink], tokens[on]) >= 4.5, (ink, on)
    marks = [f"series-{n}" for n in (1, 2, 3, 4, 5, 6, "other")] + ["baseline", "edge-strong"]
    for mark in marks:
        assert contrast(tokens[mark], tokens["surface"]) >= 3, mark
