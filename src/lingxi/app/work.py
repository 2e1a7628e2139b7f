"""The shop's standing work: tasks that take a little at a time, in fair turns, until stopped.

A task does at most about a second of work a call and says how much it did: 0, and it is asked again
after a pause that doubles up to its ``every_seconds``; more, and it is asked again once the others
had their turn. One that fails is logged and asked again later and later; the others go on.
Tasks that wait for somebody else's computer, and those that compute for long, have lanes of their
own, so that a slow mail server never holds up what only the database is needed for.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Thread

import structlog

from lingxi.app.orphans import is_orphan
from lingxi.app.shop import Shop
from lingxi.errors import InvalidInput, did_you_mean

Done = int | Mapping[str, int]
"""How much a task did, or how much of each kind."""
RunOnce = Callable[[Shop, datetime], Done]
_FIRST_PAUSE_SECONDS = 0.05
_FIRST_FAILURE_SECONDS = 1.0
_LONGEST_FAILURE_SECONDS = 60.0
_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Task:
    """One kind of standing work. ``run_once`` may run in several processes at a time.

    ``every_seconds`` is the longest pause between two looks; ``remote`` tells a task that waits for
    other computers, ``slow`` one that may compute for long.
    """

    name: str
    run_once: RunOnce
    every_seconds: float = 1.0
    remote: bool = False
    slow: bool = False


@dataclass
class _Turn:
    """When a task is next asked."""

    task: Task
    due: float = 0.0
    pause: float = _FIRST_PAUSE_SECONDS
    failures: int = 0

    def take(self, shop: Shop) -> int:
        """Ask the task once; how much it did."""
        try:
            done = count_done(self.task.run_once(shop, shop.clock.now()))
        except Exception as error:  # a defect of one task is no reason to stop the others
            self._fail(error)
            return 0
        self.failures = 0
        now = time.monotonic()
        if done:
            self.pause = min(_FIRST_PAUSE_SECONDS, self.task.every_seconds)
            self.due = now
        else:
            self.due = now + self.pause
            self.pause = min(self.pause * 2, self.task.every_seconds)
        return done

    def _fail(self, error: Exception) -> None:
        self.failures += 1
        pause = min(_FIRST_FAILURE_SECONDS * 2 ** (self.failures - 1), _LONGEST_FAILURE_SECONDS)
        self.due = time.monotonic() + pause
        structlog.get_logger().warning(
            "task_failed",
            task=self.task.name,
            error=type(error).__name__,
            message=str(error)[:300],
            again_in_seconds=pause,
        )


@dataclass
class Worked:
    """How much each task did, and of which kind where it tells kinds apart."""

    done: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self.done.values())

    def add(self, name: str, done: Done) -> bool:
        """Count what a task did; whether it did anything."""
        self.done[name] = self.done.get(name, 0) + count_done(done)
        if isinstance(done, Mapping):
            kinds = self.kinds.setdefault(name, {})
            for kind, n in done.items():
                kinds[kind] = kinds.get(kind, 0) + n
        return count_done(done) > 0


def count_done(done: Done) -> int:
    """How much was done in all.

    >>> count_done({"accepted": 2, "skipped": 1})
    3
    """
    return done if isinstance(done, int) else sum(done.values())


def choose_tasks(tasks: Sequence[Task], names: Sequence[str]) -> Sequence[Task]:
    """The tasks of these names, in the order of ``tasks``; all where none is named.

    Raises
    ------
    InvalidInput
        If there is no task of a name.
    """
    known = {task.name for task in tasks}
    for name in names:
        if name not in known:
            raise InvalidInput(
                f"There is no task {name!r}{did_you_mean(name, known)}. "
                f"There are: {', '.join(sorted(known)) or 'none'}."
            )
    return [task for task in tasks if not names or task.name in names]


def work(shop: Shop, tasks: Sequence[Task], stop: Event) -> None:
    """Do the standing work until ``stop`` is set, or the server that started us is gone.

    What a task has begun when ``stop`` is set, it ends.
    """
    kinds = sorted({(task.remote, task.slow) for task in tasks})
    lanes = [[t for t in tasks if (t.remote, t.slow) == kind] for kind in kinds]
    threads = [
        Thread(target=_keep_turning, args=(shop, lane, stop), name=f"lingxi-work-{number}")
        for number, lane in enumerate(lanes)
    ]
    for thread in threads:
        thread.start()
    while not stop.wait(_LOOK_SECONDS):
        if is_orphan():
            stop.set()
    for thread in threads:
        thread.join()


def _keep_turning(shop: Shop, tasks: Sequence[Task], stop: Event) -> None:
    turns = [_Turn(task) for task in tasks]
    while not stop.is_set():
        for turn in turns:
            if stop.is_set():
                return
            if turn.due <= time.monotonic():
                turn.take(shop)
        stop.wait(max(0.0, min(turn.due for turn in turns) - time.monotonic()))


def work_off(shop: Shop, tasks: Sequence[Task], *, most_rounds: int = 10_000) -> Worked:
    """Ask every task in turn until none has anything to do now; errors are the caller's.

    With a clock that stands, everything due at its moment is done: so a test or a simulation
    advances a shop's time.
    """
    worked = Worked({task.name: 0 for task in tasks})
    for _ in range(most_rounds):
        busy = False
        for task in tasks:
            busy = worked.add(task.name, task.run_once(shop, shop.clock.now())) or busy
        if not busy:
            break
    return worked
