"""Messages that steps ask for."""

from datetime import datetime, timedelta

from lingxi.journeys.change import Change
from lingxi.journeys.graph import Journey
from lingxi.journeys.step import MessageStep, WebhookStep
from lingxi.messaging import Message, message_id

HOOK_TEMPLATE = "webhook"
_HOOK_PATIENCE = timedelta(days=3)
_Context = dict[str, str | int | float | bool | None]


def make_message(
    change: Change, journey: Journey, step: MessageStep, now: datetime, deadline: datetime
) -> Message:
    """The message of a step; the same for the same run, node and epoch."""
    return Message(
        id=message_id(str(change.run.id), change.node, change.epoch),
        customer=change.run.customer,
        channel=step.channel,
        template=step.template,
        queued_at=now,
        category=journey.category,
        message_class=journey.message_class.value,
        send_before=deadline,
        context=_write_context(change),
        journey=journey.name,
        run=str(change.run.id),
        node=change.node,
    )


def make_hook(change: Change, journey: Journey, step: WebhookStep, now: datetime) -> Message:
    """A call to the shop's own systems: it takes the same road as a message, and is sent again
    until it is answered."""
    context = {**_write_context(change), "url": step.url, "event": step.event}
    return Message(
        id=message_id(str(change.run.id), change.node, change.epoch),
        customer=change.run.customer,
        channel="webhook",
        template=HOOK_TEMPLATE,
        queued_at=now,
        message_class="transactional",
        send_before=now + _HOOK_PATIENCE,
        context=context,
        journey=journey.name,
        run=str(change.run.id),
        node=change.node,
    )


def _write_context(change: Change) -> _Context:
    """What a template may need of the run: flat, ids only."""
    held = change.context
    found: _Context = {"key": change.run.key} if change.run.key else {}
    for name in ("event", "order_id", "offer"):
        if name in held:
            found[name] = held[name]
    if held.get("items"):
        found["item_ids"] = ",".join(held["items"])
    coupons = held.get("coupons", {})
    if coupons:
        found["coupon"] = int(list(coupons.values())[-1])
    return found
