"""The graph of a journey's steps: what can be reached, in which order, and where it turns back."""

from collections.abc import Iterator, Mapping

from lingxi.journeys.graph import Journey
from lingxi.journeys.step import WaitStep

Links = Mapping[str, tuple[str, ...]]
"""The steps that each step leads to, each once, in the order of its ways out."""


def list_links(journey: Journey) -> Links:
    """The steps that each step leads to."""
    return {
        step_id: tuple(dict.fromkeys(e.target for e in journey.edges(step_id) if e.target))
        for step_id in journey.steps
    }


def reach(links: Links, start: str) -> set[str]:
    """The steps that can be reached from one, itself included.

    >>> sorted(reach({"a": ("b",), "b": (), "c": ("a",)}, "a"))
    ['a', 'b']
    """
    found, waiting = {start}, [start]
    while waiting:
        for target in links[waiting.pop()]:
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found


def find_back_links(links: Links, start: str) -> list[tuple[str, str]]:
    """The links that lead back to a step that the walk came from: each closes a loop.

    >>> find_back_links({"a": ("b",), "b": ("a",)}, "a")
    [('b', 'a')]
    """
    found: list[tuple[str, str]] = []
    done: set[str] = set()
    path: list[tuple[str, Iterator[str]]] = [(start, iter(links[start]))]
    on_path = {start}
    while path:
        step, targets = path[-1]
        target = next(targets, None)
        if target is None:
            path.pop()
            on_path.discard(step)
            done.add(step)
        elif target in on_path:
            found.append((step, target))
        elif target not in done:
            on_path.add(target)
            path.append((target, iter(links[target])))
    return found


def find_loop(links: Links, back: tuple[str, str]) -> list[str]:
    """The steps of the loop that a link back closes, on the shortest way, in order."""
    last, first = back
    came: dict[str, str] = {first: ""}
    waiting = [first]
    for step in waiting:
        for target in links[step]:
            if target not in came:
                came[target] = step
                waiting.append(target)
    loop = [last]
    while loop[-1] != first:
        loop.append(came[loop[-1]])
    return loop[::-1]


def sort_steps(links: Links, start: str) -> list[str]:
    """The steps that can be reached, each after all that lead to it; links back do not count.

    >>> sort_steps({"a": ("c", "b"), "b": ("c",), "c": ()}, "a")
    ['a', 'b', 'c']
    """
    back = set(find_back_links(links, start))
    reached = reach(links, start)
    left = dict.fromkeys(reached, 0)
    for step in reached:
        for target in links[step]:
            left[target] += (step, target) not in back
    order: list[str] = []
    ready = [start]
    while ready:
        step = ready.pop()
        order.append(step)
        for target in reversed(links[step]):
            if (step, target) not in back:
                left[target] -= 1
                if not left[target]:
                    ready.append(target)
    return order


def is_wait(journey: Journey, step_id: str) -> bool:
    """Whether time passes at a step."""
    return isinstance(journey.steps[step_id], WaitStep)
