"""Online Retail: the next basket and the purchases of 30 days, repeats and discoveries apart.

    python benchmarks/next_basket_online_retail.py FOLDER/online_retail.parquet

Fitted on what was bought before the cutoff (30 days before the last line), asked of the customers
who bought after it. Repeats: what they buy again, among what they had. Discoveries: what they had
not, with all they had left out. Parameters are the models' defaults: nothing is tuned.
"""

import argparse
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lingxi.recommend.evaluation import evaluate
from lingxi.recommend.families import build_scorer, make_recipe
from lingxi.recommend.histories import Histories
from lingxi.recommend.matrix import Csr, build_csr, densify
from lingxi.recommend.scorer import Ranker

DAYS = 30
MODELS = ("popularity", "item_cosine", "transitions", "repeat", "next_basket")
METRICS = ("recall@20", "ndcg@20", "hit_rate@20")


@dataclass(frozen=True)
class SeenOnly:
    """A model that may only name what the history holds."""

    ranker: Ranker

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """The scores, 0 for what was not met."""
        seen = densify(histories.seen()) > 0
        scores: NDArray[np.float32] = np.where(seen, self.ranker.score(histories), np.float32(0))
        return scores


def read_lines(path: Path) -> pd.DataFrame:
    """Whole sales of products to known customers, one row an item of an invoice."""
    columns = ["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"]
    lines = pd.read_parquet(path, columns=columns)
    code, invoice = lines.StockCode.astype(str), lines.InvoiceNo.astype(str)
    sold = (lines.Quantity > 0) & (lines.UnitPrice > 0) & lines.CustomerID.notna()
    lines = lines[sold & code.str.match(r"\d{5}") & ~invoice.str.startswith("C")]
    return lines.drop_duplicates(["InvoiceNo", "StockCode"])


def wanted_after(late: pd.DataFrame, shape: tuple[int, int]) -> Csr:
    """What each customer bought, 1 a cell."""
    cells = np.unique(late.row.to_numpy() * shape[1] + late.item.to_numpy())
    rows, items = np.divmod(cells, shape[1])
    indptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=shape[0]))))
    return build_csr(np.ones(len(items)), items, indptr, shape)


def run(path: Path) -> None:
    """Print a line for each question, model and metric."""
    lines = read_lines(path)
    moments = pd.to_datetime(lines.InvoiceDate)
    cutoff = moments.max() - timedelta(days=DAYS)
    lines = lines.assign(
        row=pd.factorize(lines.CustomerID)[0],
        item=pd.factorize(lines.StockCode)[0],
        moment=moments.astype("datetime64[us]").astype(np.int64),
        late=moments >= cutoff,
    )
    shape = (int(lines.row.max()) + 1, int(lines.item.max()) + 1)
    early, late = lines[~lines.late], lines[lines.late]
    taught = Histories.of_events(
        early.row.to_numpy(),
        early.item.to_numpy(),
        shape,
        moments=early.moment.to_numpy(),
        baskets=pd.factorize(early.InvoiceNo)[0],
    )
    first = late.groupby("row").moment.transform("min")
    print(f"{shape[0]} customers, {shape[1]} items, {len(early)} lines before {cutoff}")
    questions = {"next basket": late[late.moment == first], f"{DAYS} days": late}
    models = {name: build_scorer(make_recipe(name)) for name in MODELS}
    for scorer in models.values():
        scorer.fit(taught)
    for question, bought in questions.items():
        answer(question, models, taught, wanted_after(bought, shape))


def answer(question: str, models: dict[str, Ranker], taught: Histories, wanted: Csr) -> None:
    """Repeats and discoveries of one question."""
    seen = taught.seen()
    repeats: Csr = wanted.multiply(seen).tocsr()
    fresh: Csr = (wanted - repeats).tocsr()
    fresh.eliminate_zeros()
    for kind, found in (("repeats", repeats), ("discoveries", fresh)):
        rows = np.flatnonzero((np.diff(found.indptr) > 0) & (taught.lengths > 0))
        asked = taught.take(rows)
        nothing = asked.keep(np.zeros(len(asked.items), dtype=np.bool_)).seen()
        for name, scorer in models.items():
            if kind == "discoveries" and name == "repeat":
                continue
            ranker: Ranker = SeenOnly(scorer) if kind == "repeats" else scorer
            report = evaluate(
                ranker,
                asked,
                found[rows],
                at=(20,),
                excluded=nothing if kind == "repeats" else seen[rows],
                popularity=np.zeros(taught.n_items),
            ).summary(np.random.default_rng(7))
            told = ", ".join(
                f"{m} {report[m].value:.4f} [{report[m].low:.4f}, {report[m].high:.4f}]"
                for m in METRICS
            )
            print(f"{question}, {kind}, {len(rows)} customers, {name}: {told}", flush=True)


def main() -> None:
    """Read the argument and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    run(parser.parse_args().data)


if __name__ == "__main__":
    main()
