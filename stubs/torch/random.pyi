from collections.abc import Iterable
from contextlib import AbstractContextManager

def fork_rng(devices: Iterable[int] | None = None) -> AbstractContextManager[None]: ...
