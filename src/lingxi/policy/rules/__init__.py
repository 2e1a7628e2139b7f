"""The rules of the plan, one file each, in the order in which they are asked.

The first rule with a proposal decides; a customer whom no rule speaks for is left alone.
"""

from collections.abc import Callable

from lingxi.policy.candidate import Candidate, Proposal, ShopFacts
from lingxi.policy.rules import (
    cross_sell,
    leave_alone,
    loyalty_thanks,
    replenishment,
    second_order,
    welcome,
    win_back,
)

Rule = Callable[[Candidate, ShopFacts], Proposal | None]

RULES: dict[str, Rule] = {
    "welcome": welcome.propose,
    "leave_alone": leave_alone.propose,
    "replenishment": replenishment.propose,
    "loyalty_thanks": loyalty_thanks.propose,
    "second_order": second_order.propose,
    "win_back": win_back.propose,
    "cross_sell": cross_sell.propose,
}

NO_RULE = "no_rule"


def decide(customer: Candidate, shop: ShopFacts) -> tuple[str, Proposal]:
    """The name of the rule that decides for a customer, and its proposal."""
    for name, rule in RULES.items():
        proposal = rule(customer, shop)
        if proposal is not None:
            return name, proposal
    return NO_RULE, leave_alone.leave("policy.reason.nothing_to_say")


__all__ = ["NO_RULE", "RULES", "Rule", "decide"]
