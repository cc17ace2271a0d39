"""What must hold of sizing, bounty, stress cover and flow, for every parameter set that the engine accepts and every account.

A claim is a function that returns the facts it starts from, the formula it is about, and what must follow: a list of pairs
(a, b), each meaning a ≤ b. It takes `free`, which makes unknown numbers, and the name of a rule of the box to do without.
Where a claim starts from what another proves, its docstring names that one.
"""

from model import BPS, HOUR, PARTIAL, Q, SPREAD, TAKE_OVER, Demand, Rules
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


def parameters(free, without=None):
    """Parameters in the box: facts, and all of them by name."""
    values = {name: free(name) for name in box.NAMES}
    rules = [fact for name, fact in box.rules(values).items() if name != without]
    return box.bounds(values) + rules, values


def rules_of(free, without=None):
    """Parameters in the box: facts, and Rules."""
    facts, values = parameters(free, without)
    return facts, Rules(**{name: values[name] for name in Rules._fields})


def prices(free, rules):
    """h and l as their quotient k, at most as far apart as a partial liquidation allows, and `apart`, k as the engine rounds it."""
    k, apart = free("k"), free("apart")
    facts = [k >= 1, k * (BPS - rules.max_gap) <= BPS, apart >= k * SPREAD, apart <= k * SPREAD + 1]
    return facts, k, apart


def values_of(free, k):
    """V_h and V_l of one account, each rounded down."""
    judged, settled = free("judged"), free("settled")
    facts = [judged >= 0, judged <= ATOMS, settled >= 0, settled <= judged]
    return facts + [judged <= k * (settled + 1), k * settled <= judged + 1], judged, settled


def account(free, rules, judged):
    """Debt of an account above its liquidation LTV."""
    debt = free("debt")
    return [debt >= 1, debt <= ATOMS, BPS * debt >= rules.liquidation_ltv * judged + 1], debt


def partial(free, without=None):
    """An account between the two LTVs, with any penalty as `penalty leaves solvent` allows."""
    facts, rules = rules_of(free, without)
    near, k, apart = prices(free, rules)
    worth, judged, settled = values_of(free, k)
    more, debt = account(free, rules, judged)
    beta = free("beta")
    facts += near + worth + more + [BPS * debt <= rules.takeover_ltv * judged - 1, beta >= 0, beta <= rules.penalty]
    return facts + [debt * (BPS + beta) <= BPS * settled], rules, (k, apart), (debt, judged, settled), beta


def at_one_price(free, without=None):
    """The same at h = l, as it always is at Normal."""
    facts, rules = rules_of(free, without)
    value, beta = free("value"), free("beta")
    more, debt = account(free, rules, value)
    facts += [value >= 0, value <= ATOMS, *more, BPS * debt <= rules.takeover_ltv * value - 1]
    return facts + [beta >= 0, beta <= rules.penalty, debt * (BPS + beta) <= BPS * value], rules, debt, value, beta


@claim("penalty leaves solvent: D ≤ V_l gives D(1 + β) ≤ V_l, with 0 ≤ β ≤ what is wanted; so no penalty creates bad debt")
def penalty_leaves_solvent(free, without=None):
    facts, rules = rules_of(free, without)
    debt, value, wanted = free("debt"), free("value"), free("wanted")
    facts += [debt >= 1, debt <= value, value <= ATOMS, wanted >= rules.penalty, wanted <= rules.takeover_penalty]

    def bounded(beta):
        return [] if beta is None else [(0, beta), (beta, wanted), (debt * (BPS + beta), BPS * value)]

    return facts, lambda n: model.affordable(n, wanted, debt, value), bounded


@claim("a partial liquidation within the largest gap is never refused for collateral worth less than the debt")
def gap_within_margin(free, without=None):
    facts, rules = rules_of(free, without)
    near, k, _ = prices(free, rules)
    worth, judged, settled = values_of(free, k)
    debt = free("debt")
    facts += near + worth + [debt >= 1, BPS * debt <= rules.takeover_ltv * judged - 1]
    return facts, lambda n: None, lambda _: [(debt, settled)]


@claim("an account at its liquidation LTV has more than its target allows: there is something to repay")
def something_to_repay(free, without=None):
    facts, rules = rules_of(free, without)
    value = free("value")
    more, debt = account(free, rules, value)
    return facts + more + [value >= 0, value <= ATOMS], lambda n: None, lambda _: [(1, BPS * debt - rules.target_ltv * value)]


@claim("there are accounts between the two LTVs: the take-over LTV is above the liquidation LTV")
def between(free, without=None):
    facts, rules = rules_of(free, without)
    return facts, lambda n: None, lambda _: [(1, rules.takeover_ltv - rules.liquidation_ltv)]


@claim("divisors are positive: 1 − τ(1 + β)h/l > 0, however far the prices may be apart")
def divisors(free, without=None):
    facts, rules = rules_of(free, without)
    near, _, apart = prices(free, rules)
    beta = free("beta")
    facts += near + [beta >= 0, beta <= rules.penalty]
    return facts, lambda n: model.given(n, rules, beta, apart), lambda given: [(given, BPS * BPS - 1)]


@claim("repayment is at least one atom and at most the debt")
def repayment_in_debt(free, without=None):
    facts, rules, (_, apart), (debt, judged, _), beta = partial(free, without)
    # `divisors are positive`
    formula = lambda n: model.repayment(n, rules, apart, debt, judged, beta)
    return facts, formula, lambda x: [(1, x), (x, debt)]


@claim("repayment is at most the debt at one price, before it is held to the debt")
def repayment_not_held(free, without=None):
    facts, rules, debt, value, beta = at_one_price(free, without)
    excess = BPS * debt - rules.target_ltv * value
    divisor = BPS * BPS - rules.target_ltv * (BPS + beta)
    return facts, lambda n: n.ceil(excess * BPS, divisor), lambda x: [(1, x), (x, debt)]


def reached(rules, k, debt, judged, x, beta):
    """D − x ≤ τ (V_h − x(1 + β)h/l), everything × 10,000²; V_h is known to an atom."""
    return BPS * BPS * (debt - x), rules.target_ltv * (BPS * (judged + 1) - x * (BPS + beta) * k)


@claim("repayment reaches the target at h: D − x ≤ τ (V_h − x(1 + β)h/l), for x and for all above it, V_h to an atom")
def repayment_reaches(free, without=None):
    """From `divisors are positive`: `divisor` is what is divided by, at most 1 − τ(1 + β)h/l."""
    facts, rules, (k, _), (debt, judged, settled), beta = partial(free, without)
    divisor, more = free("divisor"), free("more")
    facts += [more >= 0, divisor >= 1, divisor <= BPS * BPS - rules.target_ltv * (BPS + beta) * k]
    excess = BPS * debt - rules.target_ltv * judged

    def x(n):
        found = n.ceil(excess * BPS, divisor)
        return (found if n.less(found, debt) else debt) + more

    return facts, x, lambda x: [reached(rules, k, debt, judged, x, beta)]


@claim("what is divided by is at most 1 − τ(1 + β)h/l, and at most two units of 10^-8 less")
def divisor_near(free, without=None):
    facts, rules = rules_of(free, without)
    near, k, apart = prices(free, rules)
    beta = free("beta")
    facts += near + [beta >= 0, beta <= rules.penalty]
    exact = rules.target_ltv * (BPS + beta) * k
    return facts, lambda n: model.given(n, rules, beta, apart), lambda given: [(exact, given), (given, exact + 2)]


@claim("repayment is the least at one price: one atom less would not reach the target")
def repayment_least(free, without=None):
    facts, rules, debt, value, beta = at_one_price(free, without)

    def left(x):
        less = x - 1
        return [(rules.target_ltv * (BPS * value - less * (BPS + beta)) + 1, BPS * BPS * (debt - less))]

    return facts, lambda n: model.repayment(n, rules, SPREAD, debt, value, beta), left


@claim("repayment does not fall when debt, penalty or the gap rises")
def repayment_rises(free, without=None):
    facts, rules, (_, apart), (debt, judged, _), beta = partial(free, without)
    deeper, dearer, further = free("deeper"), free("dearer"), free("further")
    facts += [deeper >= debt, dearer >= beta, dearer <= rules.penalty, further >= apart]
    excess = lambda debt: BPS * debt - rules.target_ltv * judged
    both = lambda n: (model.given(n, rules, beta, apart), model.given(n, rules, dearer, further))
    return facts, both, lambda given: [(given[0], given[1]), (excess(debt), excess(deeper))]


@claim("every part repaid improves the account, and leaves it solvent at l")
def part_improves(free, without=None):
    facts, rules, _, (debt, _, settled), beta = partial(free, without)
    repaid = free("repaid")
    facts += [repaid >= 1, repaid <= debt]
    worth = lambda n: repaid + n.floor(repaid * beta, BPS)
    return facts, worth, lambda worth: [
        (worth, settled),
        ((debt - repaid) * settled, debt * (settled - worth)),
        (debt - repaid, settled - worth),
    ]


def seizure(free, without=None):
    """A partial demand on an account of collateral at a price l."""
    facts, rules, debt, value, beta = at_one_price(free, without)
    repaid, collateral, price = free("repaid"), free("collateral"), free("price")
    facts += [repaid >= 1, repaid <= debt, collateral >= 1, collateral <= ATOMS, price >= 1]
    # value = collateral × price, rounded down
    facts += [collateral * price >= value * Q, collateral * price <= value * Q + Q - 1]
    formula = lambda n: model.terms(n, rules, Demand(PARTIAL, repaid, beta, value), collateral, price)
    return facts, formula, rules, value, collateral, price


@claim("seizure is at most the collateral, worth at most repaid × (1 + β) at l")
def seizure_bounded(free, without=None):
    facts, formula, _, _, collateral, price = seizure(free, without)
    return facts, formula, lambda due: [
        (due.seize, collateral),
        (due.seize * price, due.worth * Q),
        (BPS * due.worth, due.repay * (BPS + due.took)),
    ]


@claim("seizure is no smaller than one atom less than that")
def seizure_near(free, without=None):
    facts, formula, _, _, collateral, price = seizure(free, without)
    return facts, formula, lambda due: [(due.worth * Q + 1, (due.seize + 1) * price)]


@claim("seizure is worth at h at most 1 ÷ (1 − max_gap) of that: what an owner can lose by the gap")
def seizure_gap(free, without=None):
    """From `seizure is at most the collateral …`."""
    facts, rules = rules_of(free, without)
    h, l, seize, worth = free("h"), free("l"), free("seize"), free("worth")
    facts += [l >= 1, l <= h, h * (BPS - rules.max_gap) <= l * BPS, seize >= 0, worth >= 0, seize * l <= worth * Q]
    return facts, lambda n: None, lambda _: [(seize * h * (BPS - rules.max_gap), worth * Q * BPS)]


@claim("account ends at the target or below it at h, after every rounding, its value there to two atoms")
def ends_at_target(free, without=None):
    """From `repayment reaches the target at h`, `seizure is at most …`; k × worth is at least what is seized, at h."""
    facts, rules, (k, _), (debt, judged, _), beta = partial(free, without)
    repaid, worth, left = free("repaid"), free("worth"), free("left")
    smaller, larger = reached(rules, k, debt, judged, repaid, beta)
    facts += [repaid >= 1, repaid <= debt, smaller <= larger]
    facts += [BPS * worth <= repaid * (BPS + beta), worth >= repaid, left >= judged - k * worth - 1, left >= 0]
    return facts, lambda n: None, lambda _: [(BPS * (debt - repaid), rules.target_ltv * (left + 2))]


@claim("account has no higher LTV than before, after every rounding, whatever part is repaid")
def ends_no_worse(free, without=None):
    """From `every part repaid improves …`; a part of the collateral worth `worth` at l is seized, or less."""
    facts, rules, _, (debt, _, settled), beta = partial(free, without)
    repaid, worth, left = free("repaid"), free("worth"), free("left")
    facts += [(debt - repaid) * settled <= debt * (settled - worth), left >= settled - worth]
    return facts, lambda n: None, lambda _: [((debt - repaid) * settled, debt * left)]


def take_over(free, without=None):
    """A take-over of an account whose collateral is worth so much at l."""
    facts, rules = rules_of(free, without)
    debt, value, collateral, price = free("debt"), free("value"), free("collateral"), free("price")
    facts += [debt >= 1, debt <= ATOMS, value >= 0, value <= ATOMS, collateral >= 0, collateral <= ATOMS, price >= 1]
    facts += [collateral * price >= value * Q, collateral * price <= value * Q + Q - 1]

    def formula(n):
        beta = model.affordable(n, rules.takeover_penalty, debt, value)
        return model.terms(n, rules, Demand(TAKE_OVER, debt, 0 if beta is None else beta, value), collateral, price)

    return facts, formula, rules, debt, value, collateral


@claim("a take-over takes at most the largest penalty of the margin, and no more collateral than there is")
def take_over_bounded(free, without=None):
    facts, formula, rules, debt, _, collateral = take_over(free, without)
    return facts, formula, lambda due: [
        (due.seize, collateral),
        (BPS * due.worth, debt * (BPS + rules.takeover_penalty)),
        (due.penalty_amount, due.worth),
    ]


@claim("a take-over leaves no margin: its owner keeps what is worth an atom at most")
def take_over_takes_all(free, without=None):
    facts, formula, rules, debt, value, _ = take_over(free, without)
    facts += [BPS * debt >= rules.takeover_ltv * value]
    return facts, formula, lambda due: [(value, due.worth + 1)]


@claim("bad debt: all collateral goes, and its worth and the deficit are the debt")
def bad_debt(free, without=None):
    facts, formula, _, debt, value, collateral = take_over(free, without)
    facts += [debt >= value + 1]
    return facts, formula, lambda due: [
        (collateral, due.seize),
        (due.worth + due.deficit, debt),
        (debt, due.worth + due.deficit),
        (due.penalty_amount, 0),
    ]


def cut_of(free, without=None):
    facts, rules = rules_of(free, without)
    debt, asked, limit = free("debt"), free("asked"), free("limit")
    facts += [debt >= 1, asked >= 1, asked <= debt, limit >= 0]
    demand = Demand(PARTIAL, asked, 0, 0)
    return facts, lambda n: model.cut(n, rules, demand, debt, limit), rules, debt, asked, limit


@claim("a cut is within the limit and what was asked, and no crumb: at least the minimum debt, or all that was asked")
def cut_fits(free, without=None):
    facts, formula, rules, _, asked, limit = cut_of(free, without)

    def fits(found):
        if found is None:
            return []
        least = [(rules.min_debt, found.repay)] if found.repay is not asked else []
        return [(found.repay, limit), (found.repay, asked), *least]

    return facts + [rules.min_debt <= asked], formula, fits


@claim("a cut is made whenever the limit is at least the minimum debt or all that is asked")
def cut_is_made(free, without=None):
    facts, formula, rules, _, asked, limit = cut_of(free, without)
    least = free("least")
    facts += [least <= asked, least <= rules.min_debt, limit >= least]
    # The larger of the two that it may be.
    facts += [(least - asked) * (least - rules.min_debt) <= 0, (least - asked) * (least - rules.min_debt) >= 0]
    return facts, formula, lambda found: [(1, 0)] if found is None else [(1, found.repay)]


@claim("a cut leaves no dust of a debt of at least twice the minimum")
def cut_leaves_no_dust(free, without=None):
    facts, formula, rules, debt, asked, limit = cut_of(free, without)
    facts += [debt >= 2 * rules.min_debt, limit <= asked - 1]
    return facts, formula, lambda found: [] if found is None else [(rules.min_debt, debt - found.repay)]


def bounty_of(extent, free, without):
    facts, rules = rules_of(free, without)
    repaid, worth, amount = free("repaid"), free("worth"), free("amount")
    facts += [repaid >= 1, worth >= 0, amount >= 0]
    due = model.Terms(extent, repaid, 0, worth, 0, amount, 0)
    return facts, lambda n: model.bounty(n, rules, due), rules, repaid, worth, amount


@claim("bounty of a partial liquidation is at most half of the penalty, and the cap")
def bounty_bounded(free, without=None):
    facts, formula, rules, _, _, amount = bounty_of(PARTIAL, free, without)
    return facts, formula, lambda bounty: [(2 * bounty, amount), (0, bounty), (bounty, rules.bounty_cap)]


@claim("bounty's tip and its share are each at most half of the penalty of the smallest partial liquidation and of all larger ones")
def bounty_halves(free, without=None):
    facts, rules = rules_of(free, without)
    repaid = free("repaid")
    facts += [repaid >= rules.min_debt]
    return facts, lambda n: None, lambda _: [
        (2 * BPS * rules.bounty_tip, repaid * rules.penalty),
        (2 * repaid * rules.bounty_share, repaid * rules.penalty),
    ]


@claim("bounty of a take-over is at most tip and share of the debt, and the cap")
def bounty_take_over(free, without=None):
    facts, formula, rules, repaid, _, _ = bounty_of(TAKE_OVER, free, without)
    most = BPS * rules.bounty_tip + rules.bounty_share * repaid
    return facts, formula, lambda bounty: [(BPS * bounty, most), (bounty, rules.bounty_cap), (0, bounty)]


@claim("bounty of a take-over does not rise when the collateral's value falls: waiting never pays")
def bounty_falls(free, without=None):
    facts, rules = rules_of(free, without)
    debt, value, later = free("debt"), free("value"), free("later")
    facts += [debt >= 1, later >= 0, later <= value]

    def both(n):
        of = lambda worth: model.bounty(n, rules, model.Terms(TAKE_OVER, debt, 0, worth, 0, 0, 0))
        return of(later), of(value)

    return facts, both, lambda bounties: [bounties]


def band(free):
    """An account of `shares` and `collateral` in a band of this upper edge; the weight is 2^32 ÷ (edge × (1 + 2^-12)), rounded down,
    and the account at most that much above the edge."""
    shares, collateral, edge = free("shares"), free("collateral"), free("edge")
    facts = [shares >= 1, shares <= ATOMS, collateral >= 0, collateral <= ATOMS, edge >= 1, edge <= 512]
    facts += [shares * 4_096 <= collateral * edge * 4_097]
    weight = lambda n: n.floor((1 << 32) * 4_096, edge * 4_097)
    return facts, weight, shares, collateral, edge


@claim("cover: no account has less collateral than its shares at the upper edge of its band, so B(q) is never understated")
def edge_overstates(free, without=None):
    facts, weight, shares, collateral, _ = band(free)
    return facts, weight, lambda w: [(shares * w, collateral * (1 << 32))]


@claim("cover: a band from the threshold on never counts as less than nothing, so B(q) is never negative")
def never_negative(free, without=None):
    """A band is counted if its edge is at most 20 units of 2^-16 of an octave, 0.02116%, below q ÷ index."""
    facts, weight, shares, _, edge = band(free)
    q, index = free("q"), free("index")
    facts += [q >= 0, index >= 1, edge * index * 10_000_000 >= q * (10_000_000 - 2_116)]
    return facts, weight, lambda w: [(q * shares * w, index * shares * (1 << 32))]


@claim("cover: a band counts at most one 32nd of an octave and 0.05% more of the account's collateral than it should")
def edge_near(free, without=None):
    """The account is at most 2^-12 below the lower edge, which is edge ÷ 2^(1/32); for edges up to 2^8, weights of 24 bits and
    more."""
    facts, weight, shares, collateral, edge = band(free)
    # 2^(1/32) < 1.02190.
    facts += [edge <= 256, shares * 102_190 * 4_097 >= collateral * edge * 100_000 * 4_096]
    return facts, weight, lambda w: [(collateral * (1 << 32) * 977, shares * (w + 1) * 1_000)]


@claim("cover: who is at the take-over LTV at p is under water at q, so what is taken over whole was counted")
def take_over_counted(free, without=None):
    facts, values = parameters(free, without)
    debt, value, collateral, p, q = (free(name) for name in ("debt", "value", "collateral", "p", "q"))
    facts += [debt >= 1, value >= 0, collateral >= 0, p >= 1, q >= 0]
    facts += [collateral * p <= (value + 1) * Q, BPS * debt >= values["takeover_ltv"] * value]
    facts += [q * BPS <= p * (BPS - values["stress_fall"])]
    return facts, lambda n: None, lambda _: [(q * collateral, (debt + 1) * Q)]


@claim("cover: a take-over of all collateral lowers C by at most the bounty and two atoms of rounding and of the sum's collateral")
def take_over_keeps(free, without=None):
    """From `no account has less collateral …`: `counted` of the collateral was, of an account from the threshold on."""
    names = ("cash", "owed", "held", "shares", "unfunded", "seized", "counted", "taken", "bounty", "q", "index")
    cash, owed, held, shares, unfunded, seized, counted, taken, bounty, q, index = (free(name) for name in names)
    facts = [amount >= 0 for amount in (cash, owed, held, shares, unfunded, counted, bounty, q)]
    facts += [index >= 1, taken >= 0, seized >= counted - 1]

    def covers(n):
        # Before, the account's shares and its collateral are in N and M; after it, with the backstop: shares stay, all together.
        before = model.cover(n, (cash, owed, held + counted, shares + taken, unfunded), q, index)
        after = model.cover(n, (cash, owed, held + seized, shares + taken, unfunded + bounty), q, index)
        return before, after

    return facts, covers, lambda found: [(found[0] * Q, (found[1] + bounty + 2) * Q + q)]


@claim("cover told is at most the exact one, and less than two atoms below it")
def cover_rounded(free, without=None):
    names = ("cash", "owed", "held", "shares", "unfunded", "q", "index")
    cash, owed, held, shares, unfunded, q, index = (free(name) for name in names)
    facts = [amount >= 0 for amount in (cash, owed, held, shares, unfunded, q, index)]
    exact = (cash + owed - unfunded) * Q + q * held - index * shares
    formula = lambda n: model.cover(n, (cash, owed, held, shares, unfunded), q, index)
    return facts, formula, lambda told: [(told * Q, exact), (exact, (told + 2) * Q)]


def pipeline(free):
    """A pipeline of `value` quote atoms at a price, the higher EMA, and inventory."""
    value, inventory, price = free("pipeline"), free("inventory"), free("price")
    return [value >= 0, inventory >= 0, price >= 1], value, inventory, price


@claim("pipeline: what fits beside the inventory is worth no more than the pipeline together with it")
def pipeline_fits(free, without=None):
    facts, value, inventory, price = pipeline(free)
    facts += [inventory * price <= value * Q]
    headroom = lambda n: model.pipeline_headroom(n, value, inventory, price)
    return facts, headroom, lambda headroom: [((inventory + headroom) * price, value * Q), (0, headroom)]


@claim("pipeline: what is left of it is less than two quote atoms and one collateral atom")
def pipeline_used(free, without=None):
    facts, value, inventory, price = pipeline(free)
    headroom = lambda n: model.pipeline_headroom(n, value, inventory, price)
    return facts, headroom, lambda headroom: [(value * Q, (inventory + headroom + 1) * price + 2 * Q)]


@claim("pipeline: a partial liquidation cut to it seizes no more than fits")
def pipeline_seizure(free, without=None):
    facts, rules = rules_of(free, without)
    headroom, price, beta, repaid = free("headroom"), free("price"), free("beta"), free("repaid")
    facts += [headroom >= 0, price >= 1, beta >= 0, beta <= rules.penalty, repaid >= 1]

    def seized(n):
        most = model.pipeline_debt(n, headroom, price, beta)
        n.facts.append(repaid <= most)
        worth = repaid + n.floor(repaid * beta, BPS)
        return n.floor(worth * Q, price)

    return facts, seized, lambda seized: [(seized, headroom)]


def sale(free, number):
    """A sale in its moment: amount, price and rate, at most as fast as the largest flow, `most` collateral atoms of 2^-64 a
    microsecond."""
    amount, price, rate, at = (free(f"{name}{number}") for name in ("amount", "price", "rate", "at"))
    return [amount >= 1, price >= 1, rate >= 1, at >= 0], amount, price, rate, at


@claim("flow: a sale takes at least its amount ÷ max_rate of the moment, so no split outruns the limit")
def flow_takes_time(free, without=None):
    facts, amount, price, rate, _ = sale(free, 1)
    # max_rate = rate × 2^64 ÷ price collateral atoms an hour
    return facts, lambda n: model.time_of(n, amount, price, rate), lambda took: [(amount * price * HOUR, took * rate * Q)]


@claim("flow: after any sale the mark is at least the window's beginning and the time of all sales in it; so those take at most W + burst")
def flow_bounded(free, without=None):
    """One step of an induction over the sales of a window that begins at `start`: `used` is the time of those before, whatever
    prices and rates they were at."""
    start, used, mark, now, took, burst = (free(name) for name in ("start", "used", "mark", "now", "took", "burst"))
    facts = [start >= 0, used >= 0, now >= start, took >= 0, burst >= 0]
    # The first sale of the window has none before it; else the mark is where the last one left it.
    facts += [used * (start + used - mark) <= 0]

    def after(n):
        begun = mark if n.less(now, mark) else now
        n.facts.append(begun + took <= now + burst)
        return begun + took

    return facts, after, lambda mark: [(start + used + took, mark), (used + took, (now - start) + burst)]


@claim("flow: what is offered can be sold, and one quote atom more cannot")
def flow_offered(free, without=None):
    left, rate, value = free("left"), free("rate"), free("value")
    facts = [left >= 0, rate >= 1]
    headroom = lambda n: n.floor(left * rate, HOUR)

    def both(n):
        found = headroom(n)
        return n.ceil(found * HOUR, rate), n.ceil((found + 1) * HOUR, rate)

    return facts, both, lambda took: [(took[0], left), (left + 1, took[1])]


@claim("narrow words suffice: no product of a native amount and a ratio of the box wraps 64 bits")
def words(free, without=None):
    facts, rules = rules_of(free, without)
    near, _, apart = prices(free, rules)
    amount, beta, taken = free("amount"), free("beta"), free("taken")
    facts += near + [amount >= 0, amount <= (1 << 49) - 1, beta >= 0, beta <= rules.penalty]
    facts += [taken >= 0, taken <= rules.takeover_penalty]
    ratios = [BPS, rules.target_ltv, rules.liquidation_ltv, rules.takeover_ltv, BPS + beta, BPS + taken]
    products = [(amount * ratio, ATOMS) for ratio in ratios]
    # τ(1 + β) × h ÷ l; and the remainder of a division by the divisor, below 10,000², times 10,000.
    return facts, lambda n: None, lambda _: [
        *products,
        (rules.target_ltv * (BPS + beta) * apart, ATOMS),
        (BPS * BPS * BPS, ATOMS),
        (BPS * BPS, (1 << 32) - 1),
    ]
