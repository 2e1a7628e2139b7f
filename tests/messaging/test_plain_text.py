"""Plain text of HTML, held to what the standard library's parser sees."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from lingxi.messaging.templates.plain_text import to_plain_text

VOID = {"br", "img", "hr"}
HIDDEN = {"head", "style", "script", "title", "noscript", "template"}


class Oracle(HTMLParser):
    """The words of a text that somebody sees, in order, with no regard to lines."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.open: list[tuple[str, bool]] = []

    @property
    def hidden(self) -> bool:
        return any(hides for _, hides in self.open)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self.open.append((tag, tag in HIDDEN or "display:none" in said.get("style", "")))
        if not self.hidden and tag == "img":
            self.words += said.get("alt", "").split()

    @override
    def handle_endtag(self, tag: str) -> None:
        names = [name for name, _ in self.open]
        if tag in names:
            del self.open[len(names) - 1 - names[::-1].index(tag) :]

    @override
    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words += data.split()


def read_words(html: str) -> list[str]:
    oracle = Oracle()
    oracle.feed(html)
    oracle.close()
    return oracle.words


WORDS = st.sampled_from(
    [
        "Hello",
        "two words",
        "a &amp; b",
        "&lt;b&gt;",
        "&#38;",
        "&euro;5",
        "3 < 4",
        "x",
        "  ",
        "\n",
        "陶瓷",
    ]
)
ATTRIBUTES = st.sampled_from(
    ["", ' class="a > b"', " data-x='it\"s'", ' style="color:red"', ' style="display:none"',
     " hidden", " title=plain", '\n id="x"\n width=3']
)  # fmt: skip
SKIPPED = st.sampled_from(
    ["<!-- no -- words -->", "<!--[if mso | IE]><table><tr><td>no<![endif]-->", "<!---->",
     "<!--[if !mso]><!-->", "<!--<![endif]-->", "<!doctype html>", "<style>p > b {c: d}</style>",
     "<STYLE media='print'>@media x { b }</STYLE>", "<script>if (a < b) { '</p>' }</script>",
     "<head><meta charset=utf-8><title>no</title></head>", "</section>", "<?xml no?>"]
)  # fmt: skip
IMAGES = st.sampled_from(
    ['<img alt="A &quot;Logo&quot;" src=x>', "<img/>", "<IMG alt=Cup />", "<br/>"]
)


@st.composite
def elements(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    tag = draw(st.sampled_from(["p", "div", "span", "DIV", "td", "li", "h1", "em", "noscript"]))
    body = "".join(draw(st.lists(inner, max_size=4)))
    end = draw(st.sampled_from([f"</{tag}>", f"</{tag.lower()} >", ""]))
    return f"<{tag}{draw(ATTRIBUTES)}>{body}{end}"


PAGES = st.lists(st.recursive(WORDS | SKIPPED | IMAGES, elements, max_leaves=12), max_size=6)


@given(PAGES)
def test_the_words_are_those_that_a_parser_sees(parts: list[str]) -> None:
    html = "".join(parts)
    assert squeeze("".join(to_plain_text(html).split())) == squeeze("".join(read_words(html)))


def squeeze(text: str) -> str:
    """Without the marks that lists add."""
    return text.replace("-", "")


def test_plain_text_keeps_words_links_and_lists_and_hides_what_is_hidden() -> None:
    html = (
        "<html><head><title>no</title><style>p{}</style></head><body><h1>Big</h1>"
        "<div style='display: none'>hidden <p>too</p></div><p>One<br>two &amp; three</p>"
        "<ul><li>a</li><li><a href='https://s.example/x'>b</a></li></ul>"
        "<table><tr><td>1</td><td>2</td></tr></table>"
        "<a href='mailto:a@s.example'>a@s.example</a> <img alt='Logo' src=x></body></html>"
    )
    text = to_plain_text(html)
    assert text.splitlines() == [
        "Big", "", "One", "two & three", "", "- a", "- b (https://s.example/x)", "", "1 2", "",
        "a@s.example Logo",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<a href="https://s.example/?a=1&amp;b=2">x</a>', "x (https://s.example/?a=1&b=2)"),
        ("<a href=https://s.example/x/>x</a>", "x (https://s.example/x/)"),
        ('<A HREF="#top">up</A>', "up"),
        ("<p>never closed <b>bold", "never closed bold"),
        ("a < b and <c", "a < b and <c"),
        ("<p title='unclosed>words</p>", "<p title='unclosed>words"),
        ("<div/>after", "after"),
        ("<style>never closed <p>hidden", ""),
        ("<p>One</p><!-- never closed <p>two</p>", "One"),
        ("", ""),
    ],
)
def test_markup_that_is_not_as_it_should_be_leaves_the_words(html: str, text: str) -> None:
    assert to_plain_text(html) == text


@pytest.mark.parametrize("piece", ["<a ", '<a "', "<!--", "<style>", "</", "<p>&", "<p>"])
@pytest.mark.timeout(20)
def test_no_text_takes_for_ever(piece: str) -> None:
    """The largest template that is taken, made of beginnings alone, ends."""
    assert isinstance(to_plain_text(piece * (20_000 // len(piece))), str)
