"""Examples of the model in whole numbers, for crates/engine/tests/model: corners of the box and accounts at every threshold, then
random ones. The same every time. Called by scripts/smt.sh.

    vectors.py           fails if the committed files are others
    vectors.py --write   writes them
"""

import csv
import io
import random
import sys

import box
import model
from arithmetic import Exact
from model import BPS, INSOLVENT, Q, RATIO, Books, Rules

FOLDER = box.REPO / "crates/engine/tests/model"
WORD = 1 << 64
ROWS = {"sizing.csv": 1_000, "room.csv": 400}
#: Sizes of amounts, in bits; 49 is where the engine changes to wide words.
SIZES = (4, 12, 24, 36, 47, 48, 49, 50, 53, 60, 63)

exact = Exact()


def amount(rng: random.Random) -> int:
    bits = rng.choice(SIZES)
    return max(1, rng.choice((rng.getrandbits(bits), (1 << bits) - rng.randrange(3), 1 << bits)))


def some_rules(rng: random.Random) -> Rules:
    """Anywhere in the box, its corners often."""
    while True:
        values: dict[str, int] = {}
        for name, texts in box.rows().items():
            if name not in box.NAMES:
                continue
            if name == "bounty_tip":
                texts = (texts[0], "1 << 53")
            low, high = (box.bound(text, values) for text in texts)
            # Most of the largest bounds is beyond any account: one in four of these is enough.
            near = rng.randint(low, min(high, BPS))
            values[name] = rng.choice((low, near, near, rng.choice((high, rng.randint(low, high)))))
        if all(box.bounds(values)) and all(box.rules(values).values()):
            return Rules(**{name: values[name] for name in box.NAMES})


def some_debt(rng: random.Random, rules: Rules, value: int) -> int:
    """Near what decides about an account of this value, or anywhere above its liquidation LTV."""
    threshold = rng.choice((rules.liquidation_ltv, rules.insolvency_ltv, BPS, BPS * BPS // (BPS + rules.penalty_max)))
    between = rng.randint(rules.liquidation_ltv, rules.insolvency_ltv)
    beyond = rng.randint(rules.insolvency_ltv, 12_000)
    near = value * rng.choice((threshold, between, between, beyond)) // BPS + rng.randint(-2, 2)
    return max(near, value * rules.liquidation_ltv // BPS + 1)


def sizing(rng: random.Random) -> dict | None:
    """One row; None for an account whose amounts do not fit the engine's words, which answers with an error."""
    rules, collateral = some_rules(rng), amount(rng)
    price = rng.choice((Q, rng.getrandbits(rng.choice((44, 57, 64, 70))) + 1, Q // 10, 1 << rng.randint(40, 80)))
    value = collateral * price // Q
    debt = some_debt(rng, rules, value)
    if max(value, debt) >= WORD // 2:
        return None
    asked = model.demand(exact, rules, debt, value)
    due = model.terms(exact, asked, collateral, price)
    if (asked.repay * (BPS + asked.penalty) // BPS) * Q // price >= WORD:
        return None
    room = rng.choice((0, 1, rng.randint(0, asked.repay), max(asked.repay - 1, 0), max(debt - rules.min_debt, 0)))
    cut = model.cut(exact, rules, asked, debt, room)
    of_cut = cut and model.terms(exact, cut, collateral, price)
    return {
        **rules._asdict(),
        **{"debt": debt, "collateral": collateral, "price": price, "room": room},
        **due._asdict(),
        "bounty": model.bounty(exact, rules, due),
        "cut_repay": of_cut.repay if cut else "",
        "cut_seize": of_cut.seize if cut else "",
        "cut_bounty": model.bounty(exact, rules, of_cut._replace(extent=model.CUT))
        if cut and cut.extent != INSOLVENT
        else "",
    }


def room(rng: random.Random) -> dict | None:
    """One row, of prices whose ratio the engine's twenty bits hold exactly."""
    low, high = (box.bound(text, {}) for text in box.rows()["backstop_leverage"])
    leverage = rng.choice((low, high, rng.randint(low, high)))
    assets, cash = amount(rng), 0
    cash = rng.choice((0, assets, rng.randint(0, assets)))
    liabilities = rng.choice((0, rng.randint(0, assets), assets, assets + 1, assets - assets // 10))
    inventory, cap = amount(rng), rng.choice((0, WORD - 1, amount(rng)))
    small, wide = rng.randint(1, (1 << 40) - 1), rng.getrandbits(rng.choice((50, 57, 64, 70))) + 1
    price, stressed = rng.choice(((small, rng.randint(0, small)), (small, small - small // 10), (wide, wide), (wide, 0)))
    beta = rng.choice((0, 2_500, rng.randint(0, 2_500)))
    free = max(cap - inventory, 0) * price // Q
    by_leverage = model.room_by_leverage(exact, Books(assets, liabilities, cash, leverage), stressed * RATIO // price, beta)
    if assets < liabilities or free >= WORD:
        by_inventory = by_leverage
    else:
        by_inventory = model.room_by_inventory(exact, free, beta)
        if by_inventory >= WORD:
            return None
    return {
        **{"assets": assets, "liabilities": liabilities, "cash": cash, "inventory": inventory, "leverage": leverage},
        **{"cap": cap, "price": price, "stressed": stressed, "penalty": beta},
        "room": min(by_leverage, by_inventory, WORD - 1),
    }


def file_of(name: str, row) -> str:
    rng = random.Random(name)
    made = iter(lambda: row(rng), "never")
    rows = []
    while len(rows) < ROWS[name]:
        if found := next(made):
            rows.append(found)
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def main(write: bool) -> int:
    other = 0
    for name, row in (("sizing.csv", sizing), ("room.csv", room)):
        text, file = file_of(name, row), FOLDER / name
        if write:
            FOLDER.mkdir(exist_ok=True)
            file.write_text(text)
        elif not file.exists() or file.read_text() != text:
            other += 1
            print(f"{file.relative_to(box.REPO)} is not what the model gives: run bash scripts/smt.sh --write")
        print(f"{name}: {ROWS[name]} examples")
    return 1 if other else 0


if __name__ == "__main__":
    sys.exit(main("--write" in sys.argv))
