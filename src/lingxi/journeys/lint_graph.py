"""Lint of a journey's graph: dead ends, loops, steps out of reach, messages without a pause."""

from collections.abc import Iterator

from lingxi.journeys.finding import Finding, Level, find
from lingxi.journeys.graph import Journey, MessageClass
from lingxi.journeys.step import BranchStep, CouponStep, EndStep, MessageStep
from lingxi.journeys.walk import Links, find_back_links, find_loop, is_wait, list_links, reach


def check_graph(journey: Journey) -> Iterator[Finding]:
    """Everything that the shape of the graph alone shows."""
    links = list_links(journey)
    reached = reach(links, journey.start)
    yield from _find_loops(journey, links)
    for step_id in journey.steps:
        if step_id not in reached:
            yield find("unreachable", Level.WARNING, f"steps.{step_id}", step=step_id)
    yield from _find_dead_ends(journey, reached)
    yield from _find_late_questions(journey, links, reached)
    yield from _find_haste(journey, links, reached)
    yield from _find_idle_coupons(journey, links, reached)
    if all(
        isinstance(journey.steps[step_id], EndStep) or is_wait(journey, step_id)
        for step_id in reached
    ):
        yield find("does_nothing", Level.ERROR, "steps")


def _find_loops(journey: Journey, links: Links) -> Iterator[Finding]:
    for back in find_back_links(links, journey.start):
        loop = find_loop(links, back)
        waits = any(is_wait(journey, step_id) for step_id in loop)
        code = "loop" if waits else "loop_without_wait"
        way = " → ".join([*loop, loop[0]])
        yield find(code, Level.ERROR, f"steps.{back[0]}", way=way, step=back[0])


def _find_dead_ends(journey: Journey, reached: set[str]) -> Iterator[Finding]:
    for step_id in journey.steps:
        if step_id not in reached:
            continue
        for edge in journey.edges(step_id):
            if not edge.target:
                place = f"steps.{step_id}.{edge.port}"
                yield find("dead_end", Level.WARNING, place, step=step_id, port=edge.port)


def _find_late_questions(journey: Journey, links: Links, reached: set[str]) -> Iterator[Finding]:
    """Branches that ask about a message that cannot have gone before them."""
    for step_id, step in journey.steps.items():
        if step_id not in reached or not isinstance(step, BranchStep):
            continue
        for case in step.cases:
            if not case.step:
                continue
            place = f"steps.{step_id}.cases.{case.name}"
            if not isinstance(journey.steps[case.step], MessageStep):
                yield find("asks_no_message", Level.ERROR, place, step=step_id, asked=case.step)
            elif case.step not in reached or step_id not in reach(links, case.step):
                yield find("asks_too_early", Level.ERROR, place, step=step_id, asked=case.step)


def _find_haste(journey: Journey, links: Links, reached: set[str]) -> Iterator[Finding]:
    """Messages that follow on another with no wait between them on some way, on one channel."""
    messages = journey.messages
    for first in messages.keys() & reached:
        seen: set[str] = set()
        waiting = list(links[first])
        while waiting:
            step_id = waiting.pop()
            if step_id in seen or is_wait(journey, step_id):
                continue
            seen.add(step_id)
            waiting.extend(links[step_id])
        for second in sorted(seen & messages.keys() - {first}):
            if messages[first].channel == messages[second].channel:
                place = f"steps.{second}"
                yield find("no_pause", Level.WARNING, place, step=second, before=first)


def _find_idle_coupons(journey: Journey, links: Links, reached: set[str]) -> Iterator[Finding]:
    for step_id, step in journey.steps.items():
        if step_id not in reached or not isinstance(step, CouponStep):
            continue
        if not step.next or not reach(links, step.next) & journey.messages.keys():
            yield find("coupon_untold", Level.WARNING, f"steps.{step_id}", step=step_id)
        if journey.message_class is MessageClass.TRANSACTIONAL:
            yield find("coupon_transactional", Level.WARNING, f"steps.{step_id}", step=step_id)
