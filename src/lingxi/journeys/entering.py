"""One customer into one journey, because the shop's own systems say so."""

from datetime import datetime

from lingxi.errors import InvalidInput
from lingxi.journeys.hands import Hands
from lingxi.journeys.occasions import Guest, choose_entrants, enter
from lingxi.journeys.run import Context
from lingxi.journeys.trigger import ApiTrigger
from lingxi.journeys.versions import list_live
from lingxi.store import Store

LONGEST_KEY = 200


def trigger_journey(
    store: Store,
    hands: Hands,
    name: str,
    customer: int,
    now: datetime,
    *,
    key: str = "",
    context: Context | None = None,
) -> bool:
    """Begin a run for a customer; False where the entry rule or re-entry keeps them out.

    Raises
    ------
    InvalidInput
        If the journey is not published or paused, is not begun this way, or the key is too long.
    """
    if len(key) > LONGEST_KEY:
        raise InvalidInput(f"A key has at most {LONGEST_KEY} characters, not {len(key)}.")
    with store.read() as tx:
        live = next((each for each in list_live(tx) if each.name == name), None)
    if live is None:
        raise InvalidInput(f"The journey {name[:64]!r} is not published, or is paused.")
    if not isinstance(live.journey.trigger, ApiTrigger):
        raise InvalidInput(
            f"The journey {name!r} begins by itself; only one with the trigger 'api' is begun by "
            "hand."
        )
    guest = Guest(customer=customer, key=key, context=context or {})
    entrants = choose_entrants(store, hands, live, [guest], now)
    with store.write() as tx:
        return enter(store, tx, hands, live, entrants, now) > 0
