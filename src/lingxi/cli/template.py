"""``lingxi template``: drafts, versions and previews of what is sent."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import (
    guarded,
    json_option,
    open_shop,
    print_json,
    print_table,
    shop_option,
)

if TYPE_CHECKING:
    from lingxi.app.messages.views import TemplateDetail

ACTOR = "cli"
Context = dict[str, str | int | float | bool | None]


@click.group("template")
def command() -> None:
    """Templates: drafts that change, versions that stay; see docs/templates.md."""


@command.command("list")
@shop_option
@json_option
@guarded
def list_all(folder: Path | None, as_json: bool) -> None:
    """All templates."""
    with open_shop(folder) as shop:
        view = shop.templates.list_all()
    if as_json:
        print_json(view)
        return
    rows = [
        [
            each.name,
            each.channel,
            each.message_class,
            each.category,
            " ".join(each.languages),
            str(each.published or "-"),
            "draft differs" if each.published and each.differs else "",
        ]
        for each in view.templates
    ]
    print_table(
        ["template", "channel", "class", "category", "languages", "version", ""],
        rows,
        frozenset({5}),
    )


@command.command("show")
@click.argument("name")
@shop_option
@json_option
@guarded
def show(name: str, folder: Path | None, as_json: bool) -> None:
    """The draft of the template NAME as files, what is doubtful about it, and its versions."""
    from lingxi.messaging.templates.files import to_files
    from lingxi.messaging.templates.template import Template

    with open_shop(folder) as shop:
        view = shop.templates.describe(name)
    if as_json:
        print_json(view)
        return
    import msgspec

    for file, text in to_files(msgspec.convert(view.definition, Template)).items():
        click.echo(f"--- {file}")
        click.echo(text.rstrip())
    _print_rest(view)


@command.command("put")
@click.argument("source", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--publish", is_flag=True, help="Publish it at once.")
@click.option("--note", default="", help="Why, for the list of versions.")
@shop_option
@json_option
@guarded
def put(source: Path, publish: bool, note: str, folder: Path | None, as_json: bool) -> None:
    """Make the draft what the folder DIR holds; the folder's name is the template's."""
    from lingxi.messaging.templates.files import read_template

    template = read_template(source.resolve())
    with open_shop(folder) as shop:
        view = shop.templates.put(template, actor=ACTOR)
        if publish:
            view = shop.templates.publish(template.name, actor=ACTOR, note=note)
    if as_json:
        print_json(view)
        return
    if publish:
        click.echo(f"{template.name} is published as version {view.template.published}.")
    else:
        click.echo(f"{template.name} is a draft now; send it with 'lingxi template publish'.")
    _print_rest(view)


@command.command("publish")
@click.argument("name")
@click.option("--note", default="", help="Why, for the list of versions.")
@shop_option
@json_option
@guarded
def publish(name: str, note: str, folder: Path | None, as_json: bool) -> None:
    """Make the draft of the template NAME what is sent."""
    with open_shop(folder) as shop:
        view = shop.templates.publish(name, actor=ACTOR, note=note)
    if as_json:
        print_json(view)
        return
    click.echo(f"{name} is published as version {view.template.published}.")


@command.command("restore")
@click.argument("name")
@click.argument("version", type=int)
@shop_option
@json_option
@guarded
def restore(name: str, version: int, folder: Path | None, as_json: bool) -> None:
    """Make the draft of the template NAME what it was in VERSION."""
    with open_shop(folder) as shop:
        view = shop.templates.restore(name, version, actor=ACTOR)
    if as_json:
        print_json(view)
        return
    click.echo(f"The draft of {name} is as in version {version}; publish it to send it.")


@command.command("remove")
@click.argument("name")
@shop_option
@json_option
@guarded
def remove(name: str, folder: Path | None, as_json: bool) -> None:
    """Take away the template NAME, if it was never published."""
    with open_shop(folder) as shop:
        shop.templates.remove(name, actor=ACTOR)
    if as_json:
        print_json({"name": name})
        return
    click.echo(f"{name} is gone.")


@command.command("check")
@click.argument("source", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@shop_option
@json_option
@guarded
def check(source: Path, folder: Path | None, as_json: bool) -> None:
    """Read the template in the folder DIR and say what is wrong or doubtful; nothing is kept."""
    from lingxi.i18n import Translator
    from lingxi.messaging.templates.files import read_template
    from lingxi.messaging.templates.lint import lint_template

    template = read_template(source.resolve())
    with open_shop(folder) as shop:
        findings = lint_template(template, shop.postroom.composer.names, shop.postroom.channels)
    if as_json:
        print_json({"name": template.name, "findings": findings})
        return
    click.echo(f"{template.name} can be used.")
    for finding in findings:
        click.echo(f"  {Translator('en').text(finding)}")


@command.command("preview")
@click.argument("name")
@click.option("--customer", default="", help="For this customer; a stranger if not given.")
@click.option("--language", default="", help="In this language: en or zh.")
@click.option("--context", multiple=True, metavar="KEY=VALUE", help="What a journey would know.")
@click.option("--html", "as_html", is_flag=True, help="Print the HTML instead of the plain text.")
@shop_option
@json_option
@guarded
def preview(
    name: str,
    customer: str,
    language: str,
    context: tuple[str, ...],
    as_html: bool,
    folder: Path | None,
    as_json: bool,
) -> None:
    """The draft of the template NAME as a customer would get it; nothing is sent."""
    with open_shop(folder) as shop:
        view = shop.templates.preview(
            name, customer_id=customer, language=language, context=read_context(context)
        )
    if as_json:
        print_json(view)
        return
    if view.problem:
        click.echo(f"It cannot be rendered: {view.problem}", err=True)
        return
    for label, text in (("Subject", view.subject), ("Title", view.title), ("Link", view.url)):
        if text:
            click.echo(f"{label}: {text}")
    click.echo(view.html if as_html else view.text)
    if view.missing:
        click.echo(f"It would be held back; missing: {', '.join(view.missing)}", err=True)
    for link in view.links:
        if link.fault:
            click.echo(f"Link {link.fault}: {link.url}", err=True)


@command.command("export")
@click.argument("target", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@shop_option
@json_option
@guarded
def export(target: Path, folder: Path | None, as_json: bool) -> None:
    """Write the drafts of all templates as files below DIR/templates."""
    from lingxi.messaging.templates.book import list_templates
    from lingxi.messaging.templates.files import write_files

    with open_shop(folder) as shop, shop.store.read() as tx:
        drafts = {each.draft.name: each.draft for each in list_templates(tx)}
    written = write_files(target, drafts)
    if as_json:
        print_json({"files": [str(path) for path in written]})
        return
    click.echo(f"{len(drafts)} templates in {len(written)} files below {target / 'templates'}.")


def read_context(pairs: tuple[str, ...]) -> Context:
    """KEY=VALUE texts; a whole number is one.

    Raises
    ------
    InvalidInput
        If one of them has no equals sign.
    """
    from lingxi.errors import InvalidInput

    found: Context = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise InvalidInput(f"--context takes KEY=VALUE, not {pair[:80]!r}.")
        found[key] = int(value) if value.isascii() and value.isdigit() else value
    return found


def _print_rest(view: "TemplateDetail") -> None:
    from lingxi.i18n import Translator

    for finding in view.findings:
        click.echo(f"note: {Translator('en').text(finding)}")
    for each in view.versions:
        when = f"{each.published_at:%Y-%m-%d %H:%M}"
        click.echo(f"version {each.version}  {when}  {each.published_by}  {each.note}".rstrip())
