"""Triggers and steps in words, in the language of who reads."""

from datetime import timedelta

from lingxi.i18n import Translator
from lingxi.journeys.durations import read_duration
from lingxi.journeys.graph import Journey
from lingxi.journeys.step import (
    BranchStep,
    CouponStep,
    EndStep,
    ListStep,
    MessageStep,
    NextBestStep,
    SplitStep,
    Step,
    TraitStep,
    WaitStep,
    WebhookStep,
)
from lingxi.journeys.trigger import (
    BackInStockTrigger,
    ChurnTrigger,
    DateTrigger,
    EventTrigger,
    PriceDropTrigger,
    ScheduleTrigger,
    ScoreTrigger,
    SegmentTrigger,
    StageTrigger,
)

_UNITS = (("weeks", 604_800), ("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))


def tell_duration(words: Translator, length: str | timedelta) -> str:
    """A length of time in words, at most two units.

    >>> tell_duration(Translator("en"), "1d 12h"), tell_duration(Translator("zh"), "90m")
    ('1 day 12 hours', '1 小时 30 分钟')
    """
    span = read_duration(length) if isinstance(length, str) else length
    left = abs(int(span.total_seconds()))
    parts = []
    for unit, seconds in _UNITS:
        if unit == "weeks" and left % seconds:
            continue
        count, left = divmod(left, seconds)
        if count:
            parts.append(words.text(f"journeys.{unit}", n=count))
    return " ".join(parts[:2]) or words.text("journeys.seconds", n=0)


def tell_trigger(words: Translator, journey: Journey) -> str:
    """What a journey begins with, as a sentence."""
    match journey.trigger:
        case EventTrigger() as trigger:
            events = " / ".join(map(words.event, trigger.events))
            code = "event_keyed" if trigger.key else "event"
            return words.text(f"journeys.trigger.{code}", events=events, key=trigger.key)
        case SegmentTrigger() as trigger:
            code = f"journeys.trigger.segment_{trigger.change.value}"
            return words.text(code, segment=trigger.segment)
        case StageTrigger() as trigger:
            stages = " / ".join(words.word("stage", stage) for stage in trigger.to)
            return words.text("journeys.trigger.stage", stages=stages)
        case ChurnTrigger() as trigger:
            return words.text("journeys.trigger.churn_alert", risk_share=trigger.least_risk)
        case ScoreTrigger() as trigger:
            code = f"journeys.trigger.score_{trigger.crosses.value}"
            return words.text(code, score=trigger.score, level=trigger.level)
        case DateTrigger() as trigger:
            return _tell_date(words, trigger)
        case PriceDropTrigger() as trigger:
            return words.text("journeys.trigger.price_drop", least_share=trigger.least_share)
        case BackInStockTrigger():
            return words.text("journeys.trigger.back_in_stock")
        case ScheduleTrigger() as trigger:
            if trigger.at is not None:
                return words.text("journeys.trigger.schedule_once", moment=words.time(trigger.at))
            return words.text("journeys.trigger.schedule", time=trigger.time)
        case _:
            return words.text("journeys.trigger.api")


def tell_step(words: Translator, step: Step) -> str:
    """What a step does, in a few words."""
    match step:
        case MessageStep():
            channel = words.word("channel", step.channel)
            return words.text("journeys.step.message.does", template=step.template, channel=channel)
        case WaitStep():
            return _tell_wait(words, step)
        case BranchStep():
            cases = " / ".join(case.name for case in step.cases)
            return words.text("journeys.step.branch.does", cases=cases)
        case SplitStep():
            arms = " / ".join(arm.name for arm in step.arms)
            return words.text("journeys.step.split.does", arms=arms)
        case CouponStep():
            return words.text("journeys.step.coupon.does", offer=step.offer)
        case TraitStep():
            said = str(step.value)
            return words.text("journeys.step.set_trait.does", trait=step.trait, value=said)
        case ListStep():
            return words.text("journeys.step.add_to_list.does", list=step.list)
        case WebhookStep():
            return words.text("journeys.step.webhook.does", url=step.url)
        case NextBestStep():
            offers = " / ".join(action.offer for action in step.actions)
            return words.text("journeys.step.next_best_action.does", offers=offers)
        case EndStep():
            return words.text("journeys.step.end.does")


def tell_port(words: Translator, port: str) -> str:
    """The name of a way out of a step; cases and arms are called as they are."""
    if port in ("next", "otherwise", "timeout"):
        return words.text(f"journeys.port.{port}")
    return port


def _tell_wait(words: Translator, step: WaitStep) -> str:
    if step.duration:
        return words.text("journeys.step.wait.duration", length=tell_duration(words, step.duration))
    if step.time:
        return words.text("journeys.step.wait.time", time=step.time)
    if step.until is not None:
        return words.text("journeys.step.wait.until", moment=words.time(step.until))
    if step.event is not None:
        length = tell_duration(words, step.timeout)
        event = words.event(step.event.event)
        return words.text("journeys.step.wait.event", event=event, length=length)
    length = tell_duration(words, step.best_within)
    return words.text("journeys.step.wait.best", length=length)


def _tell_date(words: Translator, trigger: DateTrigger) -> str:
    offset = read_duration(trigger.offset)
    of = trigger.trait or words.text(f"journeys.date.{trigger.of.value}")
    if not offset:
        return words.text("journeys.trigger.date", date=of, time=trigger.at)
    code = "date_before" if offset < timedelta(0) else "date_after"
    length = tell_duration(words, offset)
    return words.text(f"journeys.trigger.{code}", date=of, length=length, time=trigger.at)
