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
from model import BPS, Q, TAKE_OVER, Rules

FOLDER = box.REPO / "crates/engine/tests/model"
WORD = 1 << 64
ROWS = {"sizing.csv": 1_000, "cover.csv": 400}
#: Sizes of amounts, in bits; 49 is where the engine changes to wide words.
SIZES = (4, 12, 24, 36, 47, 48, 49, 50, 53, 60, 63)

exact = Exact()


def amount(rng: random.Random, sizes=SIZES) -> int:
    bits = rng.choice(sizes)
    return max(1, rng.choice((rng.getrandbits(bits), (1 << bits) - rng.randrange(3), 1 << bits)))


def between(rng: random.Random, low: int, high: int) -> int:
    """The ends often. Most of the largest bounds is beyond any account: one in four of these is enough."""
    near = rng.randint(low, max(low, min(high, BPS)))
    return rng.choice((low, near, near, rng.choice((high, rng.randint(low, high)))))


def some_rules(rng: random.Random) -> Rules:
    """Anywhere in the box, its corners often."""
    low, high = (box.bound(text, {}) for text in box.rows()["min_debt"])
    largest_penalty, largest_gap = (box.bound(box.rows()[name][1], {}) for name in ("penalty", "max_gap"))
    while True:
        values = {"min_debt": between(rng, low, high), "takeover_ltv": rng.choice((9_500, between(rng, 3, BPS)))}
        values["liquidation_ltv"] = between(rng, 1, values["takeover_ltv"] - 1)
        values["target_ltv"] = between(rng, 1, values["liquidation_ltv"])
        values["max_gap"] = between(rng, 0, max(0, min(largest_gap, BPS - values["takeover_ltv"] - 1)))
        values["penalty"] = between(rng, 1, largest_penalty)
        values["takeover_penalty"] = between(rng, values["penalty"], largest_penalty)
        values["bounty_share"] = between(rng, 0, values["penalty"] // 2)
        values["bounty_tip"] = between(rng, 0, values["min_debt"] * values["penalty"] // (2 * BPS))
        values["bounty_cap"] = between(rng, values["bounty_tip"], WORD - 1)
        if not all(box.bounds(values)):
            continue
        if all(box.rules({**values, "stress_fall": BPS}).values()):
            return Rules(**{name: values[name] for name in Rules._fields})


def some_debt(rng: random.Random, rules: Rules, value: int) -> int:
    """Near what decides about an account of this value, or anywhere above its liquidation LTV; now and then below."""
    threshold = rng.choice((rules.liquidation_ltv, rules.takeover_ltv, BPS, BPS * BPS // (BPS + rules.takeover_penalty)))
    middle = rng.randint(rules.liquidation_ltv, rules.takeover_ltv)
    beyond = rng.randint(rules.takeover_ltv, 12_000)
    near = value * rng.choice((threshold, middle, middle, middle, beyond)) // BPS + rng.randint(-2, 2)
    return max(near, 1 if rng.randrange(30) == 0 else value * rules.liquidation_ltv // BPS + 1)


def two_prices(rng: random.Random, rules: Rules) -> tuple[int, int]:
    """h and l: one price, or two as far apart as may be, or a little less or more."""
    judged = rng.choice((Q, rng.getrandbits(rng.choice((44, 57, 64, 70))) + 1, Q // 10, 1 << rng.randint(40, 80)))
    furthest = -(-judged * (BPS - rules.max_gap) // BPS)
    settled = rng.choice((judged, judged, furthest, rng.randint(min(furthest, judged), judged), furthest - rng.randint(1, 2)))
    return judged, max(1, settled if rng.randrange(20) else judged * rng.randint(5_000, BPS) // BPS)


def sizing(rng: random.Random) -> dict | None:
    """One row; None for an account whose amounts do not fit the engine's words, which answers with an error."""
    rules, collateral = some_rules(rng), amount(rng)
    judged, settled = two_prices(rng, rules)
    value, value_settled = collateral * judged // Q, collateral * settled // Q
    debt = some_debt(rng, rules, value)
    if max(value, debt) >= WORD // 2:
        return None
    apart = model.spread(exact, judged, settled) if model.is_near(exact, rules, judged, settled) else None
    asked = model.demand(exact, rules, apart, debt, value, value_settled)
    row = {**rules._asdict(), "debt": debt, "collateral": collateral, "judged": judged, "settled": settled}
    if isinstance(asked, str):
        empty = ("extent", *model.Terms._fields[1:], "bounty", "shared_penalty", "cut_repay", "cut_seize", "cut_bounty")
        return {**row, "limit": 0, "error": asked, **dict.fromkeys(empty, "")}
    due = model.terms(exact, rules, asked, collateral, settled)
    if (asked.repay * (BPS + asked.penalty) // BPS) * Q // settled >= WORD:
        return None
    least = min(rules.min_debt, asked.repay)
    edges = (0, least - 1, least, rng.randint(0, asked.repay), max(asked.repay - 1, 0), max(debt - rules.min_debt, 0))
    limit = rng.choice(edges)
    cut = model.cut(exact, rules, asked, debt, limit)
    of_cut = cut and model.terms(exact, rules, cut, collateral, settled)
    return {
        **row,
        **{"limit": limit, "error": "", **due._asdict()},
        "bounty": model.bounty(exact, rules, due),
        "shared_penalty": model.shared_penalty(exact, rules, due),
        "cut_repay": of_cut.repay if cut else "",
        "cut_seize": of_cut.seize if cut else "",
        "cut_bounty": model.bounty(exact, rules, of_cut) if cut else "",
    }


BANDS, PER_OCTAVE = 256, 32


def weights() -> list[int]:
    """For each band the largest w with w × 2^((band + 1) ÷ 32) × 4,097 ≤ 2^32 × 4,096, both sides to the 32nd power."""
    most = (1 << 32 * 32) * 4_096**PER_OCTAVE
    found = []
    for band in range(BANDS - 1):
        low, high = 0, 1 << 33
        while high - low > 1:
            middle = (low + high) // 2
            fits = (middle * 4_097) ** PER_OCTAVE << (band + 1) <= most
            low, high = (middle, high) if fits else (low, middle)
        found.append(low)
    return [*found, 0]


WEIGHTS = weights()


def place(q: int, index: int, origin: int) -> int | None:
    """The band of q ÷ index; None within a twentieth of a band of an edge, where it is a matter of rounding."""
    n, d = q ** (20 * PER_OCTAVE), index ** (20 * PER_OCTAVE)
    # q^640 × 2^−20·origin against index^640 × 2^twentieths
    twentieth = n.bit_length() - d.bit_length() - 20 * origin
    n, d = (n << -20 * origin, d) if origin < 0 else (n, d << 20 * origin)
    while twentieth >= 0 and n < d << twentieth:
        twentieth -= 1
    if twentieth < 0:
        return None
    band, rest = divmod(twentieth, 20)
    return band if 0 < rest < 19 and band < BANDS else None


def cover(rng: random.Random) -> dict | None:
    """One row: a map, the backstop's books and prices that are one, the quote token at one dollar, 9 and 6 decimals."""
    dollars = rng.choice((10_000_000_000, rng.randint(1_000_000, 1_000_000_000_000)))
    price = dollars * Q // (100_000_000 * 1_000)
    fall = rng.choice((0, 3_800, 5_000, rng.randint(0, 5_000)))
    q = price * (BPS - fall) // BPS
    index = (Q >> 10) + rng.choice((0, rng.getrandbits(rng.choice((40, 52, 54)))))
    # Five octaves below the price of the last centering, which may be octaves away.
    octave = (price // index).bit_length() - 5 + rng.randint(-3, 4)
    origin = octave * PER_OCTAVE
    threshold = place(q, index, origin)
    if threshold is None:
        return None
    bands: dict[int, int] = {}
    for _ in range(rng.randint(0, 12)):
        near = min(max(threshold + rng.randint(-3, 12), 0), BANDS - 1)
        bands[rng.choice((near, near, rng.randrange(BANDS), BANDS - 1))] = amount(rng, (12, 36, 48, 53))
    cash, unfunded = (rng.choice((0, amount(rng, (24, 36, 48)))) for _ in range(2))
    inventory, debt_shares = (rng.choice((0, amount(rng, (24, 36, 48, 53)))) for _ in range(2))
    owed = rng.choice((0, rng.getrandbits(100)))
    shares = sum(held for band, held in bands.items() if band >= threshold)
    weight = sum(held * WEIGHTS[band] for band, held in bands.items() if band >= threshold)
    shift = 32 + octave
    collateral = weight >> shift if shift >= 0 else weight << -shift
    if max(collateral + inventory, q * (collateral + inventory) // Q + cash + (owed >> 64)) >= WORD:
        return None
    books = (cash, owed >> 64, inventory + collateral, debt_shares + shares, unfunded)
    value = rng.choice((0, amount(rng, (24, 36, 48))))
    return {
        **{"dollars": dollars, "price": price, "fall": fall, "index": index, "origin": origin},
        "bands": " ".join(f"{band}:{held}" for band, held in sorted(bands.items())),
        **{"cash": cash, "owed": owed, "inventory": inventory, "debt_shares": debt_shares, "unfunded": unfunded},
        "fallen": q,
        "underwater": max(exact.ceil(index * shares, Q) - q * collateral // Q, 0),
        "cover": model.cover(exact, books, q, index),
        "pipeline": value,
        "headroom": model.pipeline_headroom(exact, value, inventory, price),
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
    for name, row in (("sizing.csv", sizing), ("cover.csv", cover)):
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
