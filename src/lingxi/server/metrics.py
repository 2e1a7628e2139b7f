"""Numbers for Prometheus: how the server answers, and how far everything lags."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lingxi.app.views import StatusView

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The counters of one worker process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "lingxi_http_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "lingxi_http_request_seconds",
            "Seconds from a request's arrival to the end of its answer.",
            ["route"],
            buckets=_BUCKETS,
            registry=self._registry,
        )

        self._counters: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def register(self, collector: Collector) -> None:
        """Show the numbers of another part of the server too."""
        self._registry.register(collector)

    def count(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """Count one answer; ``route`` is the template, never the path with its identifiers."""
        child = self._counters.get((method, route, status))
        if child is None:
            child = self._requests.labels(method, route, str(status)), self._seconds.labels(route)
            self._counters[method, route, status] = child
        child[0].inc()
        if seconds is not None:
            child[1].observe(seconds)

    def render(self, status: StatusView | None) -> bytes:
        """Everything in Prometheus' text form; without the shop's part where it is unknown."""
        text = generate_latest(self._registry)
        if status is None:
            return text
        shop = CollectorRegistry()
        shop.register(_Fixed(describe(status)))
        return text + generate_latest(shop)


class _Fixed(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def describe(status: StatusView) -> list[Metric]:
    """The shop's state as gauges."""
    singles = {
        "lingxi_events": ("Events in the log.", status.events),
        "lingxi_customers": ("Known customers.", status.customers),
        "lingxi_items": ("Items in the catalogue.", status.items),
        "lingxi_quarantined": ("Lines in quarantine.", status.quarantined),
        "lingxi_disk_bytes": ("Bytes the shop takes on disk.", status.disk_bytes),
    }
    families: list[Metric] = [
        GaugeMetricFamily(name, words, value=value) for name, (words, value) in singles.items()
    ]
    behind = GaugeMetricFamily("lingxi_behind_events", "Events not yet seen.", labels=["name"])
    age = GaugeMetricFamily("lingxi_age_seconds", "Seconds since the last run.", labels=["name"])
    for lag in status.lags:
        behind.add_metric([lag.name], lag.behind)
        if lag.updated_at is not None:
            age.add_metric([lag.name], (status.as_of - lag.updated_at).total_seconds())
    models = GaugeMetricFamily("lingxi_model", "Models in use.", labels=["kind", "version"])
    for kind, version in status.models.items():
        models.add_metric([kind, version], 1)
    memory = GaugeMetricFamily(
        "lingxi_recommender_bytes", "Memory the recommender takes.", labels=["part"]
    )
    for part, size in status.memory_bytes.items():
        memory.add_metric([part], size)
    mapped = GaugeMetricFamily(
        "lingxi_model_mapped_bytes",
        "Memory that the arrays of a model in use take, shared by all processes.",
        labels=["kind"],
    )
    for kind, size in status.mapped_bytes.items():
        mapped.add_metric([kind], size)
    return [*families, behind, age, models, memory, mapped]
