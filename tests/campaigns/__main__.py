"""`make campaign NAME=kill SIZE=n SEED=n`: one fault campaign with its oracle; leaves `build/campaign/<name>.json`.

Exit 0 when nothing was lost, 1 when something was or the campaign could not be carried out, 2 on bad input.
"""

import json
import sys
from pathlib import Path

from tests.campaigns import kill, syscalls
from tests.check import system_packages

ROOT = Path(__file__).resolve().parents[2]
CAMPAIGNS = {"kill": kill.run_campaign, "syscalls": syscalls.run_campaign}
BAD_INPUT = 2


def main(arguments: list[str]) -> int:
    """Carry out a campaign and return its exit code."""
    try:
        name, size, seed = arguments[0], int(arguments[1]), int(arguments[2])
    except (IndexError, ValueError):
        print("campaign: give NAME, SIZE and SEED; both are whole numbers", file=sys.stderr)
        return BAD_INPUT
    if name not in CAMPAIGNS or size < 0:
        print(f"campaign: there is {', '.join(sorted(CAMPAIGNS))}; SIZE is 0 or more", file=sys.stderr)
        return BAD_INPUT
    if system_packages.main() != 0:
        return 1
    report = CAMPAIGNS[name](size, seed, say=lambda line: print(line, flush=True))
    out = ROOT / "build" / "campaign" / f"{name}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for kind, told in report["stores"].items():
        print(
            f"{kind}: {told['kills']} kills, {told['acknowledged_signals']} signals acknowledged, "
            f"{told['found']} times found, {len(told['lost'])} lost, {len(told['points'])} points, "
            f"restart {told['restart_seconds']['median']} s median, {told['restart_seconds']['max']} s at most"
        )
        for fault in (*told["lost"], *told["faults"]):
            print(f"{kind}: {fault}")
    print(f"campaign: {'ok' if report['holds'] else 'FAILED'}: {report['says']}")
    return 0 if report["holds"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
