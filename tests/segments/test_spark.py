"""Spark finds the same customers as DuckDB, for any rule and any history."""

import shutil
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lingxi.segments import read_rule
from segments.happenings import NOW
from segments.place import Place
from segments.random_rules import rules

pytestmark = [
    pytest.mark.engine,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("spark"),
]
pytest.importorskip("pyspark", reason="needs lingxi[spark]")


@settings(
    max_examples=2,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # each example costs Spark seconds
    suppress_health_check=list(HealthCheck),
)
@given(st.data(), st.lists(rules(), min_size=4, max_size=6))
def test_spark_equals_duckdb_on_random_rules(
    place: Place, data: st.DataObject, forms: list[dict[str, object]]
) -> None:
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    place.fill(data)
    asked = {f"r{n}": read_rule(form) for n, form in enumerate(forms)}
    now = NOW + timedelta(days=data.draw(st.sampled_from([0, 6]), label="later"))
    ours, theirs = place.evaluate(asked, now), place.evaluate(asked, now, "spark")
    assert theirs.to_pylist() == ours.to_pylist()
