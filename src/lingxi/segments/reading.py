"""From JSON or YAML to a rule and back; what cannot be understood is named by its path."""

from collections.abc import Callable, Mapping
from typing import Final

from lingxi.errors import InvalidInput, did_you_mean
from lingxi.ingest.consent import CHANNELS, PURPOSES
from lingxi.schema import Name
from lingxi.segments.form import Form, write_test, write_window
from lingxi.segments.rule import (
    Aggregate,
    All,
    Any,
    Consent,
    Did,
    Everyone,
    InList,
    InSegment,
    Not,
    Random,
    Rule,
    Score,
    Stage,
    Stream,
    Trait,
    Where,
    Window,
    walk,
)

DEEPEST = 12
MOST_NODES = 200
_OWN = (Name.SEGMENT_ENTERED.value, Name.SEGMENT_LEFT.value)
_FUNCTIONS: Final = ("sum", "count", "average", "distinct")
_VERBS = {"bought": Name.ORDER_COMPLETED.value, "viewed": Name.PRODUCT_VIEWED.value}


def read_rule(given: object, path: str = "rule") -> Rule:
    """The rule that a JSON or YAML value says.

    Raises
    ------
    InvalidInput
        With the path of what cannot be understood.

    Examples
    --------
    >>> read_rule({"did": "Order Completed", "at_least": 2, "within_days": 30}).at_least
    2
    >>> read_rule({"all": [{"did": "Order Completed", "at_leas": 2}]})
    Traceback (most recent call last):
    lingxi.errors.InvalidInput: rule.all[0]: there is no 'at_leas' here (did you mean 'at_least'?).
    """
    rule = _read(given, path, 1)
    count = sum(1 for _ in walk(rule))
    if count > MOST_NODES:
        raise InvalidInput(f"{path}: a rule may have {MOST_NODES} conditions; this has {count}.")
    return rule


def _read(given: object, path: str, depth: int) -> Rule:
    if depth > DEEPEST:
        raise InvalidInput(f"{path}: a rule may be {DEEPEST} levels deep.")
    if given == "everyone":
        return Everyone()
    if not isinstance(given, Mapping):
        raise InvalidInput(f"{path}: a condition is an object such as {{did: Order Completed}}.")
    kinds = [key for key in given if key in NODES]
    if len(kinds) != 1:
        found = ", ".join(repr(str(key)) for key in given) or "nothing"
        near = "" if kinds else did_you_mean(str(next(iter(given), "")), NODES)
        raise InvalidInput(
            f"{path}: a condition has exactly one of {', '.join(NODES)}; this has {found}{near}."
        )
    kind = str(kinds[0])
    form = Form({str(key): value for key, value in given.items()}, path)
    if kind in ("all", "any"):
        parts = tuple(
            _read(part, f"{path}.{kind}[{place}]", depth + 1)
            for place, part in enumerate(form.take_list(kind))
        )
        rule: Rule = All(parts) if kind == "all" else Any(parts)
    elif kind == "not":
        rule = Not(_read(form.take("not"), f"{path}.not", depth + 1))
    else:
        rule = _READERS[kind](form)
    form.finish()
    return rule


def _read_everyone(form: Form) -> Rule:
    if form.take("everyone") is not True:
        raise form.fail("everyone", "is written 'everyone: true'")
    return Everyone()


def _read_trait(form: Form) -> Rule:
    return Trait(form.take_text("trait"), form.take_test())


def _read_score(form: Form) -> Rule:
    return Score(form.take_text("score"), form.take_test())


def _read_stage(form: Form) -> Rule:
    return Stage(form.take_texts("stage"))


def _read_consent(form: Form) -> Rule:
    purpose = form.take_choice("consent", PURPOSES)
    channel = form.take_choice("channel", CHANNELS, default="*")
    return Consent(purpose, channel, form.take_truth("granted", default=True))


def _read_did(form: Form) -> Rule:
    stream = _read_stream(form, form.take_text("did"))
    which = form.take_choice("which", ("first", "last"), default="")
    window = form.take_window()
    if which:
        if form.has("at_least") or form.has("at_most") or form.has("times"):
            raise form.fail("which", "cannot stand beside at_least, at_most or times")
        return Did(stream, window, which="first" if which == "first" else "last")
    return _count(form, stream, window)


def _count(form: Form, stream: Stream, window: Window) -> Did:
    if form.has("times"):
        times = form.take_count("times")
        return Did(stream, window, times, times)
    most = form.take_count("at_most") if form.has("at_most") else None
    fewest = form.take_count("at_least") if form.has("at_least") else int(most is None)
    if most is not None and most < fewest:
        raise form.fail("at_most", f"is less than at_least ({most} and {fewest})")
    return Did(stream, window, fewest, most)


def _read_did_not(form: Form) -> Rule:
    stream = _read_stream(form, form.take_text("did_not"))
    return Did(stream, form.take_window(), 0, 0)


def _read_items(verb: str) -> Callable[[Form], Rule]:
    def read(form: Form) -> Rule:
        inner = Form(form.take_object(verb), f"{form.path}.{verb}")
        items = inner.take_texts("items") if inner.has("items") else ()
        categories = inner.take_texts("categories") if inner.has("categories") else ()
        inner.finish()
        if not items and not categories:
            raise form.fail(verb, "needs items or categories")
        stream = _read_stream(form, _VERBS[verb], items, categories)
        return _count(form, stream, form.take_window())

    return read


def _read_stream(
    form: Form, event: str, items: tuple[str, ...] = (), categories: tuple[str, ...] = ()
) -> Stream:
    if event in _OWN:
        raise InvalidInput(f"{form.path}: for membership of a segment write 'segment: NAME'.")
    where = []
    for place, part in enumerate(form.take_list("where") if form.has("where") else ()):
        path = f"{form.path}.where[{place}]"
        if not isinstance(part, Mapping):
            raise InvalidInput(f"{path}: a condition is an object such as {{property: coupon}}.")
        inner = Form({str(key): value for key, value in part.items()}, path)
        where.append(Where(inner.take_field("property"), inner.take_test(ages=False)))
        inner.finish()
    return Stream(event, tuple(where), items, categories)


def _read_aggregate(form: Form) -> Rule:
    name = form.take_choice("aggregate", _FUNCTIONS)
    function = next(each for each in _FUNCTIONS if each == name)
    of = "" if function == "count" else form.take_field("of")
    stream = _read_stream(form, form.take_text("event"))
    window = form.take_window()
    test = form.take_test(numbers=True)
    return Aggregate(function, of, stream, window, test)


def _read_segment(form: Form) -> Rule:
    return InSegment(form.take_text("segment"))


def _read_list(form: Form) -> Rule:
    return InList(form.take_text("list"))


def _read_random(form: Form) -> Rule:
    salt = form.take_text("random")
    low, high = form.take_share("from", default=0.0), form.take_share("to", default=1.0)
    if low > high:
        raise form.fail("to", f"is less than from ({high} and {low})")
    return Random(salt, low, high)


_READERS: Mapping[str, Callable[[Form], Rule]] = {
    "everyone": _read_everyone,
    "trait": _read_trait,
    "score": _read_score,
    "stage": _read_stage,
    "consent": _read_consent,
    "did": _read_did,
    "did_not": _read_did_not,
    "bought": _read_items("bought"),
    "viewed": _read_items("viewed"),
    "aggregate": _read_aggregate,
    "segment": _read_segment,
    "list": _read_list,
    "random": _read_random,
}
NODES: Final = (*_READERS, "all", "any", "not")
"""The word that each kind of condition begins with."""


def write_rule(rule: Rule) -> dict[str, object]:
    """The rule as JSON or YAML; ``read_rule`` gives it back.

    >>> write_rule(read_rule({"not": {"list": "staff"}}))
    {'not': {'list': 'staff'}}
    """
    match rule:
        case Everyone():
            return {"everyone": True}
        case All():
            return {"all": [write_rule(part) for part in rule.rules]}
        case Any():
            return {"any": [write_rule(part) for part in rule.rules]}
        case Not():
            return {"not": write_rule(rule.rule)}
        case Trait():
            return {"trait": rule.trait, **write_test(rule.test)}
        case Score():
            return {"score": rule.score, **write_test(rule.test)}
        case Stage():
            return {"stage": list(rule.stages)}
        case Consent():
            channel = {} if rule.channel == "*" else {"channel": rule.channel}
            granted = {} if rule.granted else {"granted": False}
            return {"consent": rule.purpose, **channel, **granted}
        case Did():
            return _write_did(rule)
        case Aggregate():
            of = {"of": rule.of} if rule.of else {}
            return {
                "aggregate": rule.function,
                **of,
                "event": rule.stream.event,
                **_write_where(rule.stream),
                **write_window(rule.window),
                **write_test(rule.test),
            }
        case InSegment():
            return {"segment": rule.segment}
        case InList():
            return {"list": rule.list}
        case Random():
            return {"random": rule.salt, "from": rule.low, "to": rule.high}


def _write_did(rule: Did) -> dict[str, object]:
    stream = rule.stream
    count: dict[str, object] = {}
    if rule.at_most is not None and rule.at_most == rule.at_least:
        count["times"] = rule.at_least
    else:
        if rule.at_least != int(rule.at_most is None):
            count["at_least"] = rule.at_least
        if rule.at_most is not None:
            count["at_most"] = rule.at_most
    rest = {**_write_where(stream), **write_window(rule.window)}
    if stream.items or stream.categories:
        verb = next(word for word, event in _VERBS.items() if event == stream.event)
        named = {"items": list(stream.items), "categories": list(stream.categories)}
        return {verb: {key: value for key, value in named.items() if value}, **count, **rest}
    if rule.which:
        return {"did": stream.event, "which": rule.which, **rest}
    if rule.at_least == 0 and rule.at_most == 0:
        return {"did_not": stream.event, **rest}
    return {"did": stream.event, **count, **rest}


def _write_where(stream: Stream) -> dict[str, object]:
    where = [{"property": each.property, **write_test(each.test)} for each in stream.where]
    return {"where": where} if where else {}
