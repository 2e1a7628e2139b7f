"""What automation did with a customer: the latest runs, messages and coupons."""

from collections.abc import Mapping

from lingxi.access import Scope
from lingxi.app.runs.desk import RunDesk
from lingxi.app.shop import Shop
from lingxi.server.pages.frame import Frame
from lingxi.server.pages.messages import STATE_TONES
from lingxi.server.pages.runs import list_titles, name_end, tone

_SHOWN = 3


def tell_automation(frame: Frame, shop: Shop, customer_id: str) -> Mapping[str, object]:
    """What the page says; nothing of what the reader may not see."""

    def may(scope: Scope) -> bool:
        return frame.user is not None and frame.user.can(scope)

    runs = RunDesk(shop).list(customer_id=customer_id, n=_SHOWN) if may(Scope.JOURNEYS) else None
    return {
        "runs": runs,
        "messages": shop.messages.list_all(customer_id=customer_id, n=_SHOWN)
        if may(Scope.MESSAGES)
        else None,
        "ledger": shop.offers.read_ledger(customer_id=customer_id, n=_SHOWN)
        if may(Scope.COUPONS)
        else None,
        "titles": list_titles(frame, shop) if runs is not None and runs.runs else {},
        "word_of": name_end,
        "tone_of": tone,
        "state_tones": STATE_TONES,
    }
