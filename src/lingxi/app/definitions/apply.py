"""A folder of definitions into a shop, and a shop's into a folder."""

from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lingxi.app.definitions.kind import Files
from lingxi.app.definitions.kinds import KINDS
from lingxi.app.definitions.plan import Change, Deed, Held, Plan, make_plan
from lingxi.errors import Conflict, FileUnreadable, InvalidInput, UserError

if TYPE_CHECKING:
    from lingxi.app.shop import Shop


def plan_folder(shop: "Shop", folder: Path, *, delete: bool = False) -> Plan:
    """What applying the folder would change; nothing is changed.

    Raises
    ------
    FileUnreadable, InvalidInput
        If the folder or a file in it cannot be used.
    """
    wanted = read_folder(folder)
    with shop.store.read() as tx:
        return make_plan(_list_held(shop, tx), wanted, delete=delete)


def apply_folder(
    shop: "Shop", folder: Path, *, actor: str, delete: bool = False, expected: Plan | None = None
) -> Plan:
    """Make the shop as the folder has it, all or nothing; what was done.

    Parameters
    ----------
    expected
        The plan that was shown: refused where the shop or the files changed since.

    Raises
    ------
    Conflict
        If the plan is another one by now.
    InvalidInput
        If a definition cannot be used in this shop: a journey with an error of ``lint``, a rule
        that names what there is not.
    """
    wanted = read_folder(folder)
    by_kind = {kind.folder: kind for kind in KINDS}
    with shop.store.write(eager=True) as tx:
        plan = make_plan(_list_held(shop, tx), wanted, delete=delete)
        if expected is not None and plan != expected:
            raise Conflict("The shop or the files changed meanwhile; look at the new plan first.")

        def do(change: Change) -> None:
            kind = by_kind[change.kind]
            if change.deed is Deed.DELETE:
                kind.remove(shop, tx, change.name, actor)
            else:
                kind.put(shop, tx, change.name, wanted[change.kind][change.name], actor)

        for _, changes in groupby(plan.changes, lambda change: (change.kind, change.deed)):
            _do_all(do, list(changes))
    return plan


def _do_all(do: Callable[[Change], None], changes: list[Change]) -> None:
    """Make changes of one kind, those that need others of them first after these.

    Raises
    ------
    UserError
        The first, once none of those that are left can be made.
    """
    while changes:
        waiting: list[Change] = []
        first: UserError | None = None
        for change in changes:
            try:
                do(change)
            except UserError as error:
                first = first or error
                waiting.append(change)
        if first is not None and len(waiting) == len(changes):
            raise first
        changes = waiting


def export_folder(shop: "Shop", folder: Path) -> tuple[str, ...]:
    """Write every definition of the shop below a folder; the files, by path, in order.

    A file of a kind of definition that the shop does not have (any more) is taken away, so that
    the folder is the shop's state; other files are left alone.

    Raises
    ------
    InvalidInput
        If the folder cannot be written.
    """
    with shop.store.read() as tx:
        held = _list_held(shop, tx)
    files = {
        path: text
        for definitions in held.values()
        for each in definitions.values()
        for path, text in each.items()
    }
    try:
        for path in _list_stale(folder, files):
            path.unlink()
            if path.parent.parent.name == "templates" and not any(path.parent.iterdir()):
                path.parent.rmdir()
        for name, text in files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"Cannot write to {folder}: {error.strerror}.") from error
    return tuple(sorted(files))


def read_folder(folder: Path) -> Held:
    """The definitions below a folder, by kind and name.

    Raises
    ------
    FileUnreadable, InvalidInput
        If the folder or a file in it cannot be used.
    """
    if not folder.is_dir():
        raise FileUnreadable(f"{folder} is no folder.")
    found = {kind.folder: kind.read(folder) for kind in KINDS}
    if not any(found.values()):
        kinds = ", ".join(kind.folder for kind in KINDS)
        raise InvalidInput(f"There is no definition in {folder}; it may hold {kinds}.")
    return found


def _list_held(shop: "Shop", tx: sa.Connection) -> dict[str, dict[str, Files]]:
    return {kind.folder: dict(kind.list_held(shop, tx)) for kind in KINDS}


def _list_stale(folder: Path, files: dict[str, str]) -> list[Path]:
    """Files that an earlier export wrote, of definitions that are no more."""
    patterns = ("segments/*.yaml", "offers/*.yaml", "journeys/*.yaml", "drafts/*.yaml")
    own = [path for pattern in patterns for path in folder.glob(pattern)]
    own += [path for path in folder.glob("templates/*/*") if path.is_file()]
    return [path for path in own if path.relative_to(folder).as_posix() not in files]
