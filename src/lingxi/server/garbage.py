"""Python's cycle collector in a process whose clients wait: it looks rarely, and at little.

While it looks nothing else runs, for about a microsecond an object. What it has to look at is what
was made and kept since it last did: requests that are on their way, which go again by themselves,
and what grows, such as the identifiers that the process remembers.
"""

import gc
from collections import deque
from threading import Event, Thread

_RARELY = (50_000, 20, 50)
_LOOK_SECONDS = 0.1
_LOOKS = 5
_KEPT = 5_000
"""Objects that are kept, not only on their way, once so many are there each of five times."""


def spare_collector() -> None:
    """Let the collector look rarely, only at what came after the start, and a little at a time.

    An event makes some hundred objects and no cycle: by default the collector would run at every
    tenth event, and now and then walk through everything that was ever imported, for 0.1 s. Where
    it looks only at every 50,000 objects that were kept, it looks at all of them at once.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_RARELY)
    Thread(target=look_in_time, args=(Event(),), name="lingxi-garbage", daemon=True).start()


def look_in_time(stop: Event) -> None:
    """Look at what was kept before there is much of it, until told to stop."""
    kept = Kept()
    while not stop.wait(_LOOK_SECONDS):
        if kept.note(gc.get_count()[0]):
            gc.collect(0)


class Kept:
    """Tells from how many objects there are, time after time, whether many of them stay.

    >>> kept = Kept()
    >>> [kept.note(n) for n in (40_000, 900, 40_000, 6_000, 7_000, 6_000, 9_000)]
    [False, False, False, False, False, False, True]
    """

    def __init__(self) -> None:
        self._counts: deque[int] = deque(maxlen=_LOOKS)

    def note(self, count: int) -> bool:
        """Whether there were so many each of the last times; then it begins anew."""
        self._counts.append(count)
        if len(self._counts) < _LOOKS or min(self._counts) < _KEPT:
            return False
        self._counts.clear()
        return True
