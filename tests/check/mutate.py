"""`make mutate [ONLY=path]`: do the tests notice when a security-critical module is changed?

Works on a copy of the tree in `build/mutate/tree`, mutates the modules of `[tool.sluis] critical_modules` (or those
that ONLY names, separated by spaces) with mutmut and writes `build/mutate/report.json`: per module the mutants, how
many the tests noticed, and the score. Exit 1 when a module scores below `tests/check/mutation_baseline.json`, has no
entry there, or when no mutant was made at all. `ACCEPT=1` writes the scores of this run into the baseline instead.

Modules of one package meet that package's own tests only (unit, property, vectors), which is quick and can only score
too low; `tests/check/mutant_run.py` says how a mutant meets its tests. Mutants listed with a reason in
`tests/check/equivalent_mutants.toml` change nothing and are left out of the score. `AGAIN=1` keeps what was noticed
last time and tries only the others; `CHILDREN=n` limits the processes, `MUTANT_SECONDS=n` the tests of one mutant.
`TESTS="path ..."` lets them meet these files or folders only, which again can only score too low. Tests on PostgreSQL
are left out: a forked child would share its parent's connection.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tests.check.critical import critical_modules
from tests.check.equivalent import changes, read_equivalents, split, stale

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "mutate"
TREE = OUT / "tree"
BASELINE = ROOT / "tests" / "check" / "mutation_baseline.json"
EQUIVALENT = ROOT / "tests" / "check" / "equivalent_mutants.toml"
NOTICED = {"killed", "timeout", "segfault", "caught by type check"}
PLACE = "only_mutate = []"
SELECTION = 'pytest_add_cli_args_test_selection = ["tests/unit", "tests/vectors", "tests/property"]'


def copy_tree(only: list[str], *, again: bool) -> None:
    """Make a fresh copy of the project whose settings name the modules to mutate, or bring the last one up to date."""
    if not again:
        shutil.rmtree(OUT, ignore_errors=True)
    TREE.mkdir(parents=True, exist_ok=True)
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    copied = set()
    for name in filter(None, listed.split("\0")):
        target = TREE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        newer = not target.is_file() or target.read_bytes() != (ROOT / name).read_bytes()
        if (ROOT / name).is_file() and newer:
            shutil.copy2(ROOT / name, target)
            copied.add(name)
    settings = TREE / "pyproject.toml"
    text = settings.read_text(encoding="utf-8").replace(PLACE, f"only_mutate = {json.dumps(only)}")
    tests = tests_for(only, named=os.environ.get("TESTS", ""))
    selection = f"pytest_add_cli_args_test_selection = {json.dumps(tests)}"
    settings.write_text(text.replace(SELECTION, selection), encoding="utf-8")
    for module in only:
        made = TREE / "mutants" / f"{module}.meta"
        if module in copied or not made.is_file():  # its mutants are of other lines, or it had none in the last run
            for path in (made, TREE / "mutants" / module, TREE / "learned.json"):
                path.unlink(missing_ok=True)
    subprocess.run(["git", "init", "--quiet"], cwd=TREE, check=True)


def tests_for(modules: list[str], *, named: str) -> list[str]:
    """Return the tests that mutants of these modules meet: those that are named, or else those of their package."""
    if named.split():
        return named.split()
    kinds = ("tests/unit", "tests/vectors", "tests/property")
    packages = {module.partition("/")[0] for module in modules}
    if len(packages) > 1:
        return list(kinds)
    own = [f"{kind}/{package}" for package in packages for kind in kinds]
    return [folder for folder in own if (ROOT / folder).is_dir()] or list(kinds)


def mutate() -> dict[str, str]:
    """Return the fate of every mutant; mutmut's own output goes to a file beside the report."""
    environment = {**os.environ, "SLUIS_TEST_PROFILE": "mutate"}
    with (OUT / "mutmut.log").open("wb") as log:
        command = [sys.executable, "-m", "tests.check.mutant_run"]
        subprocess.run(command, cwd=TREE, check=False, env=environment, stdout=log, stderr=subprocess.STDOUT)
    command = [sys.executable, "-m", "mutmut", "results", "--all", "true"]
    listed = subprocess.run(command, cwd=TREE, check=True, capture_output=True, text=True).stdout
    pairs = [line.strip().rpartition(": ") for line in listed.splitlines() if "__mutmut_" in line]
    return {name: fate for name, _, fate in pairs}


def summarise(fates: Mapping[str, str], equivalent: Collection[str] = ()) -> dict[str, dict[str, Any]]:
    """Return per module its mutants, how many were noticed, and the share noticed of those that change anything."""
    total: Counter[str] = Counter()
    noticed: Counter[str] = Counter()
    unchecked: Counter[str] = Counter()
    unchanging: Counter[str] = Counter()
    for mutant, fate in fates.items():
        module = _module(mutant)
        total[module] += 1
        noticed[module] += fate in NOTICED
        unchecked[module] += fate == "not checked"
        unchanging[module] += mutant in equivalent
    return {
        module: {
            "mutants": total[module],
            "noticed": noticed[module],
            "unchecked": unchecked[module],
            "equivalent": unchanging[module],
            "score": _percent(noticed[module], total[module] - unchanging[module]),
            "unnoticed": sorted(
                name
                for name, fate in fates.items()
                if fate not in NOTICED and name not in equivalent and _module(name) == module
            ),
        }
        for module in sorted(total)
    }


def compare(modules: Mapping[str, Mapping[str, Any]], baseline: Mapping[str, float], wanted: list[str]) -> list[str]:
    """Return a sentence for each wanted module that scores below its baseline or was not judged."""
    if any(each["unchecked"] for each in modules.values()):
        return ["the tests did not pass before anything was changed, or were stopped: see build/mutate/mutmut.log"]
    faults = []
    for module in wanted:
        if module not in modules:
            continue  # a module of declarations has nothing to mutate
        score, least = modules[module]["score"], baseline.get(module)
        if least is None:
            faults.append(f"{module}: {score} %, and no baseline to compare with")
        elif score < least:
            faults.append(f"{module}: {score} %, below its baseline of {least} %")
    return faults if modules else ["no mutant was made"]


def main() -> int:
    """Mutate, report, compare; return 0 when no module got worse."""
    wanted = os.environ.get("ONLY", "").split()
    wanted = wanted or sorted({module for found in critical_modules(ROOT).values() for module in found})
    copy_tree(wanted, again=bool(os.environ.get("AGAIN")))
    fates = mutate()
    equal, faults = equivalents(fates, wanted)
    modules = summarise(fates, equal)
    baseline = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.is_file() else {}
    if os.environ.get("ACCEPT"):
        judged = {name: each["score"] for name, each in modules.items() if not each["unchecked"]}
        baseline = dict(sorted({**baseline, **judged}.items()))
        BASELINE.write_text(json.dumps(baseline, indent=2) + "\n", encoding="utf-8")
    faults += compare(modules, baseline, wanted)
    report = {"schema": "mutate/v1", "ok": not faults, "modules": modules, "faults": faults}
    (OUT / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for module, each in modules.items():
        besides = f", {each['equivalent']} equivalent" if each["equivalent"] else ""
        print(f"{each['score']:5.1f} %  {each['noticed']:4d} of {each['mutants']:4d}  {module}{besides}")
    for fault in faults:
        print(f"mutate: {fault}")
    return 1 if faults else 0


def equivalents(fates: Mapping[str, str], wanted: Collection[str]) -> tuple[list[str], list[str]]:
    """Return the unnoticed mutants that are equivalent, and a sentence for each entry that is wrong."""
    listed = read_equivalents(EQUIVALENT)
    faults = stale(listed, ROOT)
    asked = [mutant for mutant in listed if mutant.module in wanted]
    unnoticed = [name for name, fate in fates.items() if fate not in NOTICED and _module(name) in wanted]
    equal, noticed = split(changes(TREE, unnoticed), asked)
    faults += [f"{each.module}: {each.function}: {each.before!r} is noticed, so not equivalent" for each in noticed]
    return equal, faults


def _module(mutant: str) -> str:
    return mutant.rpartition(".")[0].replace(".", "/") + ".py"


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 100.0


if __name__ == "__main__":
    sys.exit(main())
