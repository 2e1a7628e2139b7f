"""The ring of the last messages, whether somebody looks after each commit or only in the end."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from lingxi.ingest.message import Dropped, Message, Outcome
from lingxi.ingest.reasons import DropReason
from lingxi.ingest.recent import Recent

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def outcome(number: int, size: int) -> Outcome:
    message = Message(body={}, raw=b"x" * size, received_at=NOW, source=f"s{number}")
    cleaned = Dropped(message=message, step="s", reason=DropReason.BOT)
    return Outcome(cleaned=cleaned, result="dropped", subject=number % 3)


def held(recent: Recent) -> list[tuple[int, str]]:
    found = recent.list(n=1_000)
    return [(seen.number, seen.outcome.cleaned.message.source) for seen in found]


@given(st.lists(st.lists(st.integers(0, 3_000), max_size=9), max_size=12), st.integers(0, 2**12))
def test_who_looks_seldom_finds_what_who_looks_always_finds(
    commits: list[list[int]], looks: int
) -> None:
    seldom, always = Recent(entries=7, size_bytes=40_000), Recent(entries=7, size_bytes=40_000)
    number = 0
    for place, sizes in enumerate(commits):
        outcomes = [outcome(number + i, size) for i, size in enumerate(sizes)]
        number += len(outcomes)
        seldom(outcomes)
        always(outcomes)
        assert always.size_bytes <= 40_000
        if looks >> place & 1:
            assert held(seldom) == held(always)
    assert seldom.forget({1}) == always.forget({1})
    assert held(seldom) == held(always)
    assert (seldom.size_bytes, len(seldom)) == (always.size_bytes, len(always))
