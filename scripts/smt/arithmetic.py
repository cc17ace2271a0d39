"""Two readings of the same formulas: whole numbers, for the vectors that the engine is compared on, and terms for the solver.

In the solver's reading every number is a real. That is sound for proofs: whole numbers are reals, and of rounding only what is true
of whole numbers is told. So what holds of all reals in the box holds of all whole numbers in it. Counterexamples of planted
falsehoods are another matter: those are asked for in whole numbers.
"""

from dataclasses import dataclass, field
from typing import Callable, Iterator


class Exact:
    """Whole numbers."""

    def floor(self, n: int, d: int) -> int:
        return n // d

    def ceil(self, n: int, d: int) -> int:
        return -(-n // d)

    def less(self, a: int, b: int) -> bool:
        return a < b

    def at_most(self, a: int, b: int) -> bool:
        return a <= b


@dataclass
class Symbolic:
    """Terms of the solver, along one path through the branches of a formula.

    `script` says which way each comparison goes; a comparison beyond its end goes the way of yes first. `quotients` are
    those already named, for a division done twice has one result.
    """

    fresh: Callable
    quotients: dict
    script: list[bool] = field(default_factory=list)
    taken: list[bool] = field(default_factory=list)
    facts: list = field(default_factory=list)

    def _divide(self, n, d, remainder_above: bool):
        key = (str(n), str(d), remainder_above)
        if key not in self.quotients:
            self.quotients[key] = self.fresh()
        q = self.quotients[key]
        # For whole numbers 0 ≤ n − q·d ≤ d − 1, or the same from above. Divisors are positive wherever this is called:
        # the claims `divisors are positive` prove it.
        rest = q * d - n if remainder_above else n - q * d
        self.facts += [rest >= 0, rest <= d - 1]
        return q

    def floor(self, n, d):
        return self._divide(n, d, remainder_above=False)

    def ceil(self, n, d):
        return self._divide(n, d, remainder_above=True)

    def _decide(self, yes, no) -> bool:
        turn = len(self.taken)
        answer = self.script[turn] if turn < len(self.script) else True
        self.taken.append(answer)
        self.facts.append(yes if answer else no)
        return answer

    def less(self, a, b) -> bool:
        return self._decide(a <= b - 1, a >= b)

    def at_most(self, a, b) -> bool:
        return self._decide(a <= b, a >= b + 1)


def paths(fresh: Callable, formula: Callable) -> Iterator[tuple[Symbolic, object]]:
    """Every path through a formula: what is decided on it, and what the formula gives there."""
    script: list[bool] = []
    quotients: dict = {}
    while True:
        path = Symbolic(fresh, quotients, script)
        result = formula(path)
        yield path, result
        while path.taken and not path.taken[-1]:
            path.taken.pop()
        if not path.taken:
            return
        script = path.taken[:-1] + [False]
