"""Mutants of compiled lines: one thing wrong in one line, as a mistake in the compiler or by hand would make it.

Lines of clauses marked redundant are left alone: without them, or with them changed, no answer need change.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from policies.lines import PolicyLine
from policies.ruleset import RuleSet
from policies.vocabulary import SIGHTS, WILDCARD

EACH = 12
"""Mutants of each kind, spread over the lines it can be made of."""

_NARROW = ("ground", "ask", "hold", "standing", "proof", "kind", "basis", "reg", "consent", "exc", "party")
"""Not `shield`: the statutory bundle keeps shielded signals hidden whatever an allowance says of them."""

_OTHER_ROLE = {"worker": "approver", "approver": "worker"}
_NEXT_LEVEL = {"0": "1", "1": "2", "2": "3", "3": "4", "4": "4"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A set of lines with one thing wrong in it; `touched` is the line as it was and as it is."""

    kind: str
    rid: str
    what: str
    lines: tuple[PolicyLine, ...]
    touched: tuple[PolicyLine, ...]


def mutants(rules: RuleSet) -> Iterator[Mutant]:
    """Give `EACH` mutants of every kind."""
    lines = [line for line in rules.lines if not rules.clauses[line.rid].redundant]
    for kind, make in KINDS.items():
        made = [(line, changed) for line in lines for changed in make(line)]
        step = max(1, len(made) // EACH)
        for line, changed in made[::step][:EACH]:
            rest = tuple(other for other in rules.lines if other != line)
            yield Mutant(
                kind=kind,
                rid=line.rid,
                what=_difference(line, changed),
                lines=tuple(sorted((*rest, *(changed or ())))),
                touched=(line, *(changed or ())),
            )


_Make = Callable[[PolicyLine], Iterator[tuple[PolicyLine, ...] | None]]


def _delete(_: PolicyLine) -> Iterator[None]:
    yield None


def _widen(line: PolicyLine) -> Iterator[tuple[PolicyLine, ...]]:
    """One column of an allowance speaks about every word."""
    for column in _NARROW:
        if line.eft == "allow" and getattr(line, column) != WILDCARD:
            yield (replace(line, **{column: WILDCARD}),)


def _flip(line: PolicyLine) -> Iterator[tuple[PolicyLine, ...]]:
    yield (replace(line, eft="deny" if line.eft == "allow" else "allow"),)


def _shift_date(line: PolicyLine) -> Iterator[tuple[PolicyLine, ...]]:
    """It begins a year earlier, or ends a century earlier or a year later."""
    if line.eft == "allow":
        yield (replace(line, since=str(int(line.since) - 10_000)),)
        yield (replace(line, until=str(int(line.until) - (1_000_000 if line.until > "9" else 10_000))),)


def _shift_level(line: PolicyLine) -> Iterator[tuple[PolicyLine, ...]]:
    """It reaches one level further, or begins one level later."""
    if line.eft == "allow":
        if line.lmax != "4":
            yield (replace(line, lmax=_NEXT_LEVEL[line.lmax]),)
        if line.lmin < line.lmax:
            yield (replace(line, lmin=_NEXT_LEVEL[line.lmin]),)


def _swap_role(line: PolicyLine) -> Iterator[tuple[PolicyLine, ...]]:
    if line.act not in SIGHTS and line.role in _OTHER_ROLE:
        yield (replace(line, role=_OTHER_ROLE[line.role]),)


KINDS: dict[str, _Make] = {
    "delete": _delete,
    "widen to *": _widen,
    "flip effect": _flip,
    "shift date": _shift_date,
    "shift level": _shift_level,
    "swap role": _swap_role,
}


def _difference(line: PolicyLine, changed: Sequence[PolicyLine] | None) -> str:
    if changed is None:
        return "deleted"
    other = changed[0]
    names = [name for name in PolicyLine.__slots__ if getattr(line, name) != getattr(other, name)]
    return ", ".join(f"{name}: {getattr(line, name)} -> {getattr(other, name)}" for name in names)
