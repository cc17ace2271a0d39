"""Falsehoods that must be refuted, or else the proofs say nothing: each differs from a claim by one thing."""

import claims
import model
from model import BPS, PARTIAL, Q, Demand

FALSEHOODS = []


def falsehood(statement):
    def register(make):
        FALSEHOODS.append((statement, make))
        return make

    return register


@falsehood("penalty does not fall when the debt rises, even where it is held to V/D − 1")
def penalty_rises(free):
    facts, rules = claims.rules_of(free)
    more, debt, value = claims.account(free, rules)
    deeper = free("deeper")
    facts += more + [debt <= deeper, deeper <= value]
    both = lambda n: (model.penalty(n, rules, debt, value), model.penalty(n, rules, deeper, value))
    return facts, both, lambda betas: [betas]


@falsehood("penalty is on the line from β_min to β_max, not rounded")
def penalty_on_line(free):
    facts, rules, debt, value, above, span, width = claims.interpolated(free)
    goal = lambda beta: [(above * width, (beta - rules.penalty_min) * span)]
    return facts, lambda n: model.wanted_penalty(n, rules, debt, value), goal


@falsehood("repayment of one atom less reaches the target")
def repayment_less(free):
    facts, rules, debt, value, beta = claims.solvent(free)

    def left(x):
        x = x - 1
        return [(BPS * BPS * (debt - x), rules.target_ltv * (BPS * value - x * (BPS + beta)))]

    return facts, lambda n: model.repayment(n, rules, debt, value, beta), left


@falsehood("repayment to the target suffices to pay the penalty too: x = (D − τV) ÷ (1 − τ)")
def repayment_without_penalty(free):
    facts, rules, debt, value, beta = claims.solvent(free)

    def left(x):
        return [(BPS * BPS * (debt - x), rules.target_ltv * (BPS * value - x * (BPS + beta)))]

    return facts, lambda n: model.repayment(n, rules, debt, value, 0), left


@falsehood("seizure of one atom more is worth no more than repaid × (1 + β)")
def seizure_more(free):
    facts, formula, _, _, _, price = claims.seizure(free)
    return facts, formula, lambda due: [((due.seize + 1) * price, due.worth * Q)]


@falsehood("every part repaid improves the account, whatever the penalty")
def part_improves(free):
    facts, rules = claims.rules_of(free)
    more, debt, value = claims.account(free, rules)
    repaid, beta = free("repaid"), free("beta")
    facts += more + [debt <= value, repaid >= 1, repaid <= debt, beta >= 0, beta <= rules.penalty_max]
    worth = lambda n: repaid + n.floor(repaid * beta, BPS)
    return facts, worth, lambda worth: [((debt - repaid) * value, debt * (value - worth))]


@falsehood("a cut to the room leaves no dust, though the demand would have")
def cut_to_room(free):
    facts, rules = claims.rules_of(free)
    debt, room = free("debt"), free("room")
    facts += [debt >= 1, room >= 1, room <= debt]
    return facts, lambda n: room, lambda repaid: [(rules.min_debt, debt - repaid)]


@falsehood("bounty is at most a third of the penalty")
def bounty_third(free):
    facts, formula, _, amount = claims.bounty_of(PARTIAL, free, None)
    return facts, formula, lambda bounty: [(3 * bounty, amount)]


@falsehood("room of one atom more keeps the leverage, if nothing is lost to rounding")
def room_more(free):
    facts, books, ratio, beta, repaid = claims.room(free)

    def more(n):
        found = model.room_by_leverage(n, books, ratio, beta)
        n.facts.append(repaid == found + 1)
        return found

    def leverage_after(_):
        brought = repaid * (BPS + beta) * ratio / (BPS * model.RATIO)
        equity = books.assets - books.liabilities - repaid + brought
        return [(BPS * (books.liabilities + repaid - books.cash), books.leverage * equity)]

    return facts, more, leverage_after


@falsehood("narrow words suffice for amounts of 52 bits")
def words_of_52_bits(free):
    facts, rules = claims.rules_of(free)
    amount = free("amount")
    facts += [amount >= 0, amount <= (1 << 52) - 1]
    return facts, lambda n: None, lambda _: [(amount * (BPS + rules.penalty_max), claims.ATOMS)]


@falsehood("bad debt leaves some collateral to the account")
def bad_debt_leaves(free):
    debt, value, collateral = free("debt"), free("value"), free("collateral")
    facts = [value >= 0, debt >= value + 1, collateral >= 1]
    formula = lambda n: model.terms(n, Demand(model.INSOLVENT, debt, 0, debt - value), collateral, Q)
    return facts, formula, lambda due: [(due.seize + 1, collateral)]
