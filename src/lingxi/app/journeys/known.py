"""What a shop has that journeys may name: for lint."""

from typing import TYPE_CHECKING

import sqlalchemy as sa

from lingxi.coupons import list_offers
from lingxi.errors import UserError
from lingxi.journeys.finding import Known
from lingxi.journeys.trigger import RuleForm
from lingxi.lifecycle import STAGES
from lingxi.messaging.nouns import CHANNELS
from lingxi.messaging.templates.book import list_templates, read_version
from lingxi.segments import read_rule
from lingxi.segments.definitions import list_segments

if TYPE_CHECKING:
    from lingxi.app.shop import Shop


def find_known(shop: "Shop", tx: sa.Connection) -> Known:
    """Segments, templates, offers, channels, stages and scores of the shop, as of now."""

    def tell_problem(form: RuleForm) -> str:
        try:
            shop.judge.check(tx, read_rule(form))
        except UserError as error:
            return str(error)
        return ""

    return Known(
        offers=frozenset(kept.offer.name for kept in list_offers(tx)),
        templates=_list_templates(tx),
        segments=frozenset(each.segment.name for each in list_segments(tx)),
        channels=frozenset(CHANNELS),
        stages=frozenset(str(stage) for stage in STAGES),
        scores=frozenset(shop.judge.scores),
        languages=(shop.settings.shop.language,),
        categories=frozenset(shop.settings.mail.categories),
        rule_problem=tell_problem,
        now=shop.clock.now(),
    )


def _list_templates(tx: sa.Connection) -> dict[str, frozenset[str]]:
    """The languages of every template that can be sent: the published ones."""
    return {
        kept.draft.name: frozenset(read_version(tx, kept.draft.name, kept.published).variants)
        for kept in list_templates(tx)
        if kept.published
    }
