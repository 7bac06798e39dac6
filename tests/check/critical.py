"""The tests run security-critical modules line by line and branch by branch: `python -m tests.check.critical FILE`.

FILE is the JSON report of `covering.py`. The modules are listed as patterns in `pyproject.toml`, `[tool.sluis]`; a
pattern that matches no file is itself an error, so that a renamed module cannot leave the list unseen.
"""

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def critical_modules(root: Path) -> dict[str, list[str]]:
    """Return for each pattern of `[tool.sluis] critical_modules` the modules it names, as paths from the root."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["sluis"]
    return {
        pattern: sorted(path.relative_to(root).as_posix() for path in root.glob(pattern))
        for pattern in settings["critical_modules"]
    }


def uncovered(modules: dict[str, list[str]], report: dict[str, Any]) -> list[str]:
    """Return a sentence for each critical module that the tests do not run completely."""
    faults = [f"{pattern}: names no module" for pattern, found in modules.items() if not found]
    for module in sorted({module for found in modules.values() for module in found}):
        measured = report["files"].get(module)
        if measured is None:
            faults.append(f"{module}: not measured")
            continue
        lines = measured["missing_lines"]
        branches = [f"{start}->{end}" for start, end in measured["missing_branches"]]
        if lines or branches:
            faults.append(f"{module}: lines {lines or 'all'}, branches {', '.join(branches) or 'all'}")
    return faults


def main() -> int:
    """Print what is not covered and return 0 when nothing is."""
    report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    modules = critical_modules(ROOT)
    faults = uncovered(modules, report)
    for fault in faults:
        print(f"not covered: {fault}")
    if not faults:
        print(
            f"{len({m for found in modules.values() for m in found})} critical modules: every line and branch is tested"
        )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
