"""Proves the claims with z3: looks for numbers that refute them, and there are none. Then looks for numbers that refute planted
falsehoods, and a claim for each rule of Config::validate that fails without it: there must be some. Called by scripts/smt.sh.

    prove.py FILE    writes the figures to FILE
"""

import json
import sys
from itertools import count

import z3

import box
from arithmetic import paths
from claims import CLAIMS
from planted import FALSEHOODS

#: For one question to the solver, milliseconds. All of them together take a few seconds.
PATIENCE = 60_000


class Undecided(Exception):
    """The solver gave up."""


def ask(facts) -> z3.ModelRef | None:
    """Numbers of which the facts are true; None if there are none."""
    solver = z3.SolverFor("QF_NRA")
    solver.set("timeout", PATIENCE)
    solver.add(*facts)
    answer = solver.check()
    if answer == z3.unknown:
        raise Undecided(solver.reason_unknown())
    return solver.model() if answer == z3.sat else None


def refute(facts, formula, goal) -> tuple[z3.ModelRef | None, int]:
    """Numbers that refute a claim, if there are any; and how many inequalities it has that speak of some numbers at all."""
    numbers, asked = count(), 0
    for path, result in paths(lambda: z3.Real(f"q{next(numbers)}"), formula):
        given = facts + path.facts
        if ask(given) is None:
            continue
        for smaller, larger in goal(result):
            asked += 1
            # Both are whole numbers: smaller ≤ larger is wrong only if it is larger by one.
            found = ask([*given, smaller >= larger + 1])
            if found is not None:
                return found, asked
    return None, asked


def shown(model: z3.ModelRef) -> str:
    return ", ".join(f"{name} = {model[name]}" for name in sorted(model, key=str) if not str(name).startswith("q"))[:200]


def main(figures: str) -> int:
    wrong = inequalities = 0
    print("claims: no numbers in the box refute them")
    for statement, make in CLAIMS:
        found, asked = refute(*make(z3.Real))
        inequalities += asked
        if found is not None:
            print(f"  REFUTED  {statement}: {shown(found)}")
        elif asked == 0:
            print(f"  EMPTY    {statement}: there are no such numbers at all")
        wrong += found is not None or asked == 0
        if found is None and asked:
            print(f"  proved   {statement}")

    print("falsehoods: numbers that refute them")
    for statement, make in FALSEHOODS:
        found, _ = refute(*make(z3.Real))
        wrong += found is None
        print(f"  {'NOT FOUND' if found is None else 'refuted'}  {statement}")

    print("rules of Config::validate: a claim that fails without each")
    rules = list(box.rules({name: z3.Real(name) for name in box.NAMES}))
    for rule in rules:
        falls = next((text for text, make in CLAIMS if refute(*make(z3.Real, rule))[0] is not None), None)
        wrong += falls is None
        print(f"  {'NONE  ' if falls is None else 'needed'}  {rule}" + (f": {falls}" if falls else ""))

    counts = {"smt_claims": len(CLAIMS), "smt_inequalities": inequalities, "smt_falsehoods": len(FALSEHOODS), "smt_wrong": wrong}
    with open(figures, "w", encoding="utf-8") as file:
        json.dump(counts, file)
    print(f"{len(CLAIMS)} claims of {inequalities} inequalities, {len(FALSEHOODS)} falsehoods, {len(rules)} rules; {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
