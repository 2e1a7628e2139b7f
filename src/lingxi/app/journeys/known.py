"""What a shop has that journeys may name: for lint."""

from typing import TYPE_CHECKING

import sqlalchemy as sa

from lingxi.errors import UserError
from lingxi.journeys.finding import Known
from lingxi.journeys.trigger import RuleForm
from lingxi.lifecycle import STAGES
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
        segments=frozenset(each.segment.name for each in list_segments(tx)),
        stages=frozenset(str(stage) for stage in STAGES),
        scores=frozenset(shop.judge.scores),
        languages=(shop.settings.shop.language,),
        rule_problem=tell_problem,
        now=shop.clock.now(),
    )
