"""The bench on which features are computed; the modules beside the tests can be imported."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from feature_histories import Bench


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Features of plain lists of events, on one DuckDB session."""
    made = Bench(tmp_path_factory.mktemp("bench"))
    yield made
    made.session.close()
