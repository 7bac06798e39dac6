"""`make bench [ONLY=a,b]`: run the benches, print each ratio beside its bar, leave `build/bench/<name>.json`.

Exit 0 when every bar is reached, 1 when one is missed, 2 when ONLY names no bench. A new one is one line in `BENCHES`.
"""

import json
import os
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.audit import bench_audit
from tests.bench.check import bench_check
from tests.bench.measure import FULL, TINY, Bench, Report, Size, fdatasync_probe
from tests.bench.policy import bench_policy
from tests.bench.tokens import bench_tokens
from tests.simulators.databases import databases

OUT = Path("build") / "bench"
BENCHES: Mapping[str, Bench] = {
    "tokens": bench_tokens,
    "check": bench_check,
    "policy": bench_policy,
    "audit": bench_audit,
}
SIZES = {size.name: size for size in (FULL, TINY)}


def run(name: str, size: Size, out: Path) -> Report:
    """Return what a bench found, written to `out/<name>.json` with the disk's speed before and after."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as folder:
        before = fdatasync_probe(Path(folder))
        report = BENCHES[name](size, Path(folder))
        after = fdatasync_probe(Path(folder))
    document = {
        "schema": "bench/v1",
        "name": name,
        "size": size.name,
        "ok": all(bar.held for bar in report.bars),
        "bars": [bar.document() for bar in report.bars],
        "figures": report.figures,
        "notes": list(report.notes),
        "rounds": [dict(found) for found in report.rounds],
        "fdatasync": {"before": before, "after": after},
        "cores": os.cpu_count(),
    }
    (out / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return report


def show(name: str, report: Report) -> None:
    """Print the bars of a bench, then the figures beside them."""
    for bar in report.bars:
        print(f"{name}: {bar.sentence()}", flush=True)
    for figure, value in report.figures.items():
        print(f"{name}:   {figure} = {json.dumps(value)}")
    for note in report.notes:
        print(f"{name}:   {note}")


def main(only: Sequence[str], size: Size, out: Path) -> int:
    """Run the benches of these names, all of them when none is named; return the exit code."""
    unknown = [name for name in only if name not in BENCHES]
    if unknown:
        print(f"bench: there is no such bench; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    missed = []
    for name in only or BENCHES:
        report = run(name, size, out)
        show(name, report)
        missed += [bar for bar in report.bars if not bar.held]
    print("bench: ok" if not missed else f"bench: {len(missed)} bars missed")
    return 1 if missed and size is FULL else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that no server is left behind
    names = [name for name in os.environ.get("ONLY", "").replace(",", " ").split() if name]
    try:
        code = main(names, SIZES[os.environ.get("BENCH_SIZE", FULL.name)], OUT)
    finally:
        databases.close()
    sys.exit(code)
