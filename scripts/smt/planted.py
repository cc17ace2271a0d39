"""Falsehoods that must be refuted, or else the proofs say nothing: each differs from a claim by one thing."""

import claims
import model
from model import BPS, HOUR, PARTIAL, Q, SPREAD, TAKE_OVER, Demand

FALSEHOODS = []


def falsehood(statement):
    def register(make):
        FALSEHOODS.append((statement, make))
        return make

    return register


@falsehood("repayment of one atom less reaches the target")
def repayment_less(free):
    facts, rules, debt, value, beta = claims.at_one_price(free)

    def left(x):
        x = x - 1
        return [(BPS * BPS * (debt - x), rules.target_ltv * (BPS * value - x * (BPS + beta)))]

    return facts, lambda n: model.repayment(n, rules, SPREAD, debt, value, beta), left


@falsehood("repayment to the target suffices to pay the penalty too: x = (D − τV) ÷ (1 − τ)")
def repayment_without_penalty(free):
    facts, rules, debt, value, beta = claims.at_one_price(free)

    def left(x):
        return [(BPS * BPS * (debt - x), rules.target_ltv * (BPS * value - x * (BPS + beta)))]

    return facts, lambda n: model.repayment(n, rules, SPREAD, debt, value, 0), left


@falsehood("repayment that leaves the gap between the prices out reaches the target at h")
def repayment_without_gap(free):
    facts, rules, (k, _), (debt, judged, _), beta = claims.partial(free)
    divisor = BPS * BPS - rules.target_ltv * (BPS + beta)
    excess = BPS * debt - rules.target_ltv * judged
    goal = lambda x: [claims.reached(rules, k, debt, judged, x, beta)]
    return facts, lambda n: n.ceil(excess * BPS, divisor), goal


@falsehood("a partial liquidation at any gap is covered by the collateral")
def gap_beyond_margin(free):
    facts, rules = claims.rules_of(free)
    k = free("k")
    worth, judged, settled = claims.values_of(free, k)
    debt = free("debt")
    facts += worth + [k >= 1, k <= 2, debt >= 1, BPS * debt <= rules.takeover_ltv * judged - 1]
    return facts, lambda n: None, lambda _: [(debt, settled)]


@falsehood("seizure of one atom more is worth no more than repaid × (1 + β)")
def seizure_more(free):
    facts, formula, _, _, _, price = claims.seizure(free)
    return facts, formula, lambda due: [((due.seize + 1) * price, due.worth * Q)]


@falsehood("every part repaid improves the account, whatever the penalty")
def part_improves(free):
    facts, rules = claims.rules_of(free)
    value, repaid, beta = free("value"), free("repaid"), free("beta")
    more, debt = claims.account(free, rules, value)
    facts += more + [value <= claims.ATOMS, debt <= value, repaid >= 1, repaid <= debt, beta >= 0, beta <= rules.penalty]
    worth = lambda n: repaid + n.floor(repaid * beta, BPS)
    return facts, worth, lambda worth: [((debt - repaid) * value, debt * (value - worth))]


@falsehood("a cut leaves no dust, whatever the debt")
def cut_of_small_debt(free):
    facts, formula, rules, debt, asked, limit = claims.cut_of(free)
    facts += [limit <= asked - 1, debt >= rules.min_debt]
    return facts, formula, lambda found: [] if found is None else [(rules.min_debt, debt - found.repay)]


@falsehood("bounty is at most a third of the penalty")
def bounty_third(free):
    facts, formula, _, _, _, amount = claims.bounty_of(PARTIAL, free, None)
    return facts, formula, lambda bounty: [(3 * bounty, amount)]


@falsehood("bounty of a take-over is at most half of the penalty too")
def bounty_take_over(free):
    facts, formula, _, _, _, amount = claims.bounty_of(TAKE_OVER, free, None)
    return facts, formula, lambda bounty: [(2 * bounty, amount)]


@falsehood("narrow words suffice for amounts of 52 bits")
def words_of_52_bits(free):
    facts, rules = claims.rules_of(free)
    amount = free("amount")
    facts += [amount >= 0, amount <= (1 << 52) - 1]
    return facts, lambda n: None, lambda _: [(amount * (BPS + rules.penalty), claims.ATOMS)]


@falsehood("bad debt leaves some collateral to the account")
def bad_debt_leaves(free):
    facts, formula, _, debt, value, collateral = claims.take_over(free)
    facts += [debt >= value + 1, collateral >= 1]
    return facts, formula, lambda due: [(due.seize + 1, collateral)]


@falsehood("the lower edge of a band understates nothing")
def lower_edge(free):
    facts, _, shares, collateral, edge = claims.band(free)
    # 2^(1/32) > 1.02189.
    weight = lambda n: n.floor((1 << 32) * 102_189, edge * 100_000)
    return facts, weight, lambda w: [(shares * w, collateral * (1 << 32))]


@falsehood("without the factor 1 + 2^-12 no account has less collateral than at its edge")
def edge_without_factor(free):
    facts, _, shares, collateral, edge = claims.band(free)
    return facts, lambda n: n.floor(1 << 32, edge), lambda w: [(shares * w, collateral * (1 << 32))]


@falsehood("a take-over of some collateral less keeps C but for the bounty")
def take_over_loses(free):
    facts, _, goal = claims.take_over_keeps(free)
    names = ("cash", "owed", "held", "shares", "unfunded", "seized", "counted", "taken", "bounty", "q", "index")
    cash, owed, held, shares, unfunded, seized, counted, taken, bounty, q, index = (free(name) for name in names)
    facts = [fact for fact in facts if str(fact) != str(seized >= counted - 1)] + [seized >= 0, seized >= counted - 1_000]

    def covers(n):
        before = model.cover(n, (cash, owed, held + counted, shares + taken, unfunded), q, index)
        after = model.cover(n, (cash, owed, held + seized, shares + taken, unfunded + bounty), q, index)
        return before, after

    return facts, covers, goal


@falsehood("flow: a mark that lags behind now bounds the sales of a window")
def flow_lags(free):
    start, used, mark, now, took, burst = (free(name) for name in ("start", "used", "mark", "now", "took", "burst"))
    facts = [start >= 0, used >= 0, now >= start, took >= 0, burst >= 0, used <= 0, mark >= 0, mark <= now]

    def after(n):
        n.facts.append(mark + took <= now + burst)
        return mark + took

    return facts, after, lambda _: [(used + took, (now - start) + burst)]


@falsehood("flow: rounded down, a sale takes its time")
def flow_rounded_down(free):
    facts, amount, price, rate, _ = claims.sale(free, 1)
    took = lambda n: n.floor(n.ceil(amount * price, Q) * HOUR, rate)
    return facts, took, lambda took: [(amount * price * HOUR, took * rate * Q)]
