"""Changes to a journey's graph, one at a time; each gives a new journey."""

import msgspec

from lingxi.errors import InvalidInput
from lingxi.journeys.graph import Journey
from lingxi.journeys.step import (
    Action,
    Arm,
    BranchStep,
    Case,
    CouponStep,
    EndStep,
    Fate,
    ListStep,
    MessageStep,
    NextBestStep,
    SplitStep,
    Step,
    TraitStep,
    WaitStep,
    WebhookStep,
    lead_to,
    list_edges,
)

START = ""
"""The source of the way that leads into the journey."""


def make_step(kind: str, journey: Journey, target: str) -> Step:
    """A new step of a kind, all of whose ways lead to ``target``; to be filled in.

    Raises
    ------
    InvalidInput
        If there is no such kind.
    """
    before = next(iter(journey.messages), "")
    asked = (
        Case(name="clicked", step=before, was=Fate.CLICKED, next=target)
        if before
        else Case(name="bought", rule={"did": "Order Completed", "within_days": 30}, next=target)
    )
    made: dict[str, Step] = {
        "message": MessageStep(template="choose-a-template", next=target),
        "wait": WaitStep(duration="1d", next=target),
        "branch": BranchStep(cases=(asked,), otherwise=target),
        "split": SplitStep(
            experiment=f"{journey.name}-split",
            arms=(Arm(name="a", share=1, next=target), Arm(name="b", share=1, next=target)),
        ),
        "coupon": CouponStep(offer="choose-an-offer", next=target, otherwise=target),
        "set_trait": TraitStep(trait="choose-a-trait", value=True, next=target),
        "add_to_list": ListStep(list="choose-a-list", next=target),
        "webhook": WebhookStep(url="https://example.com/hook", next=target),
        "next_best_action": NextBestStep(
            actions=(Action(offer="choose-an-offer", next=target),), otherwise=target
        ),
        "end": EndStep(),
    }
    if kind not in made:
        raise InvalidInput(f"{kind!r:.40} is no kind of step; they are {', '.join(made)}.")
    return made[kind]


def insert_step(journey: Journey, source: str, port: str, kind: str) -> tuple[Journey, str]:
    """The journey with a new step on a way out of a step, and the new step's id.

    ``source`` START puts it before the first step. An end takes the place of what followed.

    Raises
    ------
    InvalidInput
        If there is no such way, or no such kind.
    """
    target = journey.start if source == START else _find_target(journey, source, port)
    step_id = _choose_id(journey, kind)
    step = make_step(kind, journey, target)
    steps = {**journey.steps, step_id: step}
    if source == START:
        return _replace(journey, steps, step_id), step_id
    steps[source] = lead_to(steps[source], port, step_id)
    return _replace(journey, steps, journey.start), step_id


def delete_step(journey: Journey, step_id: str) -> Journey:
    """The journey without a step; what led to it leads to where its first way led.

    Raises
    ------
    InvalidInput
        If there is no such step, it is the only one, or a branch asks about it.
    """
    if step_id not in journey.steps:
        raise InvalidInput(f"There is no step {step_id[:60]!r}.")
    if len(journey.steps) == 1:
        raise InvalidInput("The only step of a journey cannot be deleted.")
    for other, step in journey.steps.items():
        if isinstance(step, BranchStep) and any(case.step == step_id for case in step.cases):
            raise InvalidInput(
                f"The step {other!r} asks what became of {step_id!r}; change it first."
            )
    edges = list_edges(journey.steps[step_id])
    after = edges[0].target if edges and edges[0].target != step_id else ""
    steps: dict[str, Step] = {}
    for name, step in journey.steps.items():
        if name == step_id:
            continue
        for edge in list_edges(step):
            if edge.target == step_id:
                step = lead_to(step, edge.port, after)
        steps[name] = step
    start = journey.start if journey.start != step_id else after or next(iter(steps))
    return _replace(journey, steps, start)


def lead_step(journey: Journey, source: str, port: str, target: str) -> Journey:
    """The journey with a way out of a step leading to another step, or to none.

    Raises
    ------
    InvalidInput
        If there is no such way or step.
    """
    _find_target(journey, source, port)
    if target and target not in journey.steps:
        raise InvalidInput(f"There is no step {target[:60]!r}.")
    steps = {**journey.steps, source: lead_to(journey.steps[source], port, target)}
    return _replace(journey, steps, journey.start)


def _find_target(journey: Journey, source: str, port: str) -> str:
    if source not in journey.steps:
        raise InvalidInput(f"There is no step {source[:60]!r}.")
    for edge in journey.edges(source):
        if edge.port == port:
            return edge.target
    raise InvalidInput(f"The step {source!r} has no way {port[:60]!r}.")


def _choose_id(journey: Journey, kind: str) -> str:
    base = kind.replace("_", "-")
    number = 1
    while f"{base}-{number}" in journey.steps:
        number += 1
    return f"{base}-{number}"


def _replace(journey: Journey, steps: dict[str, Step], start: str) -> Journey:
    return msgspec.structs.replace(journey, steps=steps, start=start)
