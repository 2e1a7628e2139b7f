"""Doors of rooms: what a room offers is imported when it is first asked for.

A command needs a few rooms, and of those a little; importing every room's models, readers and
analytics would take most of the time of a short command. A room whose ``__init__`` would do so
writes its imports where only a type checker reads them, and opens a door to them:

    if TYPE_CHECKING:
        from lingxi.catalogue.items import get_items
    else:
        __getattr__ = open_door(__name__, __file__)

What is offered must not bear the name of a module of the room, which would take its place.
"""

import ast
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path


def open_door(room: str, file: str) -> Callable[[str], object]:
    """A module's ``__getattr__`` (PEP 562) over all imports that stand in its file.

    Examples
    --------
    >>> import lingxi.i18n
    >>> open_door("lingxi.i18n", lingxi.i18n.__file__)("Sentence").__name__
    'Sentence'
    """

    @cache
    def find_places() -> dict[str, str]:
        tree = ast.parse(Path(file).read_text(encoding="utf-8"))
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        return {name.name: node.module or "" for node in imports for name in node.names}

    @cache
    def find(name: str) -> object:
        place = "" if name.startswith("__") else find_places().get(name, "")
        if not place.startswith(room):
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        found: object = getattr(import_module(place), name)
        return found

    return find
