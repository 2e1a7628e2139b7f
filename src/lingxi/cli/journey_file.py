"""A journey named as a file on the command line."""

from pathlib import Path
from typing import TYPE_CHECKING

from lingxi.cli.frame import read_file

if TYPE_CHECKING:
    from lingxi.journeys.graph import Journey


def read_journey_file(file: Path) -> "Journey":
    """The journey of a YAML or JSON file.

    Raises
    ------
    FileUnreadable, InvalidInput
        If it cannot be read or used.
    """
    from lingxi.journeys import parse_journey

    return parse_journey(read_file(file), str(file))
