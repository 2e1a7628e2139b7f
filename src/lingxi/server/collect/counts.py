"""Numbers of the collector for Prometheus: what came, what became of it, how long it waited."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lingxi.ingest.message import Dropped, Outcome

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Counts(Collector):
    """Plain counters, made into Prometheus' form only when somebody reads them."""

    def __init__(self) -> None:
        self._answers: Counter[tuple[str, int]] = Counter()
        self._events: Counter[tuple[str, str]] = Counter()
        self._seconds = Histogram(
            "lingxi_collect_commit_seconds",
            "Seconds of one commit of events.",
            buckets=_BUCKETS,
            registry=None,
        )
        self._depths: tuple[Callable[[], int], Callable[[], int]] = (lambda: 0, lambda: 0)

    def watch(self, events: Callable[[], int], size: Callable[[], int]) -> None:
        """Name what tells how many events and bytes wait."""
        self._depths = (events, size)

    def answer(self, route: str, status: int) -> None:
        """Count one answered request."""
        self._answers[route, status] += 1

    def refuse(self, reason: str, n: int) -> None:
        """Count events that were sent back, to be sent again."""
        self._events["refused", reason] += n

    def commit(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        """Count what became of the events of one commit."""
        self._seconds.observe(seconds)
        found: Counter[tuple[str, str]] = Counter(
            (each.result, each.cleaned.reason.value if isinstance(each.cleaned, Dropped) else "")
            for each in outcomes
        )
        self._events.update(found)

    def collect(self) -> Iterable[Metric]:
        """The present numbers; called by Prometheus' registry."""
        answers = CounterMetricFamily(
            "lingxi_collect_requests", "Requests of the collector.", labels=["route", "status"]
        )
        for (route, status), n in list(self._answers.items()):
            answers.add_metric([route, str(status)], n)
        events = CounterMetricFamily(
            "lingxi_collect_events", "Events by what became of them.", labels=["result", "reason"]
        )
        for (result, reason), n in list(self._events.items()):
            events.add_metric([result, reason], n)
        waiting, size = self._depths
        return [
            answers,
            events,
            GaugeMetricFamily("lingxi_collect_waiting", "Events in the queue.", value=waiting()),
            GaugeMetricFamily("lingxi_collect_waiting_bytes", "Bytes in the queue.", value=size()),
            *self._seconds.collect(),
        ]
