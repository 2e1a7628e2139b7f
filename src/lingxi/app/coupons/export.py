"""Files that hold codes: readable by their owner alone."""

import os
from pathlib import Path

import msgspec

from lingxi.errors import InvalidInput


def write_secret(path: Path, value: object) -> None:
    """Write a value as JSON for its owner alone; an existing file is not touched.

    Raises
    ------
    InvalidInput
        If there is such a file, or it cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InvalidInput(f"{path} exists already; name a new file.") from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}.") from error
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
