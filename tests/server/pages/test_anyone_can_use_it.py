"""Every page: keyboard, names, widths, languages, hostile data, and nobody who may not."""

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from lingxi.i18n import LANGUAGES, load_catalogue
from lingxi.server.pages.links import customer_link, item_link

pytestmark = pytest.mark.browser
both = pytest.mark.parametrize("language", LANGUAGES)

PASSWORD = "correct-horse-battery-9"
HOSTILE_CUSTOMERS = ("<script>alert(1)</script>", "شركة التجارة", "客户🎁", "x" * 90)
HOSTILE_ITEM = "H<1>&"
ADDRESSES = (
    "/",
    "/customers",
    "/plan",
    "/items",
    "/calendar",
    "/calendar?week=2026-06-29",
    "/placements",
    "/placements/home",
    "/quality",
    "/models",
    "/explorer",
    f"/explorer?customer={quote(HOSTILE_CUSTOMERS[0])}&added={quote(HOSTILE_ITEM)}&missing=H",
    "/recommender",
    "/coverage",
    f"/neighbourhood/{quote(HOSTILE_ITEM)}",
    "/settings",
    "/search?q=a",
    customer_link(HOSTILE_CUSTOMERS[3]),
    item_link(HOSTILE_ITEM),
)
FIND_NAMELESS = """() => {
  const named = (e) => e.innerText?.trim() || e.getAttribute("aria-label") || e.labels?.length;
  const controls = document.querySelectorAll("button, a, input:not([type=hidden]), select");
  return [...controls].filter((e) => e.checkVisibility() && !named(e)).map((e) => e.outerHTML); }"""
FIND_TEXTS = """() => { const found = []; const walk = document.createTreeWalker(document.body, 4);
  while (walk.nextNode()) { const p = walk.currentNode.parentElement;
    if (!p.closest("code, script, bdi, [lang]")) found.push(walk.currentNode.data.trim()); }
  return found.filter(Boolean); }"""


def submit_login(page: Page, name: str, password: str) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def overflow(page: Page) -> int:
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


def narrowest_head(page: Page) -> float:
    """Width of the narrowest row head: Chinese that may break anywhere stood one sign a line."""
    width: float = page.evaluate(
        "Math.min(1000, ...[...document.querySelectorAll('.scroll tbody th')]"
        ".map((head) => head.getBoundingClientRect().width).filter((width) => width > 0))"
    )
    return width


@both
def test_no_page_scrolls_sideways_at_360_px_or_4k(language, open_page) -> None:
    page = open_page("/", language, width=360, height=740)
    for address in ADDRESSES:
        page.goto(address)
        assert overflow(page) <= 0, address
        assert narrowest_head(page) >= 60, address
        assert page.get_by_role("heading", level=1).count() == 1, address
    page.set_viewport_size({"width": 3840, "height": 2160})
    for address in ADDRESSES:
        page.goto(address)
        assert overflow(page) <= 0, address


@both
def test_every_control_has_a_name_and_every_page_its_landmarks(language, open_page) -> None:
    page = open_page("/", language)
    for address in ADDRESSES:
        page.goto(address)
        assert page.evaluate(FIND_NAMELESS) == [], address
        for role in ("banner", "main", "search"):
            expect(page.get_by_role(role).first).to_be_visible()
        expect(page.get_by_role("navigation").first).to_be_visible()
        assert page.title().count("·") >= 2, address


def test_chinese_pages_hold_no_english_words_and_no_codes(open_page) -> None:
    english, chinese = load_catalogue("en"), load_catalogue("zh")
    words = {
        entry.singular
        for code, entry in english.items()
        if entry.singular != chinese[code].singular and "{" not in entry.singular
    }
    page = open_page("/", "zh")
    for address in ADDRESSES:
        page.goto(address)
        expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
        texts = set(page.evaluate(FIND_TEXTS))
        assert texts & words == set(), address
        codes = [t for t in texts if re.fullmatch(r"[a-z_]+(\.[a-z_0-9@]+)+", t)]
        assert codes == [], address


def test_the_road_by_keyboard_alone(open_page) -> None:
    page = open_page("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Open the plan")).to_be_focused()
    ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Marketing plan")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("main")).to_be_focused()


def test_on_a_phone_the_navigation_is_a_sheet(open_page) -> None:
    page = open_page("/", width=390, height=844)
    place = page.get_by_role("link", name="Marketing plan", exact=True)
    expect(place).to_be_hidden()
    page.get_by_role("button", name="Open navigation").click()
    expect(place).to_be_visible()
    page.keyboard.press("Escape")
    expect(place).to_be_hidden()
    page.get_by_role("button", name="Open navigation").click()
    place.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Marketing plan")


@both
def test_every_place_of_the_rail_is_in_sight_on_a_usual_screen(language, open_page) -> None:
    """Models and Settings lay below the edge, and so did the place where one was."""
    page = open_page("/models", language)
    expect(page.locator('#rail a.place[href="/models"]')).to_be_in_viewport(ratio=1)
    expect(page.locator('#rail a.place[href="/settings"]')).to_be_in_viewport(ratio=1)


def test_a_long_name_leaves_the_other_columns_in_sight(open_page) -> None:
    """A name of 120 letters pushed score and reason off the screen."""
    page = open_page("/explorer")
    row = page.locator("#results tbody tr").first
    row.locator("th a").evaluate("(link) => { link.textContent = 'x'.repeat(120); }")
    region = page.locator("#results .scroll")
    assert region.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0


def test_the_rail_stays_when_a_long_page_is_scrolled(open_page) -> None:
    page = open_page("/customers")
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    expect(page.get_by_role("link", name="Marketing plan", exact=True)).to_be_in_viewport()


def test_hostile_names_are_text(open_page) -> None:
    page = open_page("/customers?search=%3Cscript")
    expect(page.get_by_role("rowheader", name=HOSTILE_CUSTOMERS[0], exact=True)).to_be_visible()
    for customer in HOSTILE_CUSTOMERS:
        page.goto(customer_link(customer))
        expect(page.get_by_role("heading", level=1)).to_contain_text(customer)
    page.goto(item_link(HOSTILE_ITEM))
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("<img src=x"))
    assert page.locator("main img").count() == 0


def test_login_refuses_in_words_and_goes_on_where_one_wanted_to_be(open_page) -> None:
    page = open_page("/plan?action=win_back", user="", may_fail="401")
    expect(page).to_have_url(re.compile(r"/login\?back="))
    submit_login(page, "ada", "wrong")
    expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
    submit_login(page, "ada", PASSWORD)
    page.wait_for_url("**/plan?action=win_back")
    page.get_by_role("button", name="Account of ada").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    page.goto("/plan")
    expect(page).to_have_url(re.compile("/login"))


@both
def test_login_page_speaks_the_browsers_language(language, open_page) -> None:
    page = open_page("/login", language, user="")
    title = {"en": "Log in to", "zh": "登录"}[language]
    expect(page.get_by_role("heading", level=1)).to_contain_text(title)


def test_language_and_theme_are_chosen_and_kept(open_page) -> None:
    page = open_page("/plan?action=win_back", user="lin")
    page.get_by_role("button", name="简体中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("营销计划")
    expect(page).to_have_url(re.compile(r"/plan\?action=win_back$"))
    page.get_by_role("button", name="外观").click()
    page.get_by_role("button", name="深色", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto("/items")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == "rgb(15, 19, 26)"
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Items")


def test_a_viewer_sees_what_others_may_do_but_cannot(open_page) -> None:
    page = open_page("/plan", user="vera")
    expect(page.get_by_role("button", name="CSV")).to_be_disabled()
    expect(page.get_by_text("Administrators and marketers can export the plan.")).to_be_visible()
    page.goto("/settings")
    expect(page.get_by_role("button", name="Add a user")).to_be_disabled()
    expect(page.get_by_text("Only administrators can see and change this.").first).to_be_visible()
    page.goto("/quality")
    expect(page.get_by_text("Administrators and marketers can read the lines")).to_be_visible()
    token = page.locator("input[name=_csrf_token]").first.input_value()
    form = {"_csrf_token": token, "name": "eve", "password": PASSWORD, "role": "administrator"}
    assert page.request.post("/settings/users", form=form).status == 403


def test_an_administrator_adds_and_removes_a_user(open_page) -> None:
    page = open_page("/settings")
    form = page.get_by_role("form", name="Add a user")
    form.get_by_label("User name").fill("mia")
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_label("Role").select_option(label="marketer")
    form.get_by_role("button", name="Add a user").click()
    expect(page.get_by_text("The user was added.")).to_be_visible()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="mia"))
    expect(row.get_by_role("combobox", name="Role of mia")).to_have_value("marketer")
    row.get_by_role("button", name="Remove mia").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("mia will be logged out everywhere")
    dialog.get_by_role("button", name="Yes, remove mia").click()
    expect(page.get_by_text("The user was removed.")).to_be_visible()
    expect(page.get_by_role("rowheader", name="mia")).to_have_count(0)


def test_a_key_is_shown_once_works_and_is_revoked(open_page) -> None:
    page = open_page("/settings")
    form = page.get_by_role("form", name="Make a key")
    form.get_by_label("What it is for").fill("till")
    form.get_by_label("read:plan").check()
    form.get_by_label("read:status").check()
    form.get_by_role("button", name="Make a key").click()
    secret = page.get_by_role("alert").locator("code").inner_text()
    headers = {"Authorization": f"Bearer {secret}"}
    assert page.request.get("/v1/status", headers=headers).status == 200
    assert page.request.get("/v1/models", headers=headers).status == 403
    page.goto("/settings")
    expect(page.get_by_text(secret)).to_have_count(0)
    page.get_by_role("button", name="Revoke till").click()
    page.get_by_role("dialog").get_by_role("button", name="Yes, revoke till").click()
    expect(page.get_by_text("The key was revoked.")).to_be_visible()
    assert page.request.get("/v1/status", headers=headers).status == 401


def test_a_form_from_elsewhere_is_refused(open_page) -> None:
    page = open_page("/settings")
    answer = page.request.post("/settings/users", form={"name": "eve", "password": PASSWORD})
    assert answer.status in (400, 403)


@both
def test_an_address_that_leads_nowhere(language, open_page) -> None:
    page = open_page("/customers/nobody-of-this-name", language, may_fail="404")
    title = {"en": "There is no such customer", "zh": "没有这位客户"}[language]
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_text(re.compile("request id|请求编号"))).to_be_visible()
    page.goto("/no/such/page")
    title = {"en": "There is nothing at this address", "zh": "这个地址没有内容"}[language]
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_a_failed_request_leaves_the_list_and_says_so(open_page) -> None:
    page = open_page("/customers", may_fail="500")
    page.route("**/customers?*", lambda route: route.fulfill(status=500, body="broken"))
    page.get_by_label("Stage", exact=True).select_option("lost")
    expect(page.get_by_role("alert").get_by_text("That did not work")).to_be_visible()
    expect(page.get_by_role("rowheader").first).to_be_visible()
    page.get_by_role("alert").get_by_role("button", name="Close").click()
    expect(page.get_by_text("That did not work")).to_have_count(0)
