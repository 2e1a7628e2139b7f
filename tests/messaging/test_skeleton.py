"""A letter whose shape was converted before is the letter that is converted whole."""

from collections.abc import Mapping
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lingxi.messaging.nouns import Content
from lingxi.messaging.templates import render as rendering
from lingxi.messaging.templates import skeleton
from lingxi.messaging.templates.liquid_engine import RenderFailed
from lingxi.messaging.templates.render import render_template
from lingxi.messaging.templates.template import Template, Variant

FRAGMENTS = (
    "<mj-text>Hello {{ a }}, {{ b }} and {{ a }}.</mj-text>",
    "<mj-text>{{ b }}{{ c }} <b>{{ a | upcase }}</b> <i>!{{ c }}</i></mj-text>",
    '<mj-button href="https://s.example/{{ u }}?q={{ w }}">Go to {{ a }}</mj-button>',
    '<mj-button href="{{ u }}">{{ u }}</mj-button><mj-button href="{{ w }}">{{ a }}</mj-button>',
    '<mj-image src="https://s.example/{{ u }}.png" alt="{{ w }}" title=\'{{ u }}\' />',
    '<mj-text><a href="mailto:{{ u }}">{{ u }}</a> or <a href="#{{ w }}">{{ w }}</a></mj-text>',
    "{% if a %}<mj-text>There is {{ a }}</mj-text>{% else %}<mj-divider />{% endif %}",
    "{% for x in list %}<mj-text>{{ forloop.index }}: {{ x }}</mj-text>{% endfor %}",
    "<mj-table><tr><td>{{ a }}</td><td>{{ b }}</td></tr></mj-table>",
    '<mj-spacer height="{{ size }}px" />',
    '<mj-image width="{{ size }}px" src="https://s.example/a" />',
    "<mj-text>lxvalue0z {{ a }}</mj-text>",
    '<mj-text color="{{ w }}" font-size="{{ size }}px">{{ c }}</mj-text>',
    "{% capture all %}{{ a }} {{ b }}{% endcapture %}<mj-text>{{ all | upcase }}</mj-text>",
    "<!-- {{ size }} --><mj-raw><p>{{ a }}</p></mj-raw>",
    "<mj-text>&#38;{{ a }} &amp;{{ b }} {{ c }} , {{ a }} .</mj-text>",
)
PASSED_ON = st.text(st.sampled_from("abZ09 &'\"<>-_./:?=#;,!é中文🎁"), max_size=9)
"""What stands in attributes: MJML's converter writes other signs in the manner of its language."""
WORDS = PASSED_ON | st.sampled_from(
    ("https://s.example/", "mailto:a@s.example", "#top", "lxvalue0z", "a  b", "a , b", " a ", ". a")
) | st.text(max_size=9)  # fmt: skip


def render(body: str, values: Mapping[str, object]) -> Content | str:
    mail = Template(
        name="t", channel="email",
        variants={"en": Variant(kind="mjml", subject="S", preview="For {{ a }}", body=body)},
    )  # fmt: skip
    try:
        return render_template(mail, "en", values, seconds=60).content
    except RenderFailed as failed:
        return str(failed)


def render_whole(body: str, values: Mapping[str, object]) -> Content | str:
    with patch.object(rendering, "open_slots", lambda _source: None):
        return render(body, values)


@settings(max_examples=150)
@given(
    st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=4),
    st.fixed_dictionaries({
        **dict.fromkeys("abc", WORDS), **dict.fromkeys("uw", PASSED_ON),
        "list": st.lists(WORDS, max_size=3), "size": st.integers(1, 99),
    }),
)  # fmt: skip
@example(
    [FRAGMENTS[3]],
    {**dict.fromkeys("abc", "at https://s now"), "u": "s", "w": "https://s", "list": [], "size": 1},
)
def test_a_letter_is_the_same_however_it_was_converted(
    fragments: list[str], values: Mapping[str, object]
) -> None:
    inner = f"<mj-section><mj-column>{''.join(fragments)}</mj-column></mj-section>"
    body = f"<mjml><mj-body>{inner}</mj-body></mjml>"
    whole = render_whole(body, values)
    assert render(body, values) == whole
    assert render(body, values) == whole  # from what was remembered


def test_letters_of_one_shape_are_converted_once() -> None:
    body = (
        "<mjml><mj-body><mj-section><mj-column>{% for x in list %}<mj-text>{{ x }}</mj-text>"
        "{% endfor %}</mj-column></mj-section></mj-body></mjml>"
    )
    skeleton._make.cache_clear()
    for name in ("Ada", "Lin", "Grace", "Mei"):
        letter = render(body, {"a": name, "list": [name, f"{name}'s lamp"]})
        assert isinstance(letter, Content)
        assert letter.text.split("\n\n") == [name, f"{name}'s lamp"]
        assert f">{name}</div>" in letter.html
    assert skeleton._make.cache_info().misses == 1
    render(body, {"a": "Ada", "list": ["Ada"]})
    assert skeleton._make.cache_info().misses == 2


@pytest.mark.parametrize("name", ["☕\ufe0f Tee", "शंकु", "café\u0301", "C:\\lamp"])
def test_a_name_comes_through_an_attribute_as_it_is(name: str) -> None:
    """MJML's converter writes combining signs and backslashes in attributes as escapes."""
    body = (
        '<mjml><mj-body><mj-section><mj-column><mj-image src="https://s.example/a.png" '
        'alt="{{ a }}" /></mj-column></mj-section></mj-body></mjml>'
    )
    letter = render(body, {"a": name})
    assert isinstance(letter, Content)
    assert f'alt="{name}"' in letter.html
    assert name in letter.text


def test_what_is_printed_is_bounded_though_it_is_left_out() -> None:
    body = (
        "<mjml><mj-body><mj-section><mj-column>{% for n in (1..400) %}<mj-text>{{ a }}</mj-text>"
        "{% endfor %}</mj-column></mj-section></mj-body></mjml>"
    )
    assert "too large" in str(render(body, {"a": "x" * 100_000}))
