"""The catalogues of all rooms: the same sentences in both languages, none missing or left over."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from lingxi.i18n import LANGUAGES, Translator, load_catalogue
from lingxi.recommend.families import FAMILIES
from lingxi.server.pages.words import Words

SOURCE = Path(__file__).parents[2] / "src" / "lingxi"
LOCALES = Path(str(resources.files("lingxi.i18n"))) / "locales"
ROOMS = sorted(path.stem for path in (LOCALES / "en").glob("*.po"))
HAN = r"[\u4e00-\u9fff]"


def read_room(language: str, room: str) -> dict[str, Message]:
    with (LOCALES / language / f"{room}.po").open("rb") as file:
        return {
            message.id if isinstance(message.id, str) else message.id[0]: message
            for message in read_po(file)
            if message.id
        }


def forms(message: Message) -> list[str]:
    text = message.string
    return [text] if isinstance(text, str) else list(text)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("room", ROOMS)
def test_both_languages_have_the_same_sentences(room: str) -> None:
    assert set(read_room("en", room)) == set(read_room("zh", room))


def test_both_languages_have_the_same_rooms() -> None:
    assert sorted(path.stem for path in (LOCALES / "zh").glob("*.po")) == ROOMS


@pytest.mark.parametrize("room", ROOMS)
def test_every_form_has_the_placeholders_of_the_english_plural(room: str) -> None:
    english, chinese = read_room("en", room), read_room("zh", room)
    for code, message in english.items():
        wanted = placeholders(forms(message)[-1])
        for text in (*forms(message)[:-1], *forms(chinese[code])):
            left_out = wanted - placeholders(text)
            assert placeholders(text) <= wanted, (code, text)
            assert left_out <= {"n"}, (code, text, "lacks", left_out)


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_empty(language: str, room: str) -> None:
    assert [c for c, m in read_room(language, room).items() if not all(forms(m))] == []


@pytest.mark.parametrize("room", ROOMS)
def test_chinese_is_chinese(room: str) -> None:
    for code, message in read_room("zh", room).items():
        for text in forms(message):
            assert not re.search(rf"{HAN}[,;:!?]|[,;:!?]{HAN}", text), (code, text)
            assert not re.search(rf"{HAN}[A-Za-z]|[A-Za-z]{HAN}", text), (code, text)


def test_all_catalogues_load_without_a_code_standing_twice() -> None:
    assert set(load_catalogue("en")) == set(load_catalogue("zh"))


def used_codes() -> Iterator[tuple[str, str]]:
    """Every code that stands as a literal in a template or in Python, with its file."""
    for path in (SOURCE / "server" / "templates").glob("*.html"):
        text = path.read_text(encoding="utf-8")
        for code in re.findall(r"""\b_\(\s*['"]([a-z_.]+)['"]\s*[,)]""", text):
            yield code, path.name
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for code in re.findall(r"""\bSentence\(\s*"([a-z0-9_]+\.[a-z0-9_.]+)"\s*[,)]""", text):
            yield code, path.name
        if path.parent.name == "pages":
            for code in re.findall(r"""\.text\(\s*"([a-z0-9_.]+)"\s*[,)]""", text):
                yield code, path.name


def test_every_code_in_use_has_its_words() -> None:
    known = load_catalogue("en")
    used = list(used_codes())
    assert len(used) > 200
    assert [(code, where) for code, where in used if code not in known] == []


def test_every_sentence_of_the_pages_is_used() -> None:
    """A code is used as a literal, or its beginning is: ``_("rail." ~ place.code)``."""
    files = [
        *(SOURCE / "server" / "templates").glob("*.html"),
        *(SOURCE / "server" / "pages").glob("*.py"),
    ]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    literals = set(re.findall(r"""['"]([a-z_.]+)['"]""", text))
    openings = tuple(f"{kind}." for kind in re.findall(r"""(?:word|tip)\("([a-z_.]+)",""", text))
    openings += tuple(re.findall(r"""['"]([a-z_.]+\.)['"]""", text))
    openings += tuple(re.findall(r"""f"([a-z_.]+\.)\{""", text))
    unused = [
        code
        for code in read_room("en", "pages")
        if code not in literals and not code.startswith(openings)
    ]
    assert unused == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_model_and_what_measures_it_has_a_word(language: str) -> None:
    words = Words(Translator(language), datetime(2026, 1, 1, tzinfo=UTC))
    for name in FAMILIES:
        assert words.word("model", name) != name
    told = words.metric("ndcg@10_over_popularity")
    assert told.startswith(words.metric("ndcg@10"))
    assert "_" not in told + words.metric("ndcg@10_inner")
    assert words.metric("ndcg@10_else").endswith("(else)")


def test_what_rounds_to_zero_has_no_sign() -> None:
    reader = Translator("en")
    written = [reader.number(value, 3) for value in (-0.0004, -0.0006, 0.0, 0.0004)]
    assert written == ["0.000", "-0.001", "0.000", "0.000"]


def test_chinese_has_one_word_for_one_thing() -> None:
    """Customers, categories and the shop had two or three, by page."""
    others = ("顾客", "品类", "商城", "商店")
    for code, entry in load_catalogue("zh").items():
        assert not [word for word in others if word in entry.singular], code


def test_a_chinese_date_in_a_sentence_has_no_spaces_beside_chinese() -> None:
    said = Translator("zh").text("report.how", n=5, day="2026年3月2日")
    assert "日 " not in said
