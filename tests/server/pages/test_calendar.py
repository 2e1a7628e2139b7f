"""The calendar in a browser: turned and walked by the keyboard, on a phone too."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from lingxi.journeys import read_journey

pytestmark = pytest.mark.browser
NAME = "calendar-walk"


@pytest.fixture
def planned(dashboard) -> str:
    """A campaign of three days after the shop's now; its day."""
    shop = dashboard.shop
    at = (shop.clock.now() + timedelta(days=3)).replace(hour=10, minute=0)
    title = {"en": "A name of sixty characters, so that a cell has to shorten it", "zh": "活动"}
    form = {"campaign": NAME, "template": "a", "at": at.isoformat(), "title": title}
    shop.journeys.save(read_journey(form), actor="test")
    return at.date().isoformat()


def test_a_day_is_reached_by_the_keyboard_and_leads_to_its_journey(
    open_page, planned: str, dashboard
) -> None:
    page = open_page(f"/calendar?week={planned}")
    entry = page.get_by_role("link", name="A name of sixty")
    expect(entry).to_be_visible()
    first = page.locator(".calendar a.day").first
    first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".calendar a.day").nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator(".calendar a.day").nth(6)).to_be_focused()
    page.keyboard.press("Home")
    expect(first).to_be_focused()
    page.keyboard.press("PageDown")
    expect(entry).to_have_count(0)
    first.focus()
    page.keyboard.press("PageUp")
    entry.click()
    page.wait_for_url(f"**/journeys/{NAME}")
    dashboard.shop.journeys.remove(NAME, actor="test")


def test_on_a_phone_the_month_is_a_list_without_empty_days(
    open_page, planned: str, dashboard
) -> None:
    page = open_page(f"/calendar?month={planned[:7]}", "zh", width=360, height=740)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.get_by_role("link", name="活动").last).to_be_visible()
    assert page.locator(".calendar td.idle:visible").count() == 0
    dashboard.shop.journeys.remove(NAME, actor="test")
