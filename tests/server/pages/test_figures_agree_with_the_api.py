"""What each page says is what the API says, in both languages, found by role and name."""

import re
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from lingxi.i18n import LANGUAGES, Sentence, Translator
from lingxi.server.pages.words import Words

pytestmark = pytest.mark.browser
both = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture
def words(language, dashboard) -> Words:
    reader = Translator(language, ZoneInfo("Europe/London"), "GBP")
    return Words(reader, dashboard.shop.clock.now())


def region(page: Page, name: str):
    return page.get_by_role("region", name=name, exact=True).first


def rows(page: Page, name: str):
    return region(page, name).get_by_role("table").locator("tbody").get_by_role("row")


@both
def test_today(language, dashboard, open_page, words) -> None:
    view = dashboard.api("/v1/overview")
    page = open_page("/", language)
    figures = region(page, words.text("today.figures"))
    for code, text in (
        ("orders", words.num(view["orders"])),
        ("revenue", words.about(view["revenue_cents"])),
        ("active", words.num(view["active_customers"])),
        ("at_risk", words.num(view["at_risk_customers"])),
    ):
        tile = figures.get_by_role("listitem").filter(has_text=words.text(f"today.tile.{code}"))
        expect(tile.first).to_contain_text(text)
    stages = region(page, words.text("today.stages_now"))
    for stage, count in view["stages"].items():
        entry = stages.get_by_role("listitem").filter(has_text=words.word("stage", stage))
        expect(entry.first).to_contain_text(words.num(count))
    todo = region(page, words.text("today.todo"))
    for action, count in view["todo"].items():
        if action != "leave_alone" and count:
            entry = todo.get_by_role("listitem").filter(has_text=words.word("action", action))
            expect(entry.first).to_contain_text(words.num(count))
    n = sum(count for action, count in view["todo"].items() if action != "leave_alone")
    expect(page.locator(".answer")).to_contain_text(words.num(n))


@both
def test_charts_show_their_tables(language, dashboard, open_page, words) -> None:
    weeks = dashboard.api("/v1/overview")["weeks"]
    page = open_page("/", language)
    chart = page.locator("lx-chart", has=page.get_by_role("table", include_hidden=True)).last
    chart.scroll_into_view_if_needed()
    expect(chart.locator("canvas")).to_be_visible()
    chart.get_by_text(words.text("chart.table"), exact=True).click()
    cells = chart.locator("tbody td").all_inner_texts()
    assert cells == [words.money(week["revenue_cents"]) for week in weeks]


@both
def test_customers_list_filter_sort_and_pages(language, dashboard, open_page, words) -> None:
    page = open_page("/customers", language)
    view = dashboard.api("/v1/customers")
    name = words.text("customers.title")
    listed = rows(page, name)
    expect(listed).to_have_count(len(view["rows"]))
    expect(page.locator("[data-announce]")).to_contain_text(words.num(view["total"]))
    first = view["rows"][0]
    expect(listed.first).to_contain_text(words.money(first["revenue_cents"]))
    expect(listed.first).to_contain_text(words.word("stage", first["stage"]))

    page.get_by_label(words.text("column.stage"), exact=True).select_option(first["stage"])
    chosen = dashboard.api("/v1/customers", stage=first["stage"])
    page.wait_for_url(re.compile(f"stage={first['stage']}"))
    expect(page.locator("[data-announce]")).to_contain_text(words.num(chosen["total"]))
    expect(page.get_by_role("status").first).to_contain_text(words.num(chosen["total"]))
    expect(rows(page, name)).to_have_count(len(chosen["rows"]))

    page.get_by_role("link", name=words.text("column.orders"), exact=True).click()
    ordered = dashboard.api("/v1/customers", stage=first["stage"], sort="-orders")
    heads = page.get_by_role("rowheader").all_inner_texts()
    assert heads == [row["customer_id"] for row in ordered["rows"]]
    head = page.get_by_role("columnheader", name=words.text("column.orders"), exact=True)
    expect(head).to_have_attribute("aria-sort", "descending")
    page.go_back()
    expect(page).to_have_url(re.compile(f"stage={first['stage']}$"))


@both
def test_customers_next_page(language, dashboard, open_page, words) -> None:
    page = open_page("/customers", language)
    first = dashboard.api("/v1/customers")
    second = dashboard.api("/v1/customers", cursor=first["next_cursor"])
    page.get_by_role("link", name=words.text("pager.next"), exact=True).click()
    expect(page.get_by_role("rowheader").first).to_have_text(second["rows"][0]["customer_id"])
    page.get_by_role("link", name=words.text("pager.first"), exact=True).click()
    expect(page.get_by_role("rowheader").first).to_have_text(first["rows"][0]["customer_id"])


def test_customers_file_holds_every_customer_of_the_filter(dashboard, open_page) -> None:
    page = open_page("/customers?stage=lost")
    total = dashboard.api("/v1/customers", stage="lost")["total"]
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == total + 1
    assert lines[0].startswith("customer_id,country,stage,segment,orders,revenue_cents")


@both
def test_one_customer(language, dashboard, open_page, words) -> None:
    wanted = dashboard.api("/v1/customers", sort="-orders")["rows"][0]["customer_id"]
    view = dashboard.api(f"/v1/customers/{wanted}", n=30)
    recommended = dashboard.api(f"/v1/recommendations/{wanted}", n=6)
    page = open_page(f"/customers/{wanted}", language)
    expect(page.get_by_role("heading", level=1)).to_contain_text(wanted)
    answer = page.locator(".answer")
    expect(answer).to_contain_text(words.word("stage", view["stage"]))
    reason = view["stage_reason"]
    expect(answer).to_contain_text(words.say(Sentence(reason["code"], reason["params"])))

    risk = region(page, words.text("today.churn"))
    expect(risk).to_contain_text(words.pct(view["churn"]["probability"]))
    expect(risk).to_contain_text(
        words.text("customer.churn.rfm.value", sum=view["churn"]["rfm_sum"])
    )
    expect(risk.locator(".reasons li")).to_have_count(len(view["churn"]["reasons"]))
    for told in view["churn"]["reasons"]:
        said = words.say(Sentence(told["sentence"]["code"], told["sentence"]["params"]))
        expect(risk).to_contain_text(said)

    action = region(page, words.text("customer.action"))
    expect(action).to_contain_text(words.word("action", view["action"]["action"]))
    expect(action).to_contain_text(words.money(view["action"]["expected_value_cents"]))

    offered = region(page, words.text("customer.recommendations"))
    names = offered.get_by_role("link").all_inner_texts()
    assert names == [item["name"] for item in recommended["items"]]
    cause = recommended["items"][0]["because"][0]
    weight = words.text("because.item", name=cause["name"], weight_share=cause["share"])
    expect(offered.get_by_role("listitem").first).to_contain_text(weight)
    timeline = region(page, words.text("customer.timeline"))
    expect(timeline.locator("ol.timeline > li")).to_have_count(len(view["timeline"]))


@both
def test_plan(language, dashboard, open_page, words) -> None:
    view = dashboard.api("/v1/plan", action="leave_alone")
    today = open_page("/", language).locator(".answer").inner_text()
    page = open_page("/plan", language)
    expected = [v for a, v in view["expected_by_action"].items() if a != "leave_alone"]
    for answer in (today, page.locator(".answer").inner_text()):
        assert words.about(sum(expected)) in answer
    totals = region(page, words.text("plan.totals"))
    for action, count in view["by_action"].items():
        row = totals.get_by_role("row").filter(
            has=page.get_by_role("link", name=words.word("action", action), exact=True)
        )
        expect(row).to_contain_text(words.num(count))
        value = view["expected_by_action"].get(action)
        expect(row).to_contain_text("–" if value is None else words.money(value))
    page.get_by_role("link", name=words.word("action", "leave_alone"), exact=True).click()
    listed = rows(page, words.text("plan.rows"))
    expect(listed).to_have_count(len(view["rows"]))
    for shown, row in zip(listed.all()[:5], view["rows"], strict=False):
        expect(shown.get_by_role("rowheader")).to_have_text(row["customer_id"])
        expect(shown).to_contain_text(
            words.say(Sentence(row["reason"]["code"], row["reason"]["params"]))
        )


@pytest.mark.parametrize("form", ["CSV", "JSON", "Parquet"])
def test_plan_is_exported(form, open_page) -> None:
    page = open_page("/plan")
    with page.expect_download() as download:
        page.get_by_role("link", name=form, exact=True).click()
    assert download.value.suggested_filename == f"plan.{form.lower()}"
    assert download.value.path().stat().st_size > 1000


@both
def test_items_and_one_item(language, dashboard, open_page, words) -> None:
    view = dashboard.api("/v1/items")
    page = open_page("/items", language)
    listed = rows(page, words.text("rail.items"))
    expect(listed).to_have_count(len(view["rows"]))
    first = view["rows"][0]
    expect(listed.first).to_contain_text(words.money(first["revenue_cents"]))
    page.get_by_role("link", name=first["name"], exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(first["name"])
    item = dashboard.api(f"/v1/items/{first['item_id']}")
    listed_similar = region(page, words.text("item.similar")).get_by_role("listitem")
    similar = listed_similar.get_by_role("link").all_inner_texts()
    assert similar == [other["name"] for other in item["similar"]]
    together = rows(page, words.text("item.together"))
    expect(together).to_have_count(len(item["bought_together"]))
    for row, other in zip(together.all(), item["bought_together"], strict=True):
        expect(row).to_contain_text(other["name"])
        expect(row).to_contain_text(words.num(other["orders"]))


@both
def test_quality_adds_up(language, dashboard, open_page, words) -> None:
    view = dashboard.api("/v1/quality")
    for report in view["imports"]:
        page = open_page(f"/quality?import_id={report['import_id']}", language)
        shown = region(page, words.text("quality.sum")).locator(".sum b").all_inner_texts()
        lines = [report["lines_in"], report["lines_kept"], report["lines_set_aside"]]
        assert shown == [words.num(n) for n in lines]
        assert lines[0] == lines[1] + lines[2]
        dropped = [r for r in report["reasons"] if not r["kept"]]
        for reason in dropped:
            aside = region(page, words.text("quality.aside"))
            row = (
                aside.get_by_role("row")
                .filter(has_text=reason["step"])
                .filter(has_text=words.word("clean.reason", reason["reason"]))
            )
            expect(row.first).to_contain_text(words.num(reason["lines"]))
        assert sum(r["lines"] for r in dropped) == report["lines_set_aside"]


@both
def test_models(language, dashboard, open_page, words) -> None:
    page = open_page("/models", language)
    for version in dashboard.api("/v1/models")["versions"]:
        if not version["active"]:
            continue
        card = region(page, words.word("model.kind", version["kind"]))
        for candidate in version["candidates"]:
            row = card.get_by_role("row").filter(
                has_text=re.compile(re.escape(words.word("model", candidate["name"])))
            )
            expect(row.first).to_be_visible()
            if candidate["chosen"]:
                expect(row.first).to_contain_text(words.text("models.chosen"))


@both
def test_settings_show_the_state(language, dashboard, open_page, words) -> None:
    status = dashboard.api("/v1/status")
    page = open_page("/settings", language)
    card = region(page, words.text("settings.status"))
    expect(card).to_contain_text(words.num(status["events"]))
    for lag in status["lags"]:
        row = card.get_by_role("row").filter(has_text=words.word("lag", lag["name"]))
        expect(row.first).to_contain_text(words.num(lag["behind"]))


@both
def test_search_from_the_top_bar(language, dashboard, open_page, words) -> None:
    item = dashboard.api("/v1/items")["rows"][0]
    page = open_page("/models", language)
    page.keyboard.press("/")
    box = page.get_by_role("searchbox", name=words.text("frame.search"))
    expect(box).to_be_focused()
    page.keyboard.type(item["name"][:12])
    hit = page.locator("#found").get_by_role("link", name=item["name"]).first
    expect(hit).to_be_visible()
    hit.click()
    page.wait_for_url("**/items/" + quote(item["item_id"], safe=""))


@both
def test_the_report_on_the_shops_own_data(language, dashboard, open_page, words) -> None:
    report = dashboard.api("/v1/recommender-reports")["reports"][0]
    page = open_page("/recommender", language)
    baselines = sum(model["baseline"] for model in report["models"])
    expect(page.locator("lx-chart tbody tr[data-tone=baseline]")).to_have_count(baselines)
    expect(page.locator(".answer")).to_contain_text(words.word("model", report["chosen"]))
    expect(page.locator(".answer")).to_contain_text(words.num(report["customers"]))
    listed = rows(page, words.text("report.part.accuracy"))
    measured = listed.filter(has_text=words.metric("ndcg@10")).get_by_role("cell")
    expect(measured).to_have_count(len(report["models"]))
    for n, model in enumerate(report["models"]):
        value = words.num(model["measures"]["ndcg@10"]["value"], 3)
        expect(measured.nth(n)).to_contain_text(value)


@both
def test_coverage(language, dashboard, open_page, words) -> None:
    view = dashboard.api("/v1/coverage")
    page = open_page("/coverage", language)
    expect(page.locator(".answer")).to_contain_text(words.num(view["shown"]))
    first = rows(page, words.text("coverage.most")).first
    expect(first).to_contain_text(view["most_shown"][0]["name"])
    expect(first).to_contain_text(words.pct(view["most_shown"][0]["share"]))
    expect(rows(page, words.text("coverage.categories"))).to_have_count(len(view["categories"]))


@both
def test_a_neighbourhood(language, dashboard, open_page, words) -> None:
    item_id = dashboard.api("/v1/items", n=1)["rows"][0]["item_id"]
    view = dashboard.api(f"/v1/neighbourhood/{item_id}", n=10)
    page = open_page(f"/neighbourhood/{item_id}", language)
    expect(page.locator(".answer")).to_contain_text(view["neighbours"][0]["item"]["name"])
    listed = rows(page, words.text("near.table"))
    expect(listed).to_have_count(len(view["neighbours"]))
    for n, one in enumerate(view["neighbours"]):
        expect(listed.nth(n)).to_contain_text(words.num(one["item"]["score"], 3))


@both
def test_the_explorer_says_what_one_more_item_would_change(
    language, dashboard, open_page, words
) -> None:
    seen, added = (row["item_id"] for row in dashboard.api("/v1/items", n=2)["rows"])
    path = "/v1/placements/home/recommendations"
    before = dashboard.api(path, history=seen, log="false")["items"]
    page = open_page(f"/explorer?placement=home&seen={seen}", language)
    listed = rows(page, words.text("explorer.list"))
    expect(listed).to_have_count(len(before))
    for n, item in enumerate(before):
        expect(listed.nth(n)).to_contain_text(item["name"])
        expect(listed.nth(n)).to_contain_text(words.num(item["score"], 4))
    page.get_by_label(words.text("explorer.field.added")).fill(added)
    expect(page.get_by_role("columnheader", name=words.text("explorer.move"))).to_be_visible()
    after = dashboard.api(path, history=[seen, added], log="false")["items"]
    old = {item["item_id"]: item["position"] for item in before}
    for n, item in enumerate(after):
        expect(listed.nth(n)).to_contain_text(item["name"])
        if item["item_id"] not in old:
            expect(listed.nth(n)).to_contain_text(words.text("explorer.move.new"))
    changed = sum(old.get(item["item_id"]) != item["position"] for item in after)
    expect(page.locator(".answer")).to_contain_text(words.num(changed))
    assert f"added={added}" in page.url
    page.get_by_label(words.text("explorer.field.added")).fill("nosuch")
    expect(page.locator(".answer")).to_contain_text(
        words.text("explorer.answer.unknown", name="nosuch")
    )
    expect(page.get_by_role("columnheader", name=words.text("explorer.move"))).to_have_count(0)
