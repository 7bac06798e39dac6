"""Which tests a mutant meets and in which order: those that noticed most mutants for their time first."""

from collections.abc import Iterable, Mapping


def module_of(mutant: str) -> str:
    """Return the dotted module a mutant changes."""
    return mutant.rpartition(".")[0]


def within(tests: Iterable[str], seconds: Mapping[str, float], promise: Mapping[str, int], limit: float) -> list[str]:
    """Return the most promising tests first, as many as fit in `limit` seconds, and one at least."""
    rank = {test: (promise.get(test, 0) + 0.05) / (seconds.get(test, 0.0) + 0.02) for test in tests}
    chosen: list[str] = []
    spent = 0.0
    for test in sorted(rank, key=lambda each: (-rank[each], each)):
        spent += seconds.get(test, 0.0)
        if not chosen or spent <= limit:
            chosen.append(test)
    return chosen
