"""Items that came since training are in the customer's own list, with exact causes."""

from dataclasses import replace

import numpy as np
import pytest

from hand_shop import N_KNOWN, NOW, PLAIN, SOMEBODY, VISITOR, make_items, make_knowledge, tell
from lingxi.recommend.matrix import build_csr
from lingxi.recommend.newcomers import StandIns
from lingxi.recommend.placements.context import Met
from lingxi.recommend.placements.explain import explain_entry
from lingxi.recommend.placements.sources import score_personal
from lingxi.store.tables import to_micros

N_NEW = 6
"""Four items and two offers."""


@pytest.fixture(params=[True, False], ids=["quick", "slow"])
def shop(request):
    """Nobody stands in yet."""
    return make_knowledge(make_items(), quick=request.param)


def _stand_in(known, pairs):
    """``pairs``: new item, known item, share."""
    rows, places, shares = (np.array(column) for column in zip(*sorted(pairs), strict=True))
    indptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=N_NEW))))
    cells = build_csr(shares.astype(np.float64), places, indptr, (N_NEW, N_KNOWN))
    return replace(known, stand_ins=StandIns(cells))


def _read(scored):
    return dict(zip(scored.places.tolist(), scored.values.tolist(), strict=True))


def test_a_new_item_has_the_mean_score_of_its_like_and_their_causes(shop):
    before = _read(score_personal(shop, SOMEBODY, PLAIN))
    first, second = sorted(before, key=before.__getitem__)[-2:]
    known = _stand_in(shop, [(0, first, 0.5), (0, second, 0.25)])
    scored = score_personal(known, SOMEBODY, PLAIN)
    values = _read(scored)
    new = N_KNOWN
    assert {place: value for place, value in values.items() if place != new} == before
    assert values[new] == pytest.approx(0.5 * before[first] + 0.25 * before[second], rel=1e-6)
    causes = scored.explain(new)
    assert sum(cause.value for cause in causes) == pytest.approx(values[new], rel=1e-6)
    assert {cause.item_id for cause in causes} <= set(SOMEBODY.past)


def test_it_stands_in_the_list_with_its_reasons(shop, make):
    before = _read(score_personal(shop, SOMEBODY, PLAIN))
    best = max(before, key=before.__getitem__)
    listed = make(PLAIN, over=_stand_in(shop, [(0, best, 0.99)]))
    entry = next(entry for entry in listed.entries if entry.place == N_KNOWN)
    explained = explain_entry(_stand_in(shop, [(0, best, 0.99)]), listed, entry)
    assert sum(cause.value for cause in explained.causes) == pytest.approx(entry.value, rel=1e-6)


@pytest.mark.parametrize("model", ["rp3beta", "next_basket", "user_cosine"])
def test_a_list_is_explained_at_once_as_item_by_item(model):
    known = make_knowledge(make_items(), model, quick=False)
    before = _read(score_personal(known, SOMEBODY, PLAIN))
    first, second = sorted(before, key=before.__getitem__)[-2:]
    scored = score_personal(_stand_in(known, [(0, first, 0.5), (0, second, 0.25)]), SOMEBODY, PLAIN)
    places = [N_KNOWN, *sorted(before, key=before.__getitem__)[-6:]]
    values = _read(scored)
    for place, (value, for_it, causes) in zip(
        places, scored.explain_largest(places, 2), strict=True
    ):
        all_of_it = scored.explain(place)
        wanted = sorted(all_of_it, key=lambda each: (-each.value, each.item_id))[:2]
        assert for_it == pytest.approx(sum(c.value for c in all_of_it if c.value > 0), rel=1e-9)
        assert [cause.item_id for cause in causes] == [cause.item_id for cause in wanted]
        np.testing.assert_allclose([c.value for c in causes], [c.value for c in wanted], rtol=1e-9)
        assert value == pytest.approx(values[place], rel=1e-6)


def test_what_is_looked_at_counts_though_it_is_new(shop):
    """For models of one operator a new item in the history counts as its stand-ins do."""
    known = _stand_in(shop, [(1, 4, 1.0)])
    row = ("I37", 1, 0, 0, to_micros(NOW))
    past = {"I37": Met(1, 0, 0, NOW)}
    someone = replace(VISITOR, customer=5, past=past, told=tell(known, row))
    like = replace(
        VISITOR, customer=5, past={"I04": Met(1, 0, 0, NOW)}, told=tell(known, ("I04", *row[1:]))
    )
    found, wanted = (score_personal(known, who, PLAIN) for who in (someone, like))
    if known.quick is None:
        assert not len(found.places)
        return
    assert _read(found) == pytest.approx(_read(wanted))
    place = int(found.places[0])
    assert [cause.item_id for cause in found.explain(place)] == ["I37"]
    seen = score_personal(known, replace(VISITOR, history=("I37",)), PLAIN)
    assert len(seen.places), "a visitor's session too"


def test_causes_that_speak_against_an_item_are_told_too():
    """Regression has weights below 0: without them the causes would not sum to the score."""
    known = make_knowledge(make_items(), "slim")
    assert known.quick is not None
    rows = tuple(
        (item_id, met.views, met.carts, met.orders, to_micros(met.last_at))
        for item_id, met in SOMEBODY.past.items()
    )
    scored = score_personal(known, replace(SOMEBODY, told=tell(known, *rows)), PLAIN)
    table = [scored.explain(place) for place in scored.places.tolist()]
    sums = [sum(cause.value for cause in causes) for causes in table]
    np.testing.assert_allclose(sums, scored.values, rtol=1e-5, atol=1e-7)
