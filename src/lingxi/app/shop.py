"""One shop, opened: settings, store, and the answers that the edges share."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lingxi.access.sources import ensure_source, list_sources
from lingxi.app.folds import PROJECTIONS
from lingxi.app.revision import is_newest
from lingxi.clock import Clock, SystemClock
from lingxi.config import CONFIG_FILE, Settings, load_settings
from lingxi.config.calling import find_calling_code
from lingxi.errors import InvalidInput, InvalidSetting, ShopExists
from lingxi.i18n import is_currency
from lingxi.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lingxi.app.answers import Answers
    from lingxi.app.coupons.counter import Counter
    from lingxi.app.coupons.desk import OfferDesk
    from lingxi.app.journeys.desk import JourneyDesk
    from lingxi.app.messages.log import MessageDesk
    from lingxi.app.messages.sender import Postroom
    from lingxi.app.messages.templates import TemplateDesk
    from lingxi.app.segments.desk import SegmentDesk
    from lingxi.app.segments.list_desk import ListDesk
    from lingxi.app.served import ServedLog
    from lingxi.coupons import Coupons
    from lingxi.ingest.intake import Intake
    from lingxi.ingest.known import KnownCustomers
    from lingxi.ingest.recent import Recent
    from lingxi.ingest.turned_away import Refusals
    from lingxi.segments import Judge


@dataclass(frozen=True)
class Shop:
    """A shop's settings, store and clock; close it when done."""

    settings: Settings
    store: Store
    clock: Clock

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        clock: Clock | None = None,
        environ: "Mapping[str, str] | None" = None,
    ) -> "Shop":
        """Open the shop in ``folder``; its tables are brought up to date first.

        An erasure that a crash interrupted is finished.

        Raises
        ------
        ShopNotFound
            If the folder holds no shop.
        InvalidSetting
            If its settings cannot be used.
        StoreUnavailable
            If its data cannot be read.
        """
        moment = clock or SystemClock()
        settings = load_settings(folder, environ)
        store = Store.open(settings, moment, projections=PROJECTIONS)
        if not is_newest(store.engine):
            from lingxi.app.migrate import upgrade
            from lingxi.app.rooms import METADATAS

            upgrade(store.engine, METADATAS)
        if store.has_open_erasures():
            from lingxi.app.rooms import FORGETTERS

            store.finish_erasures(rooms=tuple(FORGETTERS.values()))
        return cls(settings, store, moment)

    @cached_property
    def answers(self) -> "Answers":
        """What the product can tell about this shop."""
        from lingxi.app.answers import Answers

        return Answers(self)

    @cached_property
    def journeys(self) -> "JourneyDesk":
        """The shop's journeys: drafts, versions, lint, gallery."""
        from lingxi.app.journeys.desk import JourneyDesk

        return JourneyDesk(self)

    @cached_property
    def recent(self) -> "Recent":
        """The last messages that this process took in."""
        from lingxi.ingest.recent import Recent

        return Recent()

    @cached_property
    def turned_away(self) -> "Refusals":
        """Requests for events that this process answered with an error."""
        from lingxi.ingest.turned_away import Refusals

        return Refusals()

    @cached_property
    def intake(self) -> "Intake":
        """The one door for messages, watched by ``recent``."""
        from lingxi.ingest.intake import Intake

        return Intake(self.store, self.settings, self.clock, observer=self.recent)

    @cached_property
    def known(self) -> "KnownCustomers":
        """Counts the customers that the shop knows."""
        from lingxi.ingest.known import KnownCustomers

        return KnownCustomers()

    @cached_property
    def judge(self) -> "Judge":
        """Says whether a customer fulfils a rule."""
        from lingxi.app.segments.scores import make_judge

        return make_judge(self.store)

    @cached_property
    def coupons(self) -> "Coupons":
        """Issues coupons, checks and redeems their codes."""
        from lingxi.coupons import Coupons

        return Coupons(self.store, self.judge.is_member)

    @cached_property
    def segments(self) -> "SegmentDesk":
        """Segments, and what is asked of them."""
        from lingxi.app.segments.desk import SegmentDesk

        return SegmentDesk(self)

    @cached_property
    def lists(self) -> "ListDesk":
        """Lists of customers that people keep by hand."""
        from lingxi.app.segments.list_desk import ListDesk

        return ListDesk(self)

    @cached_property
    def offers(self) -> "OfferDesk":
        """The shop's offers, their ledger and what they may cost."""
        from lingxi.app.coupons.desk import OfferDesk

        return OfferDesk(self)

    @cached_property
    def counter(self) -> "Counter":
        """Where coupons are issued to customers, checked and redeemed."""
        from lingxi.app.coupons.counter import Counter

        return Counter(self)

    @cached_property
    def served(self) -> "ServedLog":
        """Takes the lists that are shown, for the log."""
        from lingxi.app.served import ServedLog

        return ServedLog(self.store)

    @cached_property
    def postroom(self) -> "Postroom":
        """Sends and previews messages."""
        from lingxi.app.messages.sender import Postroom

        return Postroom(self)

    @cached_property
    def templates(self) -> "TemplateDesk":
        """The shop's templates: drafts, versions, previews, tests."""
        from lingxi.app.messages.templates import TemplateDesk

        return TemplateDesk(self)

    @cached_property
    def messages(self) -> "MessageDesk":
        """The message log, and messages that wait on the site."""
        from lingxi.app.messages.log import MessageDesk

        return MessageDesk(self)

    def ensure_source(self) -> None:
        """Make the source ``web`` where there is none: the shop can be connected at once."""
        with self.store.read() as tx:
            if list_sources(tx):
                return
        with self.store.write() as tx:
            ensure_source(tx, self.store.keyring, self.clock.now(), actor="lingxi")

    def close(self) -> None:
        """Let go of the store."""
        if "postroom" in self.__dict__:
            self.postroom.close()
        if "served" in self.__dict__:
            self.served.close()
        if "intake" in self.__dict__:
            self.intake.close()
        self.store.close()


def init_shop(
    folder: Path,
    *,
    name: str,
    currency: str,
    timezone: str,
    language: str,
    database: str = "",
    clock: Clock | None = None,
) -> Shop:
    """Make a shop in ``folder`` and open it.

    Raises
    ------
    ShopExists
        If the folder or the database holds a shop already.
    InvalidSetting
        If a setting cannot be used.
    """
    path = folder / CONFIG_FILE
    if path.exists():
        raise ShopExists(f"There is a shop in {folder} already. Name another folder.")
    if not is_currency(currency):
        raise InvalidSetting(
            f"{currency!r} is not a currency; write three capital letters such as GBP."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600 if database else 0o666)  # an address may hold a password
        path.write_text(
            _render_config(name, currency, timezone, language, database), encoding="utf-8"
        )
    except OSError as error:
        raise InvalidInput(f"Cannot make a shop in {folder}: {error.strerror}.") from error
    try:
        shop = Shop.open(folder, clock=clock)
        if database and shop.store.log.position():
            shop.close()
            raise ShopExists(
                "The database holds a shop already. Name an empty one, or bring the shop back "
                "with 'lingxi restore'."
            )
        shop.ensure_source()
    except Exception:
        path.unlink()
        raise
    return shop


def _render_config(name: str, currency: str, timezone: str, language: str, database: str) -> str:
    for value in (name, currency, timezone, language, database):
        if any(ord(character) < 32 for character in value):
            raise InvalidSetting("A setting must not hold control characters.")

    def quote(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    lines = [
        "# Settings of this shop. All of them are described in docs/reference/settings.md.",
        "[shop]",
        f"name = {quote(name)}",
        f"currency = {quote(currency)}",
        f"timezone = {quote(timezone)}",
        f"language = {quote(language)}",
    ]
    if calling_code := find_calling_code(timezone):
        lines.append(f"calling_code = {quote(calling_code)}")
    if database:
        lines += ["", "[store]", f"url = {quote(database)}"]
    return "\n".join(lines) + "\n"


__all__ = ["Shop", "init_shop"]
