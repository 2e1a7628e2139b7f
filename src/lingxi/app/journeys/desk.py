"""Journeys of a shop as the command line, the API and the pages work on them."""

from typing import TYPE_CHECKING

import sqlalchemy as sa

from lingxi.access.audit import record_audit
from lingxi.app.journeys.counting import count_passed, count_waiting
from lingxi.app.journeys.known import find_known
from lingxi.app.journeys.views import (
    FindingView,
    JourneyDetail,
    JourneysView,
    JourneyView,
    LintView,
    PublishedView,
    VersionView,
)
from lingxi.errors import InvalidInput
from lingxi.i18n import Translator
from lingxi.journeys import control
from lingxi.journeys import versions as book
from lingxi.journeys.finding import Finding
from lingxi.journeys.graph import Journey
from lingxi.journeys.lint import is_publishable, lint
from lingxi.journeys.reading import form_of, render_journey

if TYPE_CHECKING:
    from lingxi.app.shop import Shop


class JourneyDesk:
    """The journeys of one shop."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop

    def list_all(self) -> JourneysView:
        """All journeys, drafts included."""
        with self._shop.store.read() as tx:
            held = book.list_journeys(tx)
            views = tuple(to_view(each, _published_mark(tx, each)) for each in held)
        return JourneysView(views)

    def describe(self, name: str) -> JourneyDetail:
        """One journey with its draft, findings and versions.

        Raises
        ------
        UnknownJourney
            If there is none of this name.
        """
        with self._shop.store.read() as tx:
            held = book.get_journey(tx, name)
            found = lint(held.draft, find_known(self._shop, tx))
            versions = book.list_versions(tx, name)
            view = to_view(held, _published_mark(tx, held))
        return JourneyDetail(
            journey=view,
            mark=held.mark,
            definition=form_of(held.draft),
            text=render_journey(held.draft),
            findings=to_findings(found),
            versions=tuple(
                VersionView(each.version, each.published_at, each.published_by, each.note)
                for each in versions
            ),
        )

    def get_draft(self, name: str) -> Journey:
        """The draft of a journey.

        Raises
        ------
        UnknownJourney
            If there is none of this name.
        """
        with self._shop.store.read() as tx:
            return book.get_journey(tx, name).draft

    def count_runs(self, name: str) -> tuple[dict[tuple[str, str], int], dict[str, int]]:
        """Runs of the published version: how many left each step by each way, since it was
        published, and how many are at each step now."""
        with self._shop.store.read() as tx:
            held = book.seek_journey(tx, name)
            version = 0 if held is None else held.published
            return count_passed(tx, name, version), count_waiting(tx, name, version)

    def get_version(self, name: str, version: int) -> Journey:
        """A published version of a journey.

        Raises
        ------
        UnknownJourney
            If there is no such version.
        """
        with self._shop.store.read() as tx:
            return book.get_version(tx, name, version)

    def lint(self, journey: Journey) -> LintView:
        """What is wrong or doubtful about a journey in this shop."""
        with self._shop.store.read() as tx:
            found = lint(journey, find_known(self._shop, tx))
        return LintView(journey.name, is_publishable(found), to_findings(found))

    def save(self, journey: Journey, *, actor: str, expected: str | None = None) -> str:
        """Make the journey its draft; the draft's new mark.

        Raises
        ------
        Conflict
            If the draft was changed since ``expected``.
        """
        now = self._shop.clock.now()
        with self._shop.store.write(eager=True) as tx:
            mark = book.put_draft(tx, journey, actor=actor, now=now, expected=expected)
            record_audit(tx, now, actor=actor, action="journey.draft", target=journey.name)
        return mark

    def publish(self, name: str, *, actor: str, note: str = "") -> PublishedView:
        """Make the draft the version that new runs begin on; runs on their way stay on theirs.

        Raises
        ------
        UnknownJourney
            If there is none of this name.
        InvalidInput
            If lint finds an error in it.
        """
        with self._shop.store.write(eager=True) as tx:
            journey = book.get_journey(tx, name).draft
            version, found = publish_in(self._shop, tx, journey, actor=actor, note=note)
        return PublishedView(name, version, to_findings(found))

    def restore(self, name: str, version: int, *, actor: str) -> str:
        """Make a published version the draft again; the draft's new mark.

        Raises
        ------
        UnknownJourney
            If there is no such version.
        """
        return self.save(self.get_version(name, version), actor=actor)

    def set_paused(self, name: str, paused: bool, *, actor: str) -> None:
        """Let the journey stand still, runs on their way included, or go on.

        Raises
        ------
        UnknownJourney
            If there is none of this name.
        """
        now = self._shop.clock.now()
        action = "journey.pause" if paused else "journey.resume"
        with self._shop.store.write(eager=True) as tx:
            turn = control.pause if paused else control.resume
            turn(tx, name, actor=actor, now=now)
            record_audit(tx, now, actor=actor, action=action, target=name)

    def remove(self, name: str, *, actor: str) -> None:
        """Take a journey out of the shop; its versions stay, and runs on their way go on.

        Raises
        ------
        UnknownJourney
            If there is none of this name.
        """
        now = self._shop.clock.now()
        with self._shop.store.write(eager=True) as tx:
            book.remove_journey(tx, name)
            record_audit(tx, now, actor=actor, action="journey.remove", target=name)


def publish_in(
    shop: "Shop", tx: sa.Connection, journey: Journey, *, actor: str, note: str
) -> tuple[int, tuple[Finding, ...]]:
    """Publish a journey in the caller's transaction: its version, and what lint found.

    Raises
    ------
    InvalidInput
        If lint finds an error; says all of them.
    """
    found = lint(journey, find_known(shop, tx))
    if not is_publishable(found):
        words = Translator("en")
        told = " ".join(
            f"{each.place}: {words.text(each.sentence)}" for each in found if each.level == "error"
        )
        raise InvalidInput(f"The journey {journey.name!r} cannot be published. {told}")
    now = shop.clock.now()
    version = book.publish(tx, journey, actor=actor, note=note, now=now)
    target = f"{journey.name} {version}"
    record_audit(tx, now, actor=actor, action="journey.publish", target=target)
    return version, found


def to_findings(found: tuple[Finding, ...]) -> tuple[FindingView, ...]:
    """Findings as they are told."""
    return tuple(FindingView(f.code, f.level.value, f.place, f.sentence) for f in found)


def to_view(held: book.Held, published_mark: str) -> JourneyView:
    """A journey in short; ``published_mark`` is that of its published version, if any."""
    journey = held.draft
    state = "draft" if not held.published else "paused" if held.paused else "live"
    return JourneyView(
        name=held.name,
        title=journey.title,
        state=state,
        published=held.published,
        changed=bool(held.published) and held.mark != published_mark,
        trigger=str(journey.trigger.__struct_config__.tag),
        steps=len(journey.steps),
        messages=len(journey.messages),
        priority=journey.priority,
        holdout=journey.holdout,
        category=journey.category,
        changed_at=held.changed_at,
        changed_by=held.changed_by,
    )


def _published_mark(tx: sa.Connection, held: book.Held) -> str:
    if not held.published:
        return ""
    return book.mark_of(book.get_version(tx, held.name, held.published))
