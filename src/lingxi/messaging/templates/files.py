"""Templates as files: ``templates/NAME/template.yaml`` and a body for each language beside it."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from lingxi.errors import FileUnreadable, InvalidInput
from lingxi.forms import convert, parse_form, plain, render_form
from lingxi.messaging.nouns import MARKETING
from lingxi.messaging.templates.liquid_engine import HTML, MJML, TEXT
from lingxi.messaging.templates.template import (
    Template,
    Variant,
    body_kind,
    check_template,
)

FOLDER = "templates"
_HEAD = "template.yaml"


class _Language(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    subject: str = ""
    preview: str = ""
    title: str = ""
    url: str = ""
    data: dict[str, str] = {}


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"class_": "class"}):
    channel: str
    title: str = ""
    category: str = ""
    class_: str = MARKETING
    required: tuple[str, ...] = ()
    fallback: str = "en"
    languages: dict[str, _Language] = {}


def read_files(folder: Path) -> dict[str, Template]:
    """Every template below ``folder/templates``, by name; none where there is no such folder.

    Raises
    ------
    InvalidInput
        Naming the file and what is wrong in it.
    """
    found = {}
    for path in sorted((folder / FOLDER).glob(f"*/{_HEAD}")):
        found[path.parent.name] = read_template(path.parent)
    return found


def read_template(folder: Path) -> Template:
    """The template of one folder, whose name it has.

    Raises
    ------
    InvalidInput
        Naming the file and what is wrong in it.
    FileUnreadable
        If a file cannot be read.
    """
    path = folder / _HEAD
    head = convert(f"{path}: ", parse_form(_read(path), str(path)), _Head)
    variants = {}
    for language in sorted({*head.languages, *_list_languages(folder)}):
        said = head.languages.get(language, _Language())
        kind, body = _read_body(folder, language, head.channel)
        variants[language] = Variant(
            kind=kind,
            body=body,
            text=_read_text(folder, language, kind),
            **msgspec.structs.asdict(said),
        )
    return check_template(
        Template(
            name=folder.name,
            channel=head.channel,
            variants=variants,
            title=head.title,
            category=head.category,
            message_class=head.class_,
            required=head.required,
            fallback=head.fallback,
        )
    )


def write_files(folder: Path, templates: Mapping[str, Template]) -> list[Path]:
    """Write every template below ``folder/templates``; the files written."""
    written: list[Path] = []
    for template in templates.values():
        for name, text in to_files(template).items():
            path = folder / FOLDER / template.name / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written


def to_files(template: Template) -> dict[str, str]:
    """The files of a template by name."""
    languages = {
        language: _Language(
            subject=v.subject, preview=v.preview, title=v.title, url=v.url, data=v.data
        )
        for language, v in template.variants.items()
    }
    head = _Head(
        channel=template.channel,
        title=template.title,
        category=template.category,
        class_=template.message_class,
        required=template.required,
        fallback=template.fallback,
        languages=languages,
    )
    files = {_HEAD: render_form(plain(head))}
    for language, variant in template.variants.items():
        if variant.body:
            files[_name_body(template.channel, language, variant.kind)] = variant.body
        if variant.text:
            files[f"{language}.txt"] = variant.text
    return files


def _name_body(channel: str, language: str, kind: str) -> str:
    if kind == body_kind(channel):
        return f"{language}.liquid"
    return f"{language}.{kind if kind != TEXT else 'txt'}"


def _list_languages(folder: Path) -> set[str]:
    return {
        path.stem
        for path in folder.iterdir()
        if path.suffix in (".mjml", ".liquid", ".txt", ".html") and "." not in path.stem
    }


def _read_body(folder: Path, language: str, channel: str) -> tuple[str, str]:
    """The kind and text of a language's body."""
    kinds = {".mjml": MJML, ".liquid": body_kind(channel), ".html": HTML}
    found = [suffix for suffix in kinds if (folder / f"{language}{suffix}").is_file()]
    if len(found) > 1:
        raise InvalidInput(
            f"{folder}: the language {language} has more than one body "
            f"({', '.join(language + suffix for suffix in found)}); keep one."
        )
    if found:
        return kinds[found[0]], _read(folder / f"{language}{found[0]}")
    plain_body = folder / f"{language}.txt"
    return TEXT, _read(plain_body) if plain_body.is_file() else ""


def _read_text(folder: Path, language: str, kind: str) -> str:
    path = folder / f"{language}.txt"
    return _read(path) if kind != TEXT and path.is_file() else ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnreadable(f"{path} cannot be read: {error}.") from error
