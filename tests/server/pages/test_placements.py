"""The placements editor in a real browser: tried, saved, restored; who may not is told."""

import pytest
from playwright.sync_api import expect

from lingxi.i18n import LANGUAGES, load_catalogue

pytestmark = pytest.mark.browser
both = pytest.mark.parametrize("language", LANGUAGES)


@both
def test_the_list_on_the_page_is_the_one_of_the_api(language, dashboard, open_page) -> None:
    customer = dashboard.api("/v1/customers", sort="-orders", n=1)["rows"][0]["customer_id"]
    view = dashboard.api("/v1/placements/email/recommendations", customer_id=customer, log="false")
    page = open_page(f"/placements/email?customer={customer}", language)
    shown = page.locator(".items-list > li > a").all_inner_texts()
    assert shown == [item["name"] or item["item_id"] for item in view["items"]]
    page.locator(".items-list summary").first.click()
    expect(page.locator(".items-list details table").first).to_be_visible()


@both
def test_a_change_is_tried_saved_and_taken_back(language, dashboard, open_page) -> None:
    words = load_catalogue(language)
    page = open_page("/placements/cart", language)
    page.locator("#f-n").fill("2")
    page.locator("button[value=try]").click()
    expect(page.locator("#trial-result")).to_be_visible()
    assert page.locator("#f-n").input_value() == "2"
    assert dashboard.api("/v1/placements/cart")["definition"]["n"] == 6
    page.locator("details.rule summary").last.click()
    rule = page.locator("details.rule").last
    rule.locator("[name$='.name']").fill("cheap")
    rule.locator("[name$='.where']").fill("price <= 20")
    rule.locator("[name$='.do']").select_option("include")
    page.locator("#note").fill("why not")
    page.locator("button[value=save]").click()
    expect(page.get_by_role("status").first).to_have_text(words["placements.done.saved"].singular)
    made = dashboard.api("/v1/placements/cart")
    assert (made["definition"]["n"], made["versions"][0]["actor"]) == (2, "user:ada")
    assert made["definition"]["rules"][0]["where"] == "price <= 20"
    assert made["versions"][0]["note"] == "why not"
    page.locator("[data-opens=remove]").click()
    page.locator("#remove button.danger").click()
    expect(page.get_by_role("status").first).to_have_text(words["placements.done.removed"].singular)
    assert dashboard.api("/v1/placements/cart")["definition"]["n"] == 6
    page.locator("form[action$='/restore'] button").first.click()
    page.wait_for_url("**done=restored")
    assert dashboard.api("/v1/placements/cart")["definition"]["n"] == 2
    page.locator("[data-opens=remove]").click()
    page.locator("#remove button.danger").click()
    page.wait_for_url("**done=removed")


def test_a_condition_that_cannot_be_read_is_told_and_kept(open_page, dashboard) -> None:
    page = open_page("/placements/home", may_fail="400")
    page.locator("details.rule summary").last.click()
    rule = page.locator("details.rule").last
    rule.locator("[name$='.name']").fill("typo")
    rule.locator("[name$='.where']").fill("prise < 20")
    page.locator("button[value=save]").click()
    expect(page.get_by_role("alert").first).to_contain_text("did you mean 'price'")
    assert page.locator("[name='rule.0.where']").input_value() == "prise < 20"
    assert not dashboard.api("/v1/placements/home")["changed"]


def test_a_viewer_may_look_and_not_change(open_page) -> None:
    page = open_page("/placements/home?missing=no-such-item", user="vera")
    expect(page.locator("button[value=save]")).to_have_count(0)
    expect(page.locator("#f-n")).to_be_disabled()
    expect(page.get_by_text("There is no such item.")).to_be_visible()


def test_a_placement_of_ones_own_is_made_and_removed(open_page, dashboard) -> None:
    page = open_page("/placements", user="lin")
    page.locator("#new-name").fill("gift_wall")
    page.locator("form[action='/placements'] button").click()
    page.wait_for_url("**/placements/gift_wall?done=saved")
    names = [each["name"] for each in dashboard.api("/v1/placements")["placements"]]
    assert "gift_wall" in names
    page.locator("[data-opens=remove]").click()
    page.locator("#remove button.danger").click()
    page.wait_for_url("**/placements?done=removed")
