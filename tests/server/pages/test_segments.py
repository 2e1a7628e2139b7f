"""The segment builder in a real browser: built, counted, saved, looked into, deleted."""

import pytest
from playwright.sync_api import expect

from lingxi.i18n import LANGUAGES, load_catalogue

pytestmark = pytest.mark.browser
both = pytest.mark.parametrize("language", LANGUAGES)


@both
def test_a_segment_is_built_counted_saved_and_deleted(language, dashboard, open_page) -> None:
    words = load_catalogue(language)
    page = open_page(f"/segments/loyal-{language}", language)
    page.locator("#title").fill("Loyal")
    page.get_by_label(words["segment.field.at_least"].singular).first.fill("2")
    page.get_by_label(words["segment.field.within_days"].singular).first.fill("3000")
    page.locator("button[value=count]").click()
    expect(page.locator("#count .answer")).to_be_visible()
    page.locator("button[value=save]").click()
    expect(page.get_by_role("status").first).to_have_text(words["segments.done.saved"].singular)
    made = dashboard.api(f"/v1/segments/loyal-{language}")
    leaf = {"did": "Order Completed", "at_least": 2, "within_days": 3000}
    assert made["rule"] == {"all": [leaf]}
    page.locator("form[action$='/delete'] summary").click()
    page.locator("form[action$='/delete'] button").click()
    page.wait_for_url("**/segments?done=deleted")
    assert dashboard.api("/v1/segments")["segments"] == []
