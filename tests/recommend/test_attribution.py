"""What a model made of others tells of itself: signals that sum to the logit, and its weights."""

from math import log

import numpy as np
import pytest

from lingxi.recommend.attribution import describe_makeup, tell_signals
from lingxi.recommend.families import build_scorer, make_recipe
from lingxi.recommend.histories import DAY, Histories
from lingxi.recommend.makeup import PartWeights, Signal
from lingxi.recommend.recipe import Recipe

KNN, WALK = make_recipe("item_cosine", {"k": 5}), make_recipe("rp3beta")
LEARNED = Recipe(name="learned", parts=(KNN, WALK), shares=(0.8, -0.1, 0.3, 0.2, 0.4, -0.5))
BLEND = Recipe(name="blend", parts=(KNN, WALK), shares=(1.0, 0.35))


def _teach():
    rng = np.random.default_rng(2)
    rows, items = np.repeat(np.arange(40), 5), rng.integers(0, 12, 200)
    return Histories.of_events(rows, items, (40, 12), moments=np.arange(200) * DAY)


def test_signals_of_a_learnt_blend_sum_to_the_logit_that_orders_its_list():
    taught = _teach()
    scorer = build_scorer(LEARNED)
    scorer.fit(taught)
    one = taught.take(np.array([3]))
    scores = scorer.score(one)[0]
    first, second = np.argsort(-scores)[:2].tolist()
    told = [tell_signals(scorer, LEARNED, one, item) for item in (first, second)]
    logits = [sum(signal.value for signal in signals) for signals in told]
    assert logits[0] - logits[1] == pytest.approx(log(scores[first] / scores[second]), abs=1e-4)
    names = {(signal.name, signal.model) for signal in told[0]}
    assert names <= {
        ("share", "item_cosine"),
        ("share", "rp3beta"),
        ("item_met", ""),
        ("item_trend", ""),
    }
    sizes = [abs(signal.value) for signal in told[0]]
    assert sizes == sorted(sizes, reverse=True)


def test_the_makeup_of_a_blend_is_its_shares():
    makeup = describe_makeup(BLEND)
    assert makeup.parts == (
        PartWeights("item_cosine", share=1.0),
        PartWeights("rp3beta", share=0.35),
    )
    assert makeup.item_met is None
    assert describe_makeup(KNN) is None, "a single model"


def test_the_makeup_of_a_learnt_blend_says_what_a_best_item_gains():
    makeup = describe_makeup(LEARNED, [("share_1", 0.7), ("near_day", 0.3), ("hour", 0.0)])
    assert (makeup.item_met, makeup.item_trend) == (0.4, -0.5)
    assert makeup.parts[1].linear == -0.1
    assert makeup.parts[1].most == pytest.approx(-0.1 + 0.2 * log(1.02 / 0.02))
    assert makeup.signals == (Signal("share", "rp3beta", 0.7), Signal("near_day", "", 0.3))


def test_every_signal_has_a_name_in_both_languages():
    pytest.importorskip("lightgbm", exc_type=ImportError)
    from lingxi.i18n import LANGUAGES, Translator
    from lingxi.recommend.attribution import name_signal
    from lingxi.recommend.placements.explain import say_signal
    from lingxi.recommend.signals import name_signals

    for language in LANGUAGES:
        words = Translator(language)
        said = set()
        for name in (*name_signals(2), "base"):
            sentence = say_signal(name_signal(LEARNED, name, 1.0))
            said.add(words.text(sentence.code, **sentence.params))
        assert len(said) == len(name_signals(2)) + 1
