"""Every call that writes to the disk during one append fails with EIO, and at every one the process is killed (strace).

The append runs in a process of its own over a copy of one small log. Afterwards the log is opened as a restart would:
it holds everything acknowledged, whole, under a tree that contains the one before; and it goes on.
"""

import asyncio
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.receipt import Receipt
from audit.stored_log import StoredLog
from audit.tiles import publish
from audit.verify import parse_policy, verify_directory, verify_receipt
from tests.fault.one_append import READY, TRIED
from tests.fault.test_log_writer_database import Process, check_whole

CALLS = ("pwrite64", "pwritev", "fdatasync", "fsync", "ftruncate", "fallocate", "rename", "unlink")
SYNCS = frozenset({"fdatasync", "fsync"})
FAULTS = ("error=EIO", "signal=KILL")
EVERY = 10_000
_LINE = re.compile(r"(?P<thread>\d+) +(?P<call>[a-z0-9]+)\(")
_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The so-manieth of one call in its thread, and what happens instead of it."""

    call: str
    at: int
    fault: str

    def __str__(self) -> str:
        """Name the point."""
        return f"{self.call} {self.at} {self.fault}"


class Prepared:
    """A log with one acknowledged entry, to be copied for each trial."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.receipt = asyncio.run(self._prepare())

    async def _prepare(self) -> Receipt:
        process = Process(self.folder)
        await process.ledger.open()
        written = await process.write("before")
        assert written.appended is not None
        self.policy = parse_policy(f"log {process.signer.vkey}\nquorum none\n")
        self.policy_text = f"log {process.signer.vkey}\nquorum none\n"
        process.stop()
        return written.appended.receipt(0)


def points(prepared: Prepared, scratch: Path, *, size: int, seed: int) -> list[Point]:
    """Return the points to try: of every sync both faults, of the other calls at most `size` places, both faults."""
    traced = _run(prepared, scratch / "traced", ["-e", f"trace=write,{','.join(CALLS)}"])
    places = sorted(set(_of_the_append((scratch / "traced.strace").read_text(encoding="utf-8", errors="replace"))))
    assert traced == [f"{name} done" for name in TRIED], traced
    syncs = [place for place in places if place[0] in SYNCS]
    others = [place for place in places if place[0] not in SYNCS]
    chosen = others if len(others) <= size else random.Random(seed).sample(others, size)
    return [Point(call=call, at=at, fault=fault) for call, at in syncs + sorted(chosen) for fault in FAULTS]


def _of_the_append(trace: str) -> Iterator[tuple[str, int]]:
    """Yield each writing call after the start of the appends, with its number in its own thread."""
    seen: Counter[tuple[str, str]] = Counter()
    started = False
    for line in trace.splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        if found["call"] == "write":
            started = started or f'"{READY}' in line
            continue
        seen[found["thread"], found["call"]] += 1
        if started:
            yield found["call"], seen[found["thread"], found["call"]]


def _run(prepared: Prepared, folder: Path, options: Sequence[str]) -> list[str]:
    """Return what the appending process said over a copy of the log, `ready` left out.

    It says nothing where it did not even start: each thread counts its calls by itself, so a point of one thread can
    be met by another one while the log is opened.
    """
    shutil.copytree(prepared.folder, folder)
    command = ["strace", "-f", "--seccomp-bpf", "-qq", "-o", f"{folder}.strace", *options]
    appending = [sys.executable, "-m", "tests.fault.one_append", str(folder)]
    done = subprocess.run([*command, *appending], capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    return done.stdout.splitlines()[1:]


def broken_off(prepared: Prepared, scratch: Path, point: Point) -> list[str]:
    """Return what is wrong after the process was broken off at this point; nothing, when all holds."""
    folder = scratch / "trial"
    inject = ["-e", f"trace={point.call}", "-e", f"inject={point.call}:{point.fault}:when={point.at}"]
    try:
        said = _run(prepared, folder, inject)
        return asyncio.run(_judge(prepared, folder, point, said))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _judge(prepared: Prepared, folder: Path, point: Point, said: list[str]) -> list[str]:
    acknowledged = ["before", *(line.split()[0] for line in said if line.endswith(" done") and " not " not in line)]
    wrong = []
    stopped = "not done LogUnavailableError"
    of_the_log = point.call in SYNCS and "EIO" in point.fault and said[:1] == [f"first {stopped}"]
    if of_the_log and said[1:2] != [f"again {stopped}"]:
        wrong.append("a failed sync was tried again")
    process = Process(folder)
    try:
        await process.ledger.open()
        await process.write("later")
        old = StoredLog(process.writer.connection).proof(0, process.signer.released.size)
        publish(StoredLog(process.writer.connection), folder / "tiles", prepared.policy_text)
    finally:
        process.stop()
    check_whole(process.database, [*acknowledged, "later"])
    if not verify_directory(folder / "tiles", prepared.policy).holds:
        wrong.append("the published log does not verify")
    if old.index != verify_receipt(prepared.receipt, prepared.policy).index:
        wrong.append("the old receipt does not verify")
    return wrong


def run_campaign(size: int, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Return the report of all points, or of so many of the calls that are no sync; `EVERY` takes them all."""
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        prepared = Prepared(scratch / "prepared")
        chosen = points(prepared, scratch, size=size, seed=seed)
        for number, point in enumerate(chosen, start=1):
            try:
                found = broken_off(prepared, scratch, point)
            except Exception as error:  # noqa: BLE001 - whatever it was, the log did not come back
                found = [f"{type(error).__name__}: {error}"]
            faults += [f"{point}: {one}" for one in found]
            if number % 20 == 0:
                say(f"{number} of {len(chosen)} points")
    return {
        "schema": "campaign/v1",
        "name": "syscalls",
        "seed": seed,
        "points": [str(point) for point in chosen],
        "faults": faults,
        "stores": {},
        "holds": not faults and bool(chosen),
        "says": f"{len(chosen)} points of one append, {len(faults)} faults" + "".join(f"\n{one}" for one in faults),
    }
