"""The pages of journeys: taken from the gallery, edited on the graph, published; no script."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
OPENS_AT_ITS_BEGINNING = """region => {
  const place = region.getBoundingClientRect();
  const first = region.querySelector(".journey-trigger").getBoundingClientRect();
  return place.left <= first.left && first.right <= place.right; }"""


@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh", 390)])
def test_a_journey_is_taken_edited_and_published(open_page, language: str, width: int) -> None:
    name = f"walk-{language}"
    page = open_page("/journeys", language=language, user="lin", width=width, may_fail="400")
    page.locator("#name-win-back").fill(name)
    page.locator("li", has=page.locator("#name-win-back")).get_by_role("button").click()
    page.wait_for_url(f"**/journeys/{name}*")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    steps = page.locator(".journey-step")
    before = steps.count()
    page.locator(".journey-plus").first.click()
    page.locator("button[value=wait]").click()
    page.wait_for_url("**step=wait-1*")
    expect(steps).to_have_count(before + 1)
    page.locator("#step-duration").fill("2 parsecs")
    page.locator("button[value=change]").click()
    expect(page.locator("p[role=alert]")).to_contain_text("parsecs")
    page.locator("#step-duration").fill("2d")
    page.locator("button[value=change]").click()
    page.wait_for_url("**done=saved*")
    page.locator("button[value=delete]").click()
    expect(steps).to_have_count(before)
    trigger = page.locator(".journey-trigger")
    assert page.locator(".journey-scroll").evaluate(OPENS_AT_ITS_BEGINNING)
    trigger.click()
    page.locator("#trigger-kind").select_option("schedule")
    page.locator("input[name='trigger.weekdays.mon']").check()
    page.locator("button[value='add:r-audience:did']").evaluate("each => each.click()")
    expect(page.locator("input[name='r-audience.all.0.did/did']")).to_be_visible()
    expect(page.locator("input[name='trigger.weekdays.mon']")).to_be_checked()
    page.goto(f"/journeys/{name}")  # nothing of it was saved
    page.locator("#days").select_option("7")
    page.locator("form[action*='/try'] button").click()
    expect(page.locator("#trial-card table")).to_be_visible()
    page.locator("[data-opens=publish]").click()
    page.locator("#publish button.primary").click()
    page.wait_for_url("**done=published*")
    expect(
        page.locator("#journey-report #funnel")
    ).to_be_visible()  # counted after the page is there
    assert page.locator("#versions").locator("..").locator("..").locator("tbody tr").count() == 1


def test_who_may_only_look_sees_what_they_cannot_do(open_page) -> None:
    page = open_page("/journeys", user="vera")
    assert page.locator(".gallery button").first.is_disabled()
