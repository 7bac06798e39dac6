"""Mutants that change nothing: `tests/check/equivalent_mutants.toml`, each with the reason why.

Every entry names one mutant by module, function, the line before and the line after. It is held to three rules, so that
the list cannot grow old unseen: the line still stands in the module, the reason is a sentence, and the tests do not
notice the mutant (then it was not equivalent after all).

What changes nothing by the language itself is not listed but known by its form: see `is_for_the_type_checker`.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant

SHORTEST_REASON = 20
"""Characters; less says nothing."""
_CAST_TYPE = re.compile(r'\bcast\((?:None|"[^"]*"), ')


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change of one line; `after` is empty where a line was taken away."""

    module: str
    function: str
    before: str
    after: str


def read_equivalents(path: Path) -> dict[Mutant, str]:
    """Return the listed mutants, each with its reason."""
    if not path.is_file():
        return {}
    rows = tomllib.loads(path.read_text(encoding="utf-8")).get("mutant", [])
    return {
        Mutant(module=row["module"], function=row["function"], before=row["before"], after=row["after"]): row["reason"]
        for row in rows
    }


def stale(listed: Mapping[Mutant, str], root: Path) -> list[str]:
    """Return a sentence for each entry whose line no longer stands in its module or that gives no reason."""
    faults = []
    for mutant, reason in listed.items():
        path = root / mutant.module
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        if mutant.before not in (line.strip() for line in lines):
            faults.append(f"{mutant.module}: no line {mutant.before!r} any more; take it from equivalent_mutants.toml")
        if len(reason.strip()) < SHORTEST_REASON:
            faults.append(f"{mutant.module}: {mutant.function}: an equivalent mutant needs its reason")
    return faults


def mutant_of(name: str, diff: str) -> Mutant:
    """Return the mutant that mutmut calls `name` and shows as `diff`."""
    function = name.rpartition(".")[2].partition("__mutmut_")[0].removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++", "@@"))]
    before = [line[1:].strip() for line in lines if line.startswith("-")]
    after = [line[1:].strip() for line in lines if line.startswith("+")]
    return Mutant(module=_path(name), function=function, before=" ".join(before), after=" ".join(after))


def changes(tree: Path, names: Iterable[str]) -> dict[str, Mutant]:
    """Return what each of these mutants of mutmut's tree changes."""
    with chdir(tree):
        return {name: mutant_of(name, get_diff_for_mutant(name, path=_path(name))) for name in names}


def is_for_the_type_checker(mutant: Mutant) -> bool:
    """Return whether it changes the type of a `cast` alone, which nothing looks at when it runs."""
    before, after = (_CAST_TYPE.sub("cast(..., ", line) for line in (mutant.before, mutant.after))
    return before == after and mutant.before != mutant.after


def split(unnoticed: Mapping[str, Mutant], listed: Iterable[Mutant]) -> tuple[list[str], list[Mutant]]:
    """Return the names of unnoticed mutants that are equivalent, and the listed ones that were noticed."""
    known = set(listed)
    equal = sorted(name for name, mutant in unnoticed.items() if mutant in known or is_for_the_type_checker(mutant))
    return equal, sorted(known - set(unnoticed.values()), key=lambda each: (each.module, each.function, each.before))


def _path(name: str) -> str:
    return name.rpartition(".")[0].replace(".", "/") + ".py"
