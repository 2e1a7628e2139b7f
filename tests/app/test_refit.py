"""Refits: due for age or drift and only then, by one process at a time, and the status says why."""

from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner

from lingxi.app import refit
from lingxi.app.shop import Shop
from lingxi.cli import main
from lingxi.clock import FixedClock, SystemClock
from lingxi.config import RecommendSettings
from lingxi.errors import NotTrained
from lingxi.i18n import Translator
from lingxi.recommend.drift import Drift
from lingxi.recommend.families import make_recipe
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.recommender import Held, Recommender
from lingxi.schema import Event, Line
from lingxi.stats.bootstrap import Interval
from lingxi.store import Manifest

WORDS = Translator("en")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def trained(shop: Shop) -> Shop:
    """A shop with a model as old as its clock and an event since."""
    with shop.store.artefacts.write("recommender") as writer:
        writer.manifest = Manifest(chosen="popularity", events=shop.store.log.position())
    return shop


def _add_event(shop: Shop, number: int = 1) -> None:
    now = shop.clock.now()
    event = Event(
        event_id=f"e{number}",
        name="Order Completed",
        occurred_at=now,
        received_at=now,
        order_id=f"o{number}",
        lines=(Line(item_id="a"),),
    )
    shop.store.log.append([event])


def _add_recipe(shop: Shop, name: str, **extra: str) -> None:
    """A version with this recipe, which has learnt all there is."""
    recipe = make_recipe(name)
    with shop.store.artefacts.write("recommender") as writer:
        writer.save_json("recommender", Held(recipe, recipe, ("a",)))
        position = shop.store.log.position()
        writer.manifest = Manifest(chosen=name, events=position, extra={**extra})


def _look(shop: Shop, later: timedelta = timedelta(0), **settings: float | bool) -> refit.Looked:
    found = RecommendSettings(**settings)  # type: ignore[arg-type]
    mine = replace(shop, settings=replace(shop.settings, recommend=found))
    return refit.look(mine, shop.clock.now() + later)


def test_without_a_model_nothing_is_due(shop: Shop) -> None:
    assert refit.read_looked(shop) is None
    assert _look(shop).reason.code == "recommend.refit.none"
    assert not _look(shop).due


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(name="graph", params={"gone": 0.5}),
        Recipe(name="gone"),
        Recipe(name="blend", parts=(Recipe(name="graph", params={"gone": 0.5}),), shares=(1.0,)),
    ],
)
def test_models_of_an_earlier_release_are_due_and_count_as_none(shop: Shop, recipe: Recipe) -> None:
    with shop.store.artefacts.write("recommender") as writer:
        writer.save_json("recommender", Held(recipe, recipe, ("a",)))
        writer.manifest = Manifest(chosen=recipe.name, events=shop.store.log.position())
    with pytest.raises(NotTrained, match=r"earlier release.*'lingxi train'"):
        Recommender.load(shop.store)
    found = _look(shop)
    assert (found.due, found.reason.code) == (True, "recommend.refit.outdated")


def test_models_are_due_for_their_age_once_events_have_come(trained: Shop) -> None:
    old = {"refit_on_drift": False}
    assert not _look(trained, 30 * DAY, **old).due
    _add_event(trained)
    assert not _look(trained, 6.9 * DAY, **old).due
    found = _look(trained, 7 * DAY, **old)
    assert found.due
    assert WORDS.text(found.reason.code, **found.reason.params) == (
        "Due for their age: the models are 7 days old, and 1 event has come since."
    )
    assert not _look(trained, 30 * DAY, refit_after_days=0.0, **old).due
    view = trained.answers.status().refit
    assert view is not None
    assert (view.due, view.reason.code) == (False, "recommend.refit.fresh")


@pytest.mark.parametrize(("worse", "code"), [(True, "drift"), (False, "steady")])
def test_models_that_find_less_are_due_and_are_measured_once_a_day(
    trained: Shop, monkeypatch: pytest.MonkeyPatch, worse: bool, code: str
) -> None:
    asked = []
    now = Interval(0.1, 0.05, 0.15) if worse else Interval(0.3, 0.2, 0.4)

    def measure(*arguments: object) -> Drift:
        asked.append(arguments)
        return Drift(now, Interval(0.4, 0.35, 0.45), 500, 30)

    monkeypatch.setattr("lingxi.recommend.drift.measure_drift", measure)
    monkeypatch.setattr(type(trained.answers), "held_recommender", lambda _self: None)
    _add_event(trained)
    found = _look(trained, DAY)
    assert (found.due, found.reason.code) == (worse, f"recommend.refit.{code}")
    text = WORDS.text(found.reason.code, **found.reason.params)
    assert "500 customers" in text
    assert "40" in text
    assert _look(trained, DAY + timedelta(hours=23)).due == worse
    assert len(asked) == 1
    _look(trained, DAY + timedelta(hours=24))
    assert len(asked) == 2


def test_new_events_are_put_in_once_a_day_where_nothing_else_is_due(trained: Shop) -> None:
    _add_recipe(trained, "item_cosine")
    assert not _look(trained, 25 * HOUR).renew, "nothing has come since"
    _add_event(trained)
    assert not _look(trained, 23 * HOUR).renew
    found = _look(trained, 25 * HOUR)
    assert (found.due, found.renew) == (False, True)
    assert WORDS.text(found.reason.code, **found.reason.params) == (
        "Due to take in 1 new event: the recommender did so 25 hours ago. Nothing is chosen anew."
    )
    view = trained.answers.status().refit
    assert view is not None
    assert view.renew
    assert not _look(trained, 25 * HOUR, renew_hours=0.0).renew
    old = _look(trained, 8 * DAY)
    assert (old.due, old.renew) == (True, False), "it is learnt anew"


def test_what_is_not_fitted_in_seconds_is_not_renewed(trained: Shop) -> None:
    _add_recipe(trained, "transformer")
    _add_event(trained)
    assert not _look(trained, 25 * HOUR).renew


def test_a_renewal_makes_a_choice_no_younger(trained: Shop) -> None:
    chosen_at = (trained.clock.now() - 7 * DAY).isoformat()
    _add_recipe(trained, "item_cosine", refit="renewal", chosen_at=chosen_at)
    _add_event(trained)
    found = _look(trained)
    assert (found.due, found.reason.code) == (True, "recommend.refit.old")


def test_too_little_to_measure_is_no_reason(trained: Shop) -> None:
    _add_event(trained)
    assert _look(trained, DAY).reason.code == "recommend.refit.fresh"


def test_a_refit_is_begun_beside_the_worker_once(
    trained: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[list[str]] = []
    monkeypatch.setattr(refit.subprocess, "Popen", lambda command, **_: begun.append(command))
    _add_event(trained)
    later = trained.clock.now() + 8 * DAY
    assert refit.start_refit(trained, later) == 0, "a clock that is not the world's"
    mine = replace(trained, clock=SystemClock())
    with refit.training(trained) as free:
        assert free
        assert refit.start_refit(mine, later) == 0, "somebody trains"
    assert refit.start_refit(mine, later) == 1
    assert begun[0][1:5] == ["-m", "lingxi.cli", "train", "--if-due"]
    assert refit.start_refit(mine, later + timedelta(minutes=59)) == 0
    assert refit.start_refit(mine, later + timedelta(minutes=61)) == 1


def test_one_process_trains_at_a_time(shop: Shop) -> None:
    with refit.training(shop) as first, refit.training(shop) as second:
        assert (first, second) == (True, False)
    assert not refit.is_training(shop)


def test_train_if_due_says_why_it_does_nothing(trained: Shop) -> None:
    folder = str(trained.settings.folder)
    found = CliRunner().invoke(main, ["train", "--if-due", "--shop", folder])
    assert found.exit_code == 0, found.output
    assert "Not due" in found.output
    shown = CliRunner().invoke(main, ["status", "--shop", folder])
    assert "Refit: Not due" in shown.output


def test_train_if_due_trains(trained: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []
    monkeypatch.setattr("lingxi.cli.train._train", lambda *_: ran.append(True))
    _add_event(trained)
    assert isinstance(trained.clock, FixedClock)
    folder = str(trained.settings.folder)
    found = CliRunner().invoke(main, ["train", "--if-due", "--shop", folder])
    age = SystemClock().now() - trained.clock.now()
    assert found.exit_code == 0, found.output
    assert bool(ran) == (age >= 7 * DAY)
    assert ("Due for their age" in found.output) == bool(ran)


def test_train_renew_puts_events_in_and_says_so(
    trained: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed = Manifest(chosen="item_cosine", extra={"items_changed": 1200})
    monkeypatch.setattr("lingxi.app.jobs.renew_recommender", lambda *_: renewed)
    _add_event(trained)
    folder = str(trained.settings.folder)
    found = CliRunner().invoke(main, ["train", "--renew", "--shop", folder])
    assert found.exit_code == 0, found.output
    assert "item_cosine, chosen earlier, fitted on all events; 1,200 items" in found.output
    assert "Scores" in found.output
    assert "Churn" not in found.output
    both = CliRunner().invoke(main, ["train", "--renew", "--if-due", "--shop", folder])
    assert both.exit_code == 2
    assert "give one of the two" in both.output
