"""`make mutate [ONLY=path]`: do the tests notice when a security-critical module is changed?

Works on a copy of the tree in `build/mutate/tree`, mutates the modules of `[tool.sluis] critical_modules` (or those
that ONLY names, separated by spaces) with mutmut and writes `build/mutate/report.json`: per module the mutants, how
many the tests noticed, and the score. Exit 1 when a module scores below `tests/check/mutation_baseline.json`, has no
entry there, or when no mutant was made at all. `ACCEPT=1` writes the scores of this run into the baseline instead.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.check.critical import critical_modules

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "mutate"
TREE = OUT / "tree"
BASELINE = ROOT / "tests" / "check" / "mutation_baseline.json"
NOTICED = {"killed", "timeout", "segfault", "caught by type check"}
PLACE = "only_mutate = []"


def copy_tree(only: list[str]) -> None:
    """Make a fresh copy of the project whose settings name the modules to mutate."""
    shutil.rmtree(OUT, ignore_errors=True)
    TREE.mkdir(parents=True)
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        target = TREE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            shutil.copy2(ROOT / name, target)
    settings = TREE / "pyproject.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace(PLACE, f"only_mutate = {json.dumps(only)}"), encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=TREE, check=True)


def mutate() -> dict[str, str]:
    """Return the fate of every mutant; mutmut's own output goes to a file beside the report."""
    mutmut = [sys.executable, "-m", "mutmut"]
    environment = {**os.environ, "SLUIS_TEST_PROFILE": "mutate"}
    with (OUT / "mutmut.log").open("wb") as log:
        command = [*mutmut, "run", "--max-children", str(os.cpu_count() or 1)]
        subprocess.run(command, cwd=TREE, check=False, env=environment, stdout=log, stderr=subprocess.STDOUT)
    command = [*mutmut, "results", "--all", "true"]
    listed = subprocess.run(command, cwd=TREE, check=True, capture_output=True, text=True).stdout
    pairs = [line.strip().rpartition(": ") for line in listed.splitlines() if "__mutmut_" in line]
    return {name: fate for name, _, fate in pairs}


def summarise(fates: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return per module how many mutants there were, how many were noticed, and the share noticed in percent."""
    total: Counter[str] = Counter()
    noticed: Counter[str] = Counter()
    unchecked: Counter[str] = Counter()
    for mutant, fate in fates.items():
        module = mutant.rpartition(".")[0].replace(".", "/") + ".py"
        total[module] += 1
        noticed[module] += fate in NOTICED
        unchecked[module] += fate == "not checked"
    return {
        module: {
            "mutants": total[module],
            "noticed": noticed[module],
            "unchecked": unchecked[module],
            "score": round(100 * noticed[module] / total[module], 1),
            "unnoticed": sorted(name for name, fate in fates.items() if fate not in NOTICED and _of(name, module)),
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
    copy_tree(wanted)
    modules = summarise(mutate())
    baseline = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.is_file() else {}
    if os.environ.get("ACCEPT") and not any(each["unchecked"] for each in modules.values()):
        baseline = dict(sorted({**baseline, **{name: each["score"] for name, each in modules.items()}}.items()))
        BASELINE.write_text(json.dumps(baseline, indent=2) + "\n", encoding="utf-8")
    faults = compare(modules, baseline, wanted)
    report = {"schema": "mutate/v1", "ok": not faults, "modules": modules, "faults": faults}
    (OUT / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for module, each in modules.items():
        print(f"{each['score']:5.1f} %  {each['noticed']:4d} of {each['mutants']:4d}  {module}")
    for fault in faults:
        print(f"mutate: {fault}")
    return 1 if faults else 0


def _of(mutant: str, module: str) -> bool:
    return mutant.rpartition(".")[0].replace(".", "/") + ".py" == module


if __name__ == "__main__":
    sys.exit(main())
