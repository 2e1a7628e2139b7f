"""A limit of time for many requests at once, under one timer.

``asyncio.timeout`` sets a timer of the loop for each and takes it back, which costs a tenth of what
a small request costs altogether.
"""

import asyncio
from types import TracebackType
from typing import Self
from weakref import WeakKeyDictionary

_LOOK_SECONDS = 1.0
Going = dict["Wait", None]
"""What is waited for, in the order of its beginning."""


class Patience:
    """Ends what takes longer than ``seconds``, at most a second later.

    ``with patience.start():`` around what is awaited; it raises ``TimeoutError`` as
    ``asyncio.timeout`` does.
    """

    def __init__(self, seconds: float, *, look_seconds: float = _LOOK_SECONDS) -> None:
        self._seconds, self._look_seconds = seconds, look_seconds
        self._looked_at: WeakKeyDictionary[asyncio.AbstractEventLoop, Going] = WeakKeyDictionary()
        """What goes on in each event loop that has a timer."""

    def start(self) -> "Wait":
        """The time runs from now, for the current task."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("patience is for a task")
        going = self._looked_at.get(loop)
        if going is None:
            going = self._looked_at[loop] = {}
            loop.call_later(self._look_seconds, self._look)
        wait = Wait(going, task, loop.time() + self._seconds)
        going[wait] = None
        return wait

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        going, now = self._looked_at[loop], loop.time()
        for wait in list(going):
            if wait.end > now:
                break
            del going[wait]
            wait.give_up()
        if going:
            loop.call_later(self._look_seconds, self._look)
        else:
            del self._looked_at[loop]


class Wait:
    """One task that is waited for."""

    __slots__ = ("_given_up", "_going", "_task", "end")

    def __init__(self, going: "dict[Wait, None]", task: "asyncio.Task[object]", end: float) -> None:
        self._going, self._task, self.end = going, task, end
        self._given_up = False

    def give_up(self) -> None:
        """Its time is over."""
        self._given_up = True
        self._task.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _where: TracebackType | None,
    ) -> None:
        if not self._given_up:
            self._going.pop(self, None)
        elif self._task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise TimeoutError from error
