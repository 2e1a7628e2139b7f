"""Makes ``exported/``, the small stored model that tests without PyTorch serve.

Run with ``lingxi[deep]`` installed: ``python tests/recommend/deep/make_exported.py``.
"""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from lingxi.clock import FixedClock
from lingxi.recommend.deep.scorer import Transformer
from lingxi.recommend.deep.settings import Settings
from lingxi.store import Artefacts
from lingxi.testing.scorer import make_taught

FOLDER = Path(__file__).parent / "exported"
SETTINGS = Settings(embedding_size=8, heads=2, length=6, dropout=0.1, threads=1, device="cpu")


def main() -> None:
    """Fit, store, and keep the scores that PyTorch gives beside it."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    scorer = Transformer("transformer", replace(SETTINGS, learning_rate=0.01, reg=0.1))
    scorer.fit(make_taught())
    with Artefacts(FOLDER, FixedClock(datetime(2026, 1, 1, tzinfo=UTC))).write("recommender") as to:
        scorer.save(to, "deep", np.arange(60))
    np.save(FOLDER / "scores.npy", scorer.score(make_taught()))


if __name__ == "__main__":
    main()
