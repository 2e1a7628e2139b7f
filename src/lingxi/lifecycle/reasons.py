"""Why: stages, changes of stage and churn scores as sentences without a language."""

from collections.abc import Mapping

import msgspec
import numpy as np

from lingxi.i18n import Sentence
from lingxi.learning import Contributions
from lingxi.lifecycle.concepts import CHURN_FEATURES, CONCEPT_OF, CONCEPTS
from lingxi.lifecycle.frames import Floats

TOP_REASONS = 4
_LEAST_SHARE = 0.05
_CONCEPTS = tuple(CONCEPTS)
Row = Mapping[str, float]


class ChurnReason(msgspec.Struct, frozen=True):
    """One thing that moved a churn score; positive raises the risk, in the score's own unit."""

    sentence: Sentence
    contribution: float


def group_contributions(contributions: Contributions) -> Floats:
    """Contributions added up by concept, shape (n_rows, n_concepts), columns as ``CONCEPTS``.

    Features of one concept move together, and a linear model may credit one and debit another;
    only their sum says something.
    """
    grouped = np.zeros((len(contributions.values), len(_CONCEPTS)))
    for column, name in enumerate(CHURN_FEATURES):
        grouped[:, _CONCEPTS.index(CONCEPT_OF[name])] += contributions.values[:, column]
    return grouped


def explain_churn(grouped: Floats, X: Floats) -> list[tuple[ChurnReason, ...]]:
    """The strongest reasons of each row, at most four, the weak ones (under 5%) left out."""
    total = np.abs(grouped).sum(axis=1)
    order = np.argsort(-np.abs(grouped), axis=1, kind="stable")[:, :TOP_REASONS]
    found = []
    for row in range(len(X)):
        values = dict(zip(CHURN_FEATURES, X[row].tolist(), strict=True))
        reasons = []
        for concept in order[row].tolist():
            moved = float(grouped[row, concept])
            if abs(moved) < _LEAST_SHARE * total[row] or moved == 0:
                break
            sentence = describe_concept(_CONCEPTS[concept], values, up=moved > 0)
            reasons.append(ChurnReason(sentence, round(moved, 6)))
        found.append(tuple(reasons))
    return found


def describe_concept(concept: str, row: Row, *, up: bool) -> Sentence:
    """What the customer did in this respect; ``up`` where it raises the risk.

    >>> row = {"recency_days": 120.0, "gap_mean_days": 30.0}
    >>> describe_concept("recency", row, up=True).code
    'lifecycle.churn.recency.up'
    """
    params, variant = _describe(concept, row)
    end = "up" if up else "down"
    return Sentence(f"lifecycle.churn.{concept}{variant}.{end}", params)


def _describe(concept: str, row: Row) -> tuple[dict[str, str | int | float | bool], str]:
    usual = row.get("gap_mean_days", np.nan)
    match concept:
        case "recency":
            days = int(_known(row, "recency_days"))
            return {"n": days}, ".first" if np.isnan(usual) else ""
        case "rhythm":
            return ({}, ".first") if np.isnan(usual) else ({"n": _days(usual)}, "")
        case "frequency":
            return {"n": _whole(row, "frequency"), "recent": _whole(row, "orders_90d")}, ""
        case "money":
            recent = _whole(row, "revenue_90d_cents")
            return {"total_cents": _whole(row, "money_cents"), "recent_cents": recent}, ""
        case "basket":
            return {"order_cents": _whole(row, "average_order_cents")}, ""
        case "tenure":
            return {"n": _whole(row, "first_order_days")}, ""
        case "variety":
            return {"n": _whole(row, "items")}, ""
        case "returns":
            return {"returned_share": _known(row, "return_rate")}, ""
        case "discount":
            return {"discount_share": _known(row, "discount_share")}, ""
        case "visits":
            return {"sessions": _whole(row, "sessions_30d"), "n": _whole(row, "views_30d")}, ""
    raise ValueError(concept)


def _known(row: Row, name: str) -> float:
    return float(np.nan_to_num(row.get(name, np.nan)))


def _whole(row: Row, name: str) -> int:
    return round(_known(row, name))


def _days(value: float) -> int:
    return max(1, round(value))
