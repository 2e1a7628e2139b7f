"""What every command shares: the shop it works on, how it prints, how it fails."""

import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, ParamSpec

import click
import msgspec

from lingxi.config import CONFIG_FILE
from lingxi.errors import InvalidInput, LingxiError, ShopNotFound, UserError

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

P = ParamSpec("P")

shop_option = click.option(
    "--shop",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Folder of the shop; the current folder if not given.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def guarded(function: Callable[P, None]) -> Callable[P, None]:
    """Turn errors into one sentence and an exit status: 2 the user's mistake, 1 ours."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.get("as_json"))
        try:
            function(*args, **kwargs)
        except click.exceptions.ClickException:
            raise
        except (click.exceptions.Abort, KeyboardInterrupt):
            fail(
                "interrupted", "Stopped. What was finished before stays.", as_json=as_json, status=1
            )
        except click.exceptions.Exit:
            raise
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(0)
        except UserError as error:
            fail(error.code, str(error), as_json=as_json, status=2)
        except LingxiError as error:
            fail(error.code, str(error), as_json=as_json, status=1)
        except Exception as error:
            if os.environ.get("LINGXI_DEBUG"):
                traceback.print_exc()
            fail(
                "internal_error",
                f"Lingxi failed: {type(error).__name__}: {error}. This is our fault, not yours; "
                "nothing that was finished before is lost. Set LINGXI_DEBUG=1 to see where.",
                as_json=as_json,
                status=1,
            )

    return run


def fail(code: str, message: str, *, as_json: bool, status: int) -> NoReturn:
    """Print the error, as JSON on standard output where JSON was asked for, and end."""
    if as_json:
        click.echo(json.dumps({"error": {"code": code, "message": message}}, ensure_ascii=False))
    else:
        click.echo(f"Error: {message}", err=True)
    sys.exit(status)


def find_folder(folder: Path | None) -> Path:
    """The folder of a shop: the one that was named, else the current one.

    Raises
    ------
    ShopNotFound
        If none was named, and the current folder holds no shop.
    """
    where = folder if folder is not None else Path.cwd()
    if folder is None and not (where / CONFIG_FILE).is_file():
        raise ShopNotFound(
            "There is no shop in the current folder. Go to a shop's folder, name one with "
            "--shop DIR, or make one with 'lingxi init DIR'."
        )
    return where


@contextmanager
def open_shop(folder: Path | None) -> Iterator["Shop"]:
    """The shop in ``folder``, or in the current folder."""
    where = find_folder(folder)
    from lingxi.app.shop import Shop

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    shop = Shop.open(where)
    try:
        yield shop
    finally:
        shop.close()


def read_file(path: Path) -> str:
    """The text of a file.

    Raises
    ------
    FileUnreadable
        If it is absent or no text.
    """
    from lingxi.errors import FileUnreadable

    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnreadable(f"{path} cannot be read: {error}.") from error


def claim_file(path: Path) -> None:
    """Make a file that its owner alone may read, before what it is for is done.

    Raises
    ------
    InvalidInput
        If it cannot be written.
    """
    try:
        path.touch(mode=0o600)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}.") from error


def print_json(value: object) -> None:
    """The value as indented JSON, moments as ISO 8601."""
    text = msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2)
    click.echo(text.decode())


def print_table(head: list[str], rows: list[list[str]], right: frozenset[int]) -> None:
    """Columns padded to their widest cell; the columns in ``right`` are numbers."""
    from rich.cells import cell_len

    table = [head, *rows]
    widths = [max(cell_len(row[i]) for row in table) for i in range(len(head))]
    for number, row in enumerate(table):
        cells = []
        for i, cell in enumerate(row):
            gap = " " * (widths[i] - cell_len(cell))
            cells.append(gap + cell if i in right else cell + gap)
        click.echo("  ".join(cells).rstrip())
        if number == 0:
            click.echo("  ".join("-" * width for width in widths))
