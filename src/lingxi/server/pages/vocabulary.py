"""The closed vocabularies that filters and figures go through, in the order they are shown."""

STAGES = ("registered", "new", "active", "loyal", "at_risk", "lapsed", "lost", "won_back")
SEGMENTS = (
    "champions",
    "loyal_customers",
    "potential_loyalists",
    "new_customers",
    "promising",
    "need_attention",
    "about_to_sleep",
    "at_risk",
    "cannot_lose",
    "hibernating",
    "lost",
)
ACTIONS = (
    "welcome",
    "second_order",
    "cross_sell",
    "loyalty_thanks",
    "replenishment",
    "win_back",
    "leave_alone",
)
LEVELS = ("low", "medium", "high")
LEAVE_ALONE = "leave_alone"

STAGE_GROUPS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("new", ("registered", "new"), "6"),
    ("active", ("active",), "2"),
    ("loyal", ("loyal",), "1"),
    ("won_back", ("won_back",), "4"),
    ("at_risk", ("at_risk",), "3"),
    ("gone", ("lapsed", "lost"), "other"),
)
"""Stages as the chart over time groups them: at most six series can be told apart."""
