"""Templates: what they make and refuse, what holds them within bounds, files and versions."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingxi.errors import Conflict, InvalidInput, UnknownTemplate
from lingxi.i18n import Translator
from lingxi.messaging.templates import book
from lingxi.messaging.templates.files import read_files, write_files
from lingxi.messaging.templates.links import check_link, list_links
from lingxi.messaging.templates.liquid_engine import RenderFailed, list_blocks, render_source
from lingxi.messaging.templates.render import find_unresolved, list_names, render_template
from lingxi.messaging.templates.template import Template, Variant, check_template
from lingxi.store import Store
from messaging.conftest import NOON

ITEM = {
    "id": "L1",
    "name": "Lamp & <shade>",
    "url": "https://shop.example/l?a=1&b=2",
    "image_url": "https://shop.example/l.png",
    "price": "£3.00",
    "price_cents": 300,
}
VALUES = {
    "customer": {"first_name": "<b>Ada</b>"},
    "shop": {"name": "Lamps & Co"},
    "recommendations": [ITEM],
    "cart": {"items": [ITEM]},
    "coupon": {"code": "X-1"},
    "links": {"unsubscribe": "https://shop.example/u"},
}
MJML = """<mjml><mj-body>
<mj-section><mj-column><mj-text>Hello {{ customer.first_name | default: "you" }}</mj-text>
</mj-column></mj-section>
{% render "recommendations", title: "For you" %}{% render "cart" %}{% render "coupon" %}
</mj-body></mjml>"""


def make_template(**changes: object) -> Template:
    values: dict[str, object] = {
        "name": "hello",
        "channel": "email",
        "variants": {
            "en": Variant(kind="mjml", subject="Hi {{ customer.first_name }}", body=MJML),
            "zh": Variant(kind="html", subject="你好", body="<p>{{ shop.name }}</p>"),
        },
        **changes,
    }
    return Template(**values)  # type: ignore[arg-type]


def render(source: str, kind: str = "html", seconds: float = 5.0, **values: object) -> str:
    return render_source(kind, source, values, words=Translator("en"), seconds=seconds)[0]


def test_an_email_has_subject_html_and_plain_text_and_nothing_unescaped() -> None:
    made = render_template(make_template(), "en", VALUES)
    content = made.content
    assert made.missing == ()
    assert content.subject == "Hi <b>Ada</b>"  # a subject is plain text
    assert "&lt;b&gt;Ada&lt;/b&gt;" in content.html
    assert "<b>Ada" not in content.html
    assert 'href="https://shop.example/l?a=1&amp;b=2"' in content.html
    assert "Lamp &amp; &lt;shade&gt;" in content.html
    assert "Hello <b>Ada</b>" in content.text
    assert "Lamp & <shade> (https://shop.example/l?a=1&b=2)" in content.text
    assert "X-1" in content.text


def test_each_reader_gets_their_language_and_others_the_fallback() -> None:
    assert render_template(make_template(), "zh", VALUES).content.html == "<p>Lamps &amp; Co</p>"
    english_only = make_template(
        variants={"en": Variant(body="{{ 1234500 | money }}", subject="s")}
    )
    made = render_template(english_only, "zh", VALUES, currency="GBP")
    assert (made.language, made.content.text) == ("en", "£12,345.00")


def test_blocks_print_nothing_where_there_is_nothing() -> None:
    assert set(list_blocks()) >= {
        "cart",
        "coupon",
        "price_drop",
        "recently_viewed",
        "recommendations",
    }
    for kind in ("html", "text", "mjml"):
        for name in list_blocks():
            text, missing = render_source(
                kind, f'{{% render "{name}", title: "T" %}}', {}, words=Translator(), seconds=5
            )
            assert missing == ()
            assert text.split() in ([], ["<ul>", "</ul>"])


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("{{ a }}", ("a",)),
        ("{{ a.b.c | upcase }} {{ a.b.c | upcase }}", ("a.b.c",)),
        ("{{ a | money }}", ("a",)),
        ("{{ a | default: 'x' }}", ()),
        ("{% if a %}{{ a }}{% endif %}", ()),
        ("{% for x in a %}{{ x }}{% endfor %}", ()),
        ("{{ none }}", ("none",)),
    ],
)
def test_a_hole_is_told_unless_it_has_a_default(source: str, missing: tuple[str, ...]) -> None:
    found = render_source("text", source, {"none": None}, words=Translator(), seconds=5)[1]
    assert found == missing


def test_required_values_are_paths_to_something() -> None:
    values = {"cart": {"items": []}, "coupon": {"code": "X"}, "n": 0, "t": ""}
    paths = ["cart.items", "coupon.code", "coupon.code.x", "n", "t", "gone"]
    assert find_unresolved(paths, values) == ["cart.items", "coupon.code.x", "t", "gone"]
    made = render_template(make_template(required=("cart.items",)), "zh", {"shop": {"name": "x"}})
    assert made.missing == ("cart.items",)


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("{% for i in (1..100000) %}{% for j in (1..100000) %}x{% endfor %}{% endfor %}", "limit"),
        ("{% for i in (1..9999) %}{{ s }}{% endfor %}", "limit"),
        ("{% assign a = s %}" + "{% assign a = a | append: a %}" * 40, "characters"),
        ("{{ s | replace: 'x', s | replace: 'x', s | replace: 'x', s }}", "characters"),
        ("{{ s | split: '' | join: s | split: '' | join: s }}", "characters|entries"),
        ("{{ 1 | divided_by: 0 }}", "divide"),
        ("{{ 'a' | money }}", "money"),
        ("{% assign a = '9' %}" + "{% assign a = a | times: a %}" * 30 + "{{ a }}", "number"),
    ],
)
def test_what_would_grow_without_end_is_stopped(source: str, word: str) -> None:
    with pytest.raises(RenderFailed, match=word):
        render(source, s="x" * 400)


def test_what_takes_too_long_is_stopped() -> None:
    """Its loops are within their limits, its nodes are not counted: only the clock stops it."""
    source = "{% for i in (1..9999) %}" + "{% if 1 == 1 %}{% endif %}" * 3000 + "{% endfor %}"
    with pytest.raises(RenderFailed, match="too long"):
        render(source, seconds=0.05)


def test_a_machine_that_is_busy_holds_no_message_back() -> None:
    """Waiting is not working: a message was not sent because others had the processor."""

    class Slow(dict[str, str]):
        def __getitem__(self, key: str) -> str:
            time.sleep(0.01)
            return super().__getitem__(key)

    assert render("{{ a.b }}" * 40, seconds=0.2, a=Slow(b="x")) == "x" * 40


def test_no_object_of_python_can_be_reached() -> None:
    for path in ("__class__", "__init__.__globals__", "_private", "keys", "mro"):
        assert render(f"{{{{ a.{path} | default: 'nothing' }}}}", a={"b": 1}) == "nothing"


@given(st.text(max_size=40), st.sampled_from(["html", "mjml"]))
def test_no_value_becomes_markup(value: str, kind: str) -> None:
    text = render('<p title="{{ v }}">{{ v }}</p>', kind, v=value)
    inner = text.removeprefix('<p title="').removesuffix("</p>")
    assert inner.count("<") == 0
    assert inner.count('"') == 1


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"name": "No Spaces"}, "cannot name"),
        ({"channel": "e mail"}, "channel"),
        ({"message_class": "urgent"}, "marketing or transactional"),
        ({"category": "two words"}, "category"),
        ({"fallback": "zh", "variants": {"en": Variant(subject="s", body="b")}}, "fallback"),
        ({"required": ("a b",)}, "required"),
        ({"variants": {"fr": Variant(subject="s", body="b")}, "fallback": "fr"}, "language"),
        ({"variants": {"en": Variant(subject="s", body="{{ a")}}, "body"),
        ({"variants": {"en": Variant(subject="{% if %}", body="b")}}, "subject"),
        ({"variants": {"en": Variant(subject="s", body="{% include 'x' %}")}}, "include"),
        ({"variants": {"en": Variant(subject="s", body="{{ a | safe }}")}}, "safe"),
        ({"variants": {"en": Variant(subject="s", body="{% render 'gone' %}")}}, "gone"),
        ({"variants": {"en": Variant(body="b")}}, "subject"),
        ({"variants": {"en": Variant(subject="s")}}, "says nothing"),
        ({"variants": {"en": Variant(subject="a\nb", body="b")}}, "one line"),
        ({"channel": "sms", "variants": {"en": Variant(kind="html", body="b")}}, "plain text"),
        ({"channel": "on_site", "variants": {"en": Variant(kind="mjml", body="b")}}, "MJML"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused(changes: dict[str, object], word: str) -> None:
    with pytest.raises(InvalidInput, match=word):
        check_template(make_template(**changes))


@pytest.mark.parametrize(
    ("body", "kind", "word"),
    [
        ("<mjml><mj-body><mj-text>a</mj-body></mjml>", "mjml", "MJML"),
        ('<a href="{{ shop.bad }}">x</a>', "html", "not safe"),
        ("<a href=' java\tscript:alert(1)'>x</a>", "html", "not safe"),
    ],
)
def test_what_cannot_be_shown_safely_is_held_back(body: str, kind: str, word: str) -> None:
    template = make_template(variants={"en": Variant(kind=kind, subject="s", body=body)})
    with pytest.raises(RenderFailed, match=word):
        render_template(template, "en", {"shop": {"bad": "javascript:alert(1)"}})


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("<mj-section>", "</mj-section>"),
        ('<b a="/>">', "</b>"),
        ("<mj-text><!-- </b> --><b>", "</b></mj-text>"),
        ("<b a=x/>", ""),
    ],
)
def test_what_lies_too_deep_never_reaches_the_parser(first: str, last: str) -> None:
    """It ended the whole process: mrml works by recursion, and its stack ran over."""
    body = f"{{% for i in (1..5000) %}}{first}{{% endfor %}}{last * 5000}"
    variant = Variant(kind="mjml", subject="s", body=f"<mjml><mj-body>{body}</mj-body></mjml>")
    with pytest.raises(RenderFailed, match="more than 200 deep"):
        render_template(make_template(variants={"en": variant}), "en", {})


def test_mjml_may_be_long_and_as_deep_as_letters_are() -> None:
    row = '<mj-text>a<br>b<img src="x"><a href="/a>">c</a></mj-text><mj-image src="y" />'
    column = f"<mj-section><mj-column>{row * 300}</mj-column></mj-section>"
    variant = Variant(kind="mjml", subject="s", body=f"<mjml><mj-body>{column}</mj-body></mjml>")
    made = render_template(make_template(variants={"en": variant}), "en", {})
    assert made.content.html.count("<br") == 300


def test_the_site_shows_no_script() -> None:
    variants = {"en": Variant(kind="html", body="<script>1</script>")}
    with pytest.raises(RenderFailed, match="script"):
        render_template(make_template(channel="on_site", variants=variants), "en", {})


def test_names_are_those_of_all_parts_and_blocks() -> None:
    names = list_names(make_template(required=("item.price",)), "en")
    assert {"customer", "recommendations", "cart", "coupon", "item"} <= names


def test_links_are_listed_with_their_faults() -> None:
    html = '<a href="https://a.example/">a</a><a href="">b</a><a href="/c">c</a><a href="#x">d</a>'
    assert [(link.url, link.fault) for link in list_links(html)] == [
        ("https://a.example/", ""),
        ("", "empty"),
        ("/c", "relative"),
        ("#x", ""),
    ]
    assert check_link("https://[bad").fault == "malformed"
    assert check_link("data:text/html,x").fault == "unsafe"


def test_files_read_back_as_they_were_written(tmp_path: Path) -> None:
    sms = make_template(
        name="text", channel="sms", category="news", message_class="transactional",
        required=("cart.items",), fallback="zh",
        variants={"zh": Variant(body="你好 {{ shop.name }}"), "en": Variant(body="Hi\n")},
    )  # fmt: skip
    site = make_template(
        name="site", channel="on_site",
        variants={"en": Variant(kind="html", title="T", body="<p>x</p>", data={"slot": "bar"})},
    )  # fmt: skip
    plain = make_template(
        name="plain",
        variants={
            "en": Variant(subject="s", body="words only"),
            "zh": Variant(kind="html", subject="s", body="<p>x</p>", text="x", preview="p"),
        },
    )
    kept = {each.name: each for each in (make_template(), sms, site, plain)}
    written = write_files(tmp_path, kept)
    names = {str(path.relative_to(tmp_path / "templates")) for path in written}
    assert names >= {"hello/template.yaml", "hello/en.mjml", "hello/zh.liquid", "text/zh.liquid"}
    assert {"plain/en.txt", "plain/zh.liquid", "plain/zh.txt"} <= names
    assert read_files(tmp_path) == kept
    assert read_files(tmp_path / "nowhere") == {}


def test_a_mistake_in_a_file_is_named_with_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "hello"
    folder.mkdir(parents=True)
    (folder / "template.yaml").write_text("channel: email\nlanguages: {en: {subjet: x}}\n")
    with pytest.raises(InvalidInput, match="subjet"):
        read_files(tmp_path)
    (folder / "template.yaml").write_text("channel: email\nlanguages: {en: {subject: x}}\n")
    (folder / "en.mjml").write_text("x")
    (folder / "en.liquid").write_text("x")
    with pytest.raises(InvalidInput, match="more than one body"):
        read_files(tmp_path)


def test_what_was_published_never_changes_and_drafts_do(store: Store) -> None:
    first, second = make_template(), make_template(title="New")
    with store.write() as tx:
        assert book.put_template(tx, first, NOON, actor="ada")
        assert not book.put_template(tx, first, NOON, actor="ada")
        assert book.find_published(tx, "hello") == 0
        assert book.publish_template(tx, "hello", NOON, actor="ada", note="first\n go") == 1
        assert book.publish_template(tx, "hello", NOON, actor="ada") == 1
        assert book.put_template(tx, second, NOON, actor="bob")
        kept = book.get_template(tx, "hello")
        assert (kept.published, kept.differs, kept.changed_by) == (1, True, "bob")
        assert book.read_version(tx, "hello", 1) == first
        assert book.publish_template(tx, "hello", NOON, actor="bob") == 2
        assert book.read_version(tx, "hello", 1) == first
        assert book.read_version(tx, "hello", 2) == second
        book.restore_version(tx, "hello", 1, NOON, actor="ada")
        assert book.get_template(tx, "hello").draft == first
        assert [v.version for v in book.list_versions(tx, "hello")] == [2, 1]
        assert book.list_versions(tx, "hello")[1].note == "first go"
        with pytest.raises(Conflict):
            book.remove_template(tx, "hello")
        with pytest.raises(UnknownTemplate, match="hello"):
            book.get_template(tx, "helo")
        with pytest.raises(UnknownTemplate, match="version 9"):
            book.read_version(tx, "hello", 9)
