"""What must hold of sizing and room, for every parameter set that the engine accepts and every account.

A claim is a function that returns the facts it starts from, the formula it is about, and what must follow: a list of pairs
(a, b), each meaning a ≤ b. It takes `free`, which makes unknown numbers, and the name of a rule of the box to do without.
Where a claim starts from what another proves, its docstring names that one.
"""

from model import BPS, PARTIAL, Q, RATIO, Books, Demand, Rules
import box
import model

#: The most atoms that an account or a vault can hold.
ATOMS = (1 << 64) - 1

CLAIMS = []


def claim(statement):
    def register(make):
        CLAIMS.append((statement, make))
        return make

    return register


def rules_of(free, without=None):
    """Parameters in the box, as a dictionary of facts and as Rules."""
    values = {name: free(name) for name in Rules._fields}
    rules = [fact for name, fact in box.rules(values).items() if name != without]
    return box.bounds(values) + rules, Rules(**values)


def account(free, rules):
    """Debt and value of an account above its liquidation LTV."""
    debt, value = free("debt"), free("value")
    facts = [debt >= 1, debt <= ATOMS, value >= 0, value <= ATOMS]
    return facts + [BPS * debt >= rules.liquidation_ltv * value + 1], debt, value


def solvent(free, without=None):
    """An account between the two LTVs, with any penalty as `penalty stays in its bounds` and `penalty leaves solvent` allow."""
    facts, rules = rules_of(free, without)
    more, debt, value = account(free, rules)
    beta = free("beta")
    facts += more + [BPS * debt <= rules.insolvency_ltv * value - 1, beta >= 0, beta <= rules.penalty_max]
    return facts + [debt * (BPS + beta) <= BPS * value], rules, debt, value, beta


@claim("penalty stays in its bounds: 0 ≤ β ≤ β_max")
def penalty_bounds(free, without=None):
    facts, rules = rules_of(free, without)
    more, debt, value = account(free, rules)
    return facts + more, lambda n: model.penalty(n, rules, debt, value), lambda beta: [(0, beta), (beta, rules.penalty_max)]


@claim("penalty leaves solvent: D ≤ V gives D(1 + β) ≤ V, so no penalty creates bad debt")
def penalty_leaves_solvent(free, without=None):
    facts, rules = rules_of(free, without)
    more, debt, value = account(free, rules)
    facts += more + [debt <= value]
    return facts, lambda n: model.penalty(n, rules, debt, value), lambda beta: [(debt * (BPS + beta), BPS * value)]


@claim("wanted penalty is at least β_min")
def penalty_floor(free, without=None):
    facts, rules = rules_of(free, without)
    more, debt, value = account(free, rules)
    return facts + more, lambda n: model.wanted_penalty(n, rules, debt, value), lambda beta: [(rules.penalty_min, beta)]


def interpolated(free, without=None):
    facts, rules = rules_of(free, without)
    more, debt, value = account(free, rules)
    facts += more + [BPS * debt <= rules.insolvency_ltv * value - 1, rules.penalty_min <= rules.penalty_max - 1]
    above = BPS * debt - rules.liquidation_ltv * value
    span = (rules.insolvency_ltv - rules.liquidation_ltv) * value
    return facts, rules, debt, value, above, span, rules.penalty_max - rules.penalty_min


@claim("penalty is never above the line from β_min to β_max")
def penalty_under_line(free, without=None):
    facts, rules, debt, value, above, span, width = interpolated(free, without)
    goal = lambda beta: [((beta - rules.penalty_min) * span, above * width)]
    return facts, lambda n: model.wanted_penalty(n, rules, debt, value), goal


@claim("penalty and one basis point are above that line, but for a part (β_max − β_min) ÷ span of it, which vanishes for large accounts")
def penalty_near_line(free, without=None):
    facts, rules, debt, value, above, span, width = interpolated(free, without)
    goal = lambda beta: [(above * width + 1, (beta - rules.penalty_min + 1) * (span + width))]
    return facts, lambda n: model.wanted_penalty(n, rules, debt, value), goal


@claim("wanted penalty does not fall when the debt rises")
def penalty_rises(free, without=None):
    facts, rules = rules_of(free, without)
    more, debt, value = account(free, rules)
    deeper = free("deeper")
    facts += more + [debt <= deeper, deeper <= ATOMS]
    both = lambda n: (model.wanted_penalty(n, rules, debt, value), model.wanted_penalty(n, rules, deeper, value))
    return facts, both, lambda betas: [betas]


@claim("an account at its liquidation LTV can pay the largest penalty")
def threshold_can_pay(free, without=None):
    facts, rules = rules_of(free, without)
    debt, value = free("debt"), free("value")
    facts += [debt >= 1, value >= 1, BPS * debt <= rules.liquidation_ltv * value]
    return facts, lambda n: None, lambda _: [(debt * (BPS + rules.penalty_max), BPS * value)]


@claim("divisors are positive: 1 − τ(1 + β) > 0, insolvency LTV > liquidation LTV")
def divisors(free, without=None):
    facts, rules = rules_of(free, without)
    beta = free("beta")
    facts += [beta >= 0, beta <= rules.penalty_max]
    return facts, lambda n: None, lambda _: [
        (1, model.divisor(rules, beta)),
        (1, rules.insolvency_ltv - rules.liquidation_ltv),
    ]


@claim("repayment is at least one atom and at most the debt, before it is held to the debt")
def repayment_in_debt(free, without=None):
    facts, rules, debt, value, beta = solvent(free, without)
    excess = BPS * debt - rules.target_ltv * value
    return facts, lambda n: n.ceil(excess * BPS, model.divisor(rules, beta)), lambda x: [(1, x), (x, debt)]


@claim("repayment reaches the target: D − x ≤ τ (V − x(1 + β)), for x and for all above it")
def repayment_reaches(free, without=None):
    facts, rules, debt, value, beta = solvent(free, without)
    more = free("more")
    facts += [more >= 0]

    def left(x):
        x = x + more
        return [(BPS * BPS * (debt - x), rules.target_ltv * (BPS * value - x * (BPS + beta)))]

    return facts, lambda n: model.repayment(n, rules, debt, value, beta), left


@claim("repayment is the least: one atom less would not reach the target")
def repayment_least(free, without=None):
    facts, rules, debt, value, beta = solvent(free, without)

    def left(x):
        less = x - 1
        return [(rules.target_ltv * (BPS * value - less * (BPS + beta)) + 1, BPS * BPS * (debt - less))]

    return facts, lambda n: model.repayment(n, rules, debt, value, beta), left


@claim("repayment does not fall when debt or penalty rises")
def repayment_rises(free, without=None):
    facts, rules, debt, value, beta = solvent(free, without)
    deeper, dearer = free("deeper"), free("dearer")
    facts += [deeper >= debt, dearer >= beta, dearer <= rules.penalty_max]
    excess = lambda debt: BPS * debt - rules.target_ltv * value
    smaller = excess(debt) * model.divisor(rules, dearer)
    larger = excess(deeper) * model.divisor(rules, beta)
    return facts, lambda n: None, lambda _: [(smaller, larger)]


@claim("every part repaid improves the account, and leaves it solvent")
def part_improves(free, without=None):
    facts, rules, debt, value, beta = solvent(free, without)
    repaid = free("repaid")
    facts += [repaid >= 1, repaid <= debt]
    worth = lambda n: repaid + n.floor(repaid * beta, BPS)
    return facts, worth, lambda worth: [
        (worth, value),
        ((debt - repaid) * value, debt * (value - worth)),
        (debt - repaid, value - worth),
    ]


def seizure(free, without=None):
    """Any demand on an account of collateral at a price, none of it a deficit."""
    facts, rules, debt, value, beta = solvent(free, without)
    repaid, collateral, price = free("repaid"), free("collateral"), free("price")
    facts += [repaid >= 1, repaid <= debt, collateral >= 1, collateral <= ATOMS, price >= 1]
    # value = collateral × price, rounded down
    facts += [collateral * price >= value * Q, collateral * price <= value * Q + Q - 1]
    formula = lambda n: model.terms(n, Demand(PARTIAL, repaid, beta, 0), collateral, price)
    return facts, formula, debt, value, collateral, price


@claim("seizure is at most the collateral, worth at most repaid × (1 + β)")
def seizure_bounded(free, without=None):
    facts, formula, _, _, collateral, price = seizure(free, without)
    return facts, formula, lambda due: [
        (due.seize, collateral),
        (due.seize * price, due.worth * Q),
        (BPS * due.worth, due.repay * (BPS + due.penalty)),
    ]


@claim("seizure is no smaller than one atom less than that, or all of it")
def seizure_near(free, without=None):
    facts, formula, _, _, collateral, price = seizure(free, without)

    def all_or_near(due):
        # All of the collateral is worth less than `worth` and an atom of it.
        return [(due.worth * Q + 1, (due.seize + 1) * price)]

    return facts, formula, all_or_near


@claim("value left is at least V − repaid × (1 + β), after every rounding")
def value_left(free, without=None):
    facts, formula, _, value, collateral, price = seizure(free, without)

    def both(n):
        due = formula(n)
        return due, n.floor((collateral - due.seize) * price, Q)

    return facts, both, lambda found: [(value - found[0].worth, found[1])]


@claim("account ends at the target or below it, after every rounding")
def ends_at_target(free, without=None):
    """From `repayment reaches the target`, `seizure is at most …` and `value left is at least …`."""
    facts, rules, debt, value, beta = solvent(free, without)
    repaid, worth, left = free("repaid"), free("worth"), free("left")
    facts += [BPS * BPS * (debt - repaid) <= rules.target_ltv * (BPS * value - repaid * (BPS + beta))]
    facts += [BPS * worth <= repaid * (BPS + beta), left >= value - worth]
    return facts, lambda n: None, lambda _: [(BPS * (debt - repaid), rules.target_ltv * left)]


@claim("account has no higher LTV than before, after every rounding, whatever part is repaid")
def ends_no_worse(free, without=None):
    """From `every part repaid improves …` and `value left is at least …`."""
    facts, rules, debt, value, beta = solvent(free, without)
    repaid, worth, left = free("repaid"), free("worth"), free("left")
    facts += [(debt - repaid) * value <= debt * (value - worth), left >= value - worth]
    return facts, lambda n: None, lambda _: [((debt - repaid) * value, debt * left)]


@claim("bad debt: all collateral goes, and its worth and the deficit are the debt")
def bad_debt(free, without=None):
    debt, value, collateral, price = free("debt"), free("value"), free("collateral"), free("price")
    facts = [value >= 0, debt >= value + 1, collateral >= 0, price >= 1]
    formula = lambda n: model.terms(n, Demand(model.INSOLVENT, debt, 0, debt - value), collateral, price)
    return facts, formula, lambda due: [
        (due.seize, collateral),
        (collateral, due.seize),
        (due.worth, value),
        (value, due.worth),
        (due.penalty_amount, 0),
    ]


@claim("a cut stays within the room and what was asked, and leaves no dust")
def cut_fits(free, without=None):
    facts, rules = rules_of(free, without)
    debt, asked, room = free("debt"), free("asked"), free("room")
    facts += [debt >= 1, asked >= 1, asked <= debt, room >= 0, room <= asked - 1]
    demand = Demand(PARTIAL, asked, 0, 0)

    def fits(found):
        return [] if found is None else [(found.repay, room), (found.repay, asked), (rules.min_debt, debt - found.repay)]

    return facts, lambda n: model.cut(n, rules, demand, debt, room), fits


def bounty_of(extent, free, without):
    facts, rules = rules_of(free, without)
    repaid, amount = free("repaid"), free("amount")
    facts += [repaid >= 1, amount >= 0]
    due = model.Terms(extent, repaid, 0, 0, 0, amount, 0)
    return facts, lambda n: model.bounty(n, rules, due), repaid, amount


@claim("bounty is at most half of the penalty")
def bounty_bounded(free, without=None):
    facts, formula, _, amount = bounty_of(PARTIAL, free, without)
    return facts, formula, lambda bounty: [(2 * bounty, amount), (0, bounty)]


@claim("bounty of an insolvent account is at most the debt taken over")
def bounty_insolvent(free, without=None):
    facts, formula, repaid, _ = bounty_of(model.INSOLVENT, free, without)
    return facts, formula, lambda bounty: [(bounty, repaid), (0, bounty)]


def room(free, without=None):
    """A backstop, and terms within what the room gives it."""
    facts, rules = rules_of(free, without)
    names = ("assets", "liabilities", "cash", "backstop_leverage")
    assets, liabilities, cash, leverage = (free(name) for name in names)
    facts += box.bounds({"backstop_leverage": leverage})
    facts += [assets >= 0, liabilities >= 0, cash >= 0, cash <= assets]
    beta, ratio, repaid = free("beta"), free("ratio"), free("repaid")
    facts += [beta >= 0, beta <= rules.penalty_max, ratio >= 0, ratio <= RATIO, repaid >= 1]
    return facts, Books(assets, liabilities, cash, leverage), ratio, beta, repaid


@claim("what a debt brings in at the stressed price is its worth there, less two atoms of quote and one of collateral")
def brought_in(free, without=None):
    facts, _, ratio, beta, repaid = room(free, without)
    price, stressed, collateral = free("price"), free("stressed"), free("collateral")
    facts += [price >= 1, stressed >= 0, stressed <= price, ratio * price <= RATIO * stressed, collateral >= 0]

    def brought(n):
        due = model.terms(n, Demand(PARTIAL, repaid, beta, 0), collateral, price)
        # An account that can pay has the collateral: `seizure is no smaller …`.
        n.facts.append((due.seize + 1) * price >= due.worth * Q + 1)
        return n.floor(due.seize * stressed, Q)

    worth = repaid * (BPS + beta) * ratio
    return facts, brought, lambda value: [(worth * Q, BPS * RATIO * ((value + 2) * Q + stressed))]


@claim("room keeps the leverage: net debt ≤ L × equity after it, but for those two atoms of quote and one of collateral")
def room_keeps_leverage(free, without=None):
    """From `what a debt brings in …`; `rounded` stands for its three atoms."""
    facts, books, ratio, beta, repaid = room(free, without)
    brought, rounded = free("brought"), free("rounded")
    facts += [rounded >= 0, BPS * RATIO * (brought + rounded) >= repaid * (BPS + beta) * ratio]

    def within(n):
        found = model.room_by_leverage(n, books, ratio, beta)
        n.facts.append(repaid <= found)
        return found

    def leverage_after(_):
        equity = books.assets - books.liabilities - repaid + brought
        return [(BPS * (books.liabilities + repaid - books.cash), books.leverage * (equity + rounded))]

    return facts, within, leverage_after


@claim("room keeps the inventory cap: what is seized for it is worth no more than is free")
def room_keeps_cap(free, without=None):
    value, beta, repaid = free("free_value"), free("beta"), free("repaid")
    facts = [value >= 0, beta >= 0, repaid >= 1]

    def within(n):
        found = model.room_by_inventory(n, value, beta)
        n.facts.append(repaid <= found)
        return repaid + n.floor(repaid * beta, BPS)

    return facts, within, lambda worth: [(worth, value)]


@claim("narrow words suffice: no product of a native amount and a ratio of the box wraps 64 bits")
def words(free, without=None):
    facts, rules = rules_of(free, without)
    amount, beta = free("amount"), free("beta")
    facts += [amount >= 0, amount <= (1 << 49) - 1, beta >= 0, beta <= rules.penalty_max]
    ratios = [BPS, rules.target_ltv, rules.liquidation_ltv, rules.insolvency_ltv, BPS + beta]
    products = [(amount * ratio, ATOMS) for ratio in ratios]
    # The remainder of a division by the divisor, times 10,000; and the divisor itself, which is divided by as 32 bits.
    divisor = model.divisor(rules, beta)
    return facts, lambda n: None, lambda _: [*products, ((divisor - 1) * BPS, ATOMS), (divisor, (1 << 32) - 1)]
