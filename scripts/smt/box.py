"""The parameter box: the bounds of crates/engine/src/config/table.rs, read from its rows, and the rules of Config::validate."""

import re
from pathlib import Path

from model import BPS, Rules

REPO = Path(__file__).resolve().parents[2]
TABLE = REPO / "crates/engine/src/config/table.rs"
ROW = re.compile(r"^    (\w+): +(.+?), (.+?), (?:Lower|Higher|Neither);", re.MULTILINE)
#: What sizing and bounty rest on, and the stress cover.
NAMES = [*Rules._fields, "stress_fall", "stress_max"]


def bound(text: str, values: dict):
    """A bound as the table writes it: a number, a product or shift of numbers, or another parameter of the box."""
    if other := re.fullmatch(r"config\.(\w+)(?:\.0|\.get\(\)|\.factor\(\))?", text):
        return values[other[1]]
    if text == "u64::MAX":
        return (1 << 64) - 1
    if not re.fullmatch(r"[\d_ */<]+|BPS", text):
        raise ValueError(f"a bound of {TABLE.name} that this script cannot read: {text}")
    return BPS if text == "BPS" else eval(text.replace("/", "//"), {"__builtins__": {}})  # digits and operators only


def rows() -> dict[str, tuple[str, str]]:
    found = {name: (low, high) for name, low, high in ROW.findall(TABLE.read_text())}
    missing = [name for name in NAMES if name not in found]
    if missing:
        raise ValueError(f"{TABLE.name} has no row for {', '.join(missing)}")
    return found


def bounds(values: dict) -> list:
    """What the table demands of these parameters."""
    table = rows()
    limits = [(value, [bound(text, values) for text in table[name]]) for name, value in values.items()]
    return [fact for value, (low, high) in limits for fact in (value >= low, value <= high)]


def rules(values: dict) -> dict[str, object]:
    """The rules of Config::validate about them, each by a name, so that a claim can be tried without it."""
    smallest_penalty = values["min_debt"] * values["penalty"]
    return {
        "target LTV ≤ liquidation LTV": values["target_ltv"] <= values["liquidation_ltv"],
        "liquidation LTV < take-over LTV": values["liquidation_ltv"] <= values["takeover_ltv"] - 1,
        "τ(1 + β) < 1 − max_gap": values["target_ltv"] * (BPS + values["penalty"]) <= BPS * (BPS - values["max_gap"]) - 2,
        "max_gap < 1 − θ": values["max_gap"] <= BPS - values["takeover_ltv"] - 1,
        "share ≤ β/2": 2 * values["bounty_share"] <= values["penalty"],
        "tip ≤ half of β × min_debt": 2 * BPS * values["bounty_tip"] <= smallest_penalty,
        "θ(1 + take-over penalty) ≥ 1": values["takeover_ltv"] * (BPS + values["takeover_penalty"]) >= BPS * BPS,
        "1 − S ≤ θ": BPS - values["stress_fall"] <= values["takeover_ltv"],
    }
