"""What the engine's sizing, bounty and room are meant to compute, in as few words as possible: crates/engine/src/sizing.rs and
backstop.rs. `n` reads the arithmetic (arithmetic.py). Nothing here is tuned for a virtual machine: that the engine's
narrow words and split divisions give the same is what the vectors show.
"""

from typing import NamedTuple

BPS = 10_000
#: Fractional bits of a price.
Q = 1 << 64
#: Fractional bits of stressed ÷ price.
RATIO = 1 << 20

PARTIAL, CUT, WHOLE, INSOLVENT = "Partial", "Cut", "Whole", "Insolvent"


class Rules(NamedTuple):
    """What an account is judged by; the fields of sizing::Rules, and the keeper's."""

    target_ltv: object
    liquidation_ltv: object
    insolvency_ltv: object
    penalty_min: object
    penalty_max: object
    min_debt: object
    bounty_tip: object
    bounty_share: object


class Demand(NamedTuple):
    extent: str
    repay: object
    penalty: object
    deficit: object


class Terms(NamedTuple):
    extent: str
    repay: object
    seize: object
    worth: object
    penalty: object
    penalty_amount: object
    deficit: object


def wanted_penalty(n, rules, debt, value):
    """β before the limit V/D − 1: linear in D/V between the two LTVs."""
    if n.at_most(rules.insolvency_ltv * value, BPS * debt):
        return rules.penalty_max
    if n.at_most(rules.penalty_max, rules.penalty_min):
        return rules.penalty_max
    above = BPS * debt - rules.liquidation_ltv * value
    span = (rules.insolvency_ltv - rules.liquidation_ltv) * value
    unit = n.ceil(span, rules.penalty_max - rules.penalty_min)
    return rules.penalty_min + n.floor(above, unit)


def penalty(n, rules, debt, value):
    """β, at most V/D − 1, not below zero."""
    wanted = wanted_penalty(n, rules, debt, value)
    if n.at_most(debt * (BPS + wanted), BPS * value):
        return wanted
    if n.less(value, debt):
        return 0
    return n.floor((value - debt) * BPS, debt)


def divisor(rules, beta):
    """10,000² × (1 − τ(1 + β))"""
    return BPS * BPS - rules.target_ltv * (BPS + beta)


def repayment(n, rules, debt, value, beta):
    """x = (D − τV) ÷ (1 − τ(1 + β)), rounded up, at most D."""
    excess = BPS * debt - rules.target_ltv * value
    x = n.ceil(excess * BPS, divisor(rules, beta))
    return x if n.less(x, debt) else debt


def is_healthy(n, rules, debt, value):
    return n.at_most(BPS * debt, rules.liquidation_ltv * value)


def demand(n, rules, debt, value):
    """For an account above its liquidation LTV."""
    beta = penalty(n, rules, debt, value)
    deficit = debt - value if n.less(value, debt) else 0
    if n.at_most(rules.insolvency_ltv * value, BPS * debt):
        return Demand(INSOLVENT, debt, beta, deficit)
    x = repayment(n, rules, debt, value, beta)
    if n.less(debt - x, rules.min_debt):
        return Demand(WHOLE, debt, beta, deficit)
    return Demand(PARTIAL, x, beta, deficit)


def cut(n, rules, asked, debt, room):
    """No more than the room, and no dust left. None if nothing fits."""
    if asked.extent == INSOLVENT or n.at_most(asked.repay, room):
        return asked
    largest = debt - rules.min_debt if n.less(rules.min_debt, debt) else 0
    repay = room if n.less(room, largest) else largest
    return None if n.at_most(repay, 0) else asked._replace(extent=PARTIAL, repay=repay)


def terms(n, asked, collateral, price):
    """`price` is Q64.64."""
    if n.less(0, asked.deficit):
        return Terms(asked.extent, asked.repay, collateral, asked.repay - asked.deficit, asked.penalty, 0, asked.deficit)
    extra = n.floor(asked.repay * asked.penalty, BPS)
    worth = asked.repay + extra
    s = n.floor(worth * Q, price)
    seize = s if n.less(s, collateral) else collateral
    return Terms(asked.extent, asked.repay, seize, worth, asked.penalty, extra, asked.deficit)


def bounty(n, rules, due):
    """The keeper's, quote atoms."""
    if due.extent == INSOLVENT:
        return rules.bounty_tip if n.at_most(rules.min_debt, due.repay) else 0
    share = n.floor(due.repay * rules.bounty_share, BPS)
    wanted = share if due.extent == CUT else rules.bounty_tip + share
    half = n.floor(due.penalty_amount, 2)
    return wanted if n.less(wanted, half) else half


class Books(NamedTuple):
    """What the room depends on: backstop::Capacity and two parameters."""

    assets: object
    liabilities: object
    cash: object
    leverage: object


def room_by_leverage(n, books, ratio, beta):
    """The largest debt that can be taken over with penalty β; `ratio` is stressed ÷ price in units of 2^−20, at most one."""
    if n.less(books.assets, books.liabilities):
        return 0
    bought = n.floor((books.assets - books.liabilities) * books.leverage, BPS) + books.cash
    if n.less(bought, books.liabilities):
        return 0
    brought = (BPS + beta) * ratio
    lost = BPS * RATIO - brought if n.less(brought, BPS * RATIO) else 0
    per_atom = n.ceil(books.leverage * lost, BPS * BPS) + RATIO
    return n.floor((bought - books.liabilities) * RATIO, per_atom)


def room_by_inventory(n, free_value, beta):
    """The same by the inventory cap, of which `free_value` quote atoms' worth is free."""
    return n.floor(free_value * BPS, BPS + beta)
