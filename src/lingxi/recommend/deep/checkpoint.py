"""A training on disk, so that one that is stopped goes on where it was: arrays alone, no pickle."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lingxi.errors import FileUnreadable, InvalidInput
from lingxi.recommend.deep.settings import Settings

Arrays = dict[str, NDArray[Any]]
States = dict[str, torch.Tensor]

_save: Callable[..., None] = np.savez


class Checkpoint:
    """One file. ``settings`` and a fingerprint of the data say which training it belongs to."""

    def __init__(self, path: Path, settings: Settings, fingerprint: str) -> None:
        self.path = path
        facts = {**asdict(settings), "data": fingerprint}
        self.facts = json.dumps(facts, sort_keys=True)

    def write(self, states: dict[str, States], numbers: dict[str, Any]) -> None:
        """Replace the file in one step; ``numbers``: whatever JSON can hold."""
        arrays: Arrays = {"facts": np.array(self.facts), "numbers": np.array(json.dumps(numbers))}
        for group, state in states.items():
            for name, value in state.items():
                arrays[f"{group}/{name}"] = value.detach().cpu().numpy()
        draft = self.path.with_name(f".{self.path.name}.draft")
        with draft.open("wb") as file:
            _save(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)

    def read(self) -> tuple[dict[str, States], dict[str, Any]] | None:
        """What was written, nothing where there is no file.

        Raises
        ------
        FileUnreadable
            If the file is no checkpoint.
        InvalidInput
            If it is one of another training.
        """
        if not self.path.exists():
            return None
        try:
            with np.load(self.path, allow_pickle=False) as file:
                arrays = dict(file)
            facts, numbers = str(arrays.pop("facts")), json.loads(str(arrays.pop("numbers")))
        except (OSError, ValueError, KeyError) as error:
            raise FileUnreadable(f"{self.path} is no checkpoint of a training: {error}.") from error
        if facts != self.facts:
            raise InvalidInput(
                f"{self.path} is of a training with other data or settings; "
                "remove it, or name another."
            )
        states: dict[str, States] = {}
        for name, value in arrays.items():
            group, _, rest = name.partition("/")
            states.setdefault(group, {})[rest] = torch.from_numpy(value)
        return states, numbers

    def remove(self) -> None:
        """The training is over."""
        self.path.unlink(missing_ok=True)
