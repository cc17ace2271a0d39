"""What the engine's sizing, bounty, stress cover and flow are meant to compute, in as few words as possible: sizing.rs, stress.rs,
map.rs and pace.rs of crates/engine/src. `n` reads the arithmetic (arithmetic.py). Nothing here is tuned for a virtual
machine: that the engine's narrow words and split divisions give the same is what the vectors show.
"""

from typing import NamedTuple

BPS = 10_000
#: Fractional bits of a price.
Q = 1 << 64
#: Fractional bits of h ÷ l.
SPREAD = 1 << 32

PARTIAL, WHOLE, TAKE_OVER = "Partial", "Whole", "TakeOver"
HEALTHY, GAP, BELOW = "AccountHealthy", "PriceGapTooWide", "CollateralBelowDebt"


class Rules(NamedTuple):
    """What an account is judged by; the fields of sizing::Rules, the keeper's, and the largest gap."""

    target_ltv: object
    liquidation_ltv: object
    takeover_ltv: object
    penalty: object
    takeover_penalty: object
    min_debt: object
    bounty_tip: object
    bounty_share: object
    bounty_cap: object
    max_gap: object


class Demand(NamedTuple):
    extent: str
    repay: object
    penalty: object
    #: V_l
    value: object


class Terms(NamedTuple):
    extent: str
    repay: object
    seize: object
    worth: object
    took: object
    penalty_amount: object
    deficit: object


def spread(n, judged, settled):
    """h ÷ l in units of 2^-32, rounded up."""
    return n.ceil(judged * SPREAD, settled)


def is_near(n, rules, judged, settled):
    """Whether h × (1 − max_gap), rounded up, is at most l."""
    return n.at_most(n.ceil(judged * (BPS - rules.max_gap), BPS), settled)


def affordable(n, wanted, debt, value):
    """min(wanted, V_l/D − 1), in basis points rounded down; None if the collateral is worth less than the debt."""
    if n.at_most(debt * (BPS + wanted), BPS * value):
        return wanted
    if n.less(value, debt):
        return None
    return n.floor((value - debt) * BPS, debt)


def given(n, rules, beta, apart):
    """10,000² × τ(1 + β)h/l, rounded up; `apart` is h ÷ l, and exact where they are one price."""
    if apart is SPREAD:
        return rules.target_ltv * (BPS + beta)
    return n.ceil(rules.target_ltv * (BPS + beta) * apart, SPREAD)


def repayment(n, rules, apart, debt, judged, beta):
    """x = (D − τV_h) ÷ (1 − τ(1 + β)h/l), rounded up, at most D."""
    excess = BPS * debt - rules.target_ltv * judged
    x = n.ceil(excess * BPS, BPS * BPS - given(n, rules, beta, apart))
    return x if n.less(x, debt) else debt


def demand(n, rules, apart, debt, judged, settled):
    """For an account whose collateral has these two values; the name of an error if nothing may be taken. `apart` is None if the
    prices are further apart than the largest gap."""
    if n.at_most(BPS * debt, rules.liquidation_ltv * judged):
        return HEALTHY
    if n.at_most(rules.takeover_ltv * judged, BPS * debt):
        return Demand(TAKE_OVER, debt, affordable(n, rules.takeover_penalty, debt, settled) or 0, settled)
    if apart is None:
        return GAP
    beta = affordable(n, rules.penalty, debt, settled)
    if beta is None:
        return BELOW
    x = repayment(n, rules, apart, debt, judged, beta)
    if n.less(debt - x, rules.min_debt):
        return Demand(WHOLE, debt, beta, settled)
    return Demand(PARTIAL, x, beta, settled)


def cut(n, rules, asked, debt, limit):
    """No more than the limit. No dust is left, unless the cut would be a crumb otherwise. None if the limit is one."""
    if asked.extent == TAKE_OVER or n.at_most(asked.repay, limit):
        return asked
    least = asked.repay if n.less(asked.repay, rules.min_debt) else rules.min_debt
    if n.less(limit, least):
        return None
    largest = debt - rules.min_debt if n.less(rules.min_debt, debt) else 0
    repay = limit if n.less(largest, least) or n.less(limit, largest) else largest
    return asked._replace(extent=PARTIAL, repay=repay)


def terms(n, rules, asked, collateral, settled):
    """`settled` is the price l, Q64.64."""
    if asked.extent == TAKE_OVER and n.less(asked.penalty, rules.takeover_penalty):
        seize, worth = collateral, asked.value
    else:
        worth = asked.repay + n.floor(asked.repay * asked.penalty, BPS)
        s = n.floor(worth * Q, settled)
        seize = s if n.less(s, collateral) else collateral
    more = n.less(asked.repay, worth)
    amount, deficit = (worth - asked.repay, 0) if more else (0, asked.repay - worth)
    return Terms(asked.extent, asked.repay, seize, worth, asked.penalty, amount, deficit)


def earned(n, rules, paid):
    """min(tip + share × paid, cap)"""
    wanted = rules.bounty_tip + n.floor(paid * rules.bounty_share, BPS)
    return wanted if n.less(wanted, rules.bounty_cap) else rules.bounty_cap


def bounty(n, rules, due):
    """The keeper's, quote atoms."""
    wanted = earned(n, rules, due.repay if n.less(due.repay, due.worth) else due.worth)
    if due.extent == TAKE_OVER:
        return wanted
    half = n.floor(due.penalty_amount, 2)
    return wanted if n.less(wanted, half) else half


def shared_penalty(n, rules, due):
    """What guardians have a share of: β at most."""
    flat = n.floor(due.repay * rules.penalty, BPS)
    return flat if due.extent == TAKE_OVER and n.less(flat, due.penalty_amount) else due.penalty_amount


def pipeline_headroom(n, value, inventory, price):
    """Collateral atoms that fit the pipeline of `value` quote atoms beside the inventory, at the higher EMA."""
    held = n.ceil(inventory * price, Q)
    return n.floor((value - held) * Q, price) if n.less(held, value) else 0


def pipeline_debt(n, headroom, settled, beta):
    """The debt that can be taken for so many collateral atoms."""
    return n.floor(n.floor(headroom * settled, Q) * BPS, BPS + beta)


def cover(n, books, q, index):
    """C: assets rounded down, liabilities up. `books` are cash, reserves owed, collateral (inventory and M), debt shares (the
    backstop's and N), unfunded credits."""
    cash, owed, collateral, shares, unfunded = books
    return cash + owed + n.floor(q * collateral, Q) - n.ceil(index * shares, Q) - unfunded


def time_of(n, amount, price, rate):
    """The time that the flow limit takes for a sale, microseconds, rounded up; the rate is quote atoms an hour."""
    return n.ceil(n.ceil(amount * price, Q) * HOUR, rate)


#: Microseconds in an hour.
HOUR = 3_600_000_000
