"""`ONLY=audit`: proofs and a full verification of a large log, durable appends beside a bare insert, and pymerkle.

The writer is measured at the broker's own log port, with as many waiters as a busy region has at once and no tick. The
bare insert puts the same number of bytes into one table of the same kind of database, as many rows to a commit.
"""

import asyncio
import gc
import secrets
import sqlite3
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pymerkle import SqliteTree

from audit.entry import GROUPS, Leaf, payload_size
from audit.sqlite import open_database
from audit.verify import verify_directory
from broker.api.serving import keep_what_is_loaded
from broker.ports import Log, Proposal
from tests.bench.audit_logs import STARTS_AT, TICK, GrownLog, peer_tree
from tests.bench.measure import Bar, Report, Round, Size, interleaved, median, median_ratio
from tests.bench.stores import a_core

ROUNDS = 5
SMALL, LARGE = 10_000, 1_000_000
WAITERS = 32
KIND = "read"
_WRAPPED = 24 + 32 + 16
_NODES = 2 * 32
MS = 1e3


def bench_audit(size: Size, folder: Path) -> Report:
    """Return what proofs, verification and appends cost, and what the bare database and pymerkle need."""
    rounds = ROUNDS if size.rounds > 1 else 1
    small, large = (max(300, count * size.work // 100) for count in (SMALL, LARGE // (1 if size.rounds > 1 else 100)))
    logs = GrownLog(folder / "small", small), GrownLog(folder / "large", large)
    peer = peer_tree(folder / "peer.sqlite", large)
    read = interleaved(rounds, _reading(*logs, peer, size))
    written = interleaved(rounds, lambda: _writing(folder, logs[1], peer, size))
    for one in (*logs, peer):
        one.close()
    return Report(
        bars=[*_reading_bars(read), *_writing_bars(written)],
        rounds=[*read, *written],
        figures={
            "entries": [small, large],
            "waiters": WAITERS,
            "inclusion_p50_ms": round(median(read, "large_p50"), 3),
            "pymerkle_inclusion_p50_ms": round(median(read, "peer_p50"), 3),
            "bytes_an_entry": _entry_bytes(),
            "bare_rows_per_s": round(median(written, "bare")),
            "bare_tree_rows_per_s": round(median(written, "bare_tree")),
            "tree_and_checkpoint_per_s": round(median(written, "tree")),
            "bare_commit_ms": round(WAITERS / median(written, "bare") * MS, 2),
        },
        notes=["appends: entry, tree, five sealed groups with wrapped keys, checkpoint, and the signer's own file"],
    )


def _reading_bars(rounds: Sequence[Round]) -> list[Bar]:
    return [
        Bar(name="inclusion proof at the large size, p95 in ms", ratio=median(rounds, "large_p95"), at_most=1.0),
        Bar(name="inclusion proof p95, large / small", ratio=median_ratio(rounds, "large_p95", "small_p95"), at_most=2),
        Bar(name="full verification, leaves per second", ratio=median(rounds, "verified"), at_least=300_000),
        Bar(name="inclusion proof, pymerkle / ours", ratio=median_ratio(rounds, "peer_p50", "large_p50"), at_least=20),
    ]


def _writing_bars(rounds: Sequence[Round]) -> list[Bar]:
    return [
        Bar(name="durable appends per second", ratio=median(rounds, "appends"), at_least=5000),
        Bar(name="durable append, p99 in ms", ratio=median(rounds, "p99_ms"), at_most=50),
        Bar(name="append with sealing / bare insert", ratio=median_ratio(rounds, "appends", "bare"), at_least=0.08),
        Bar(name="tree and checkpoint / bare insert", ratio=median_ratio(rounds, "tree", "bare_tree"), at_least=0.25),
        Bar(name="append and root, ours / pymerkle", ratio=median_ratio(rounds, "appends", "peer"), at_least=20),
    ]


def _reading(small: GrownLog, large: GrownLog, tree: SqliteTree, size: Size) -> Callable[[], Round]:
    """Return a round of proofs from both logs and the peer, and of one whole verification."""
    tiles, policy = large.published()
    proofs = max(20, size.work * 5)

    def one_round() -> Round:
        ours = {name: _proof_ms(log, proofs) for name, log in (("small", small), ("large", large))}
        peer = _timed(lambda index: tree.prove_inclusion(index + 1, large.size), large.size, max(5, size.work // 5))
        began = time.perf_counter()
        report = verify_directory(tiles, policy)
        taken = time.perf_counter() - began
        assert report.holds, report.problems
        assert report.size == large.size
        found = {f"{name}_{part}": ms for name, parts in ours.items() for part, ms in parts.items()}
        return {**found, "peer_p50": statistics.median(peer) * MS, "verified": large.size / taken}

    return one_round


def _proof_ms(log: GrownLog, count: int) -> dict[str, float]:
    reader, size = log.reader, log.size
    taken = _timed(lambda index: reader.inclusion_proof(index, size), size, count)
    return {"p50": statistics.median(taken) * MS, "p95": taken[len(taken) * 95 // 100] * MS}


def _timed(prove: Callable[[int], object], size: int, count: int) -> list[float]:
    """Return the seconds of so many proofs of entries anywhere in the log, ascending."""
    taken = []
    for _ in range(count):
        index = secrets.randbelow(size)
        began = time.perf_counter()
        prove(index)
        taken.append(time.perf_counter() - began)
    return sorted(taken)


def _writing(folder: Path, large: GrownLog, peer: SqliteTree, size: Size) -> Round:
    """Return appends per second at the log port, of the tree alone, and of the bare database with the same bytes."""
    count = max(2, size.work // 2) * WAITERS
    with_sealing, tree = _entry_bytes(), _tree_bytes()
    rates = {
        "bare": _bare(folder, with_sealing, count),
        "bare_tree": _bare(folder, tree, count),
        "tree": count / _seconds(lambda: [large.tick(TICK) for _ in range(count // TICK)]),
        "peer": _peer_appends(peer, max(3, size.work // 20)),
    }
    return {**rates, **asyncio.run(_appends(folder, count))}


async def _appends(folder: Path, count: int) -> dict[str, float]:
    fresh = folder / f"append-{secrets.token_hex(4)}"
    fresh.mkdir()
    taken: list[float] = []
    async with a_core("sqlite", fresh) as world:
        await asyncio.gather(*(_waiter(world.log, 2, []) for _ in range(WAITERS)))
        keep_what_is_loaded()  # as a broker does before it serves
        began = time.perf_counter()
        await asyncio.gather(*(_waiter(world.log, count // WAITERS, taken) for _ in range(WAITERS)))
        whole = time.perf_counter() - began
    gc.unfreeze()
    taken.sort()
    return {"appends": len(taken) / whole, "p99_ms": taken[len(taken) * 99 // 100] * MS}


async def _waiter(log: Log, count: int, taken: list[float]) -> None:
    for number in range(count):
        began = time.perf_counter()
        meta: dict[str, object] = {"number": number, "outcome": "done"}
        actor: dict[str, object] = {"organisation": "a", "worker": "b"}
        async with log.turn() as turn:
            await turn.commit(Proposal(kind=KIND, payloads={"meta": meta, "actor": actor}))
        taken.append(time.perf_counter() - began)


def _tree_bytes() -> int:
    return len(Leaf(time=STARTS_AT, kind=KIND, commitments=(bytes(32),) * len(GROUPS)).encode()) + _NODES


def _entry_bytes() -> int:
    return _tree_bytes() + sum(payload_size(KIND, group) + 16 + 24 + _WRAPPED for group in GROUPS)


def _bare(folder: Path, row: int, count: int) -> float:
    """Return the rows of so many bytes that the database makes durable in a second, so many to a commit."""
    path = folder / f"bare-{secrets.token_hex(4)}.sqlite"
    connection, content = open_database(path), secrets.token_bytes(row)
    connection.execute("CREATE TABLE bare (idx INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT")
    rate = count / _seconds(lambda: _insert(connection, content, count))
    connection.close()
    return rate


def _insert(connection: sqlite3.Connection, content: bytes, count: int) -> None:
    for first in range(0, count, TICK):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO bare (idx, content) VALUES (?, ?)", [(first + number, content) for number in range(TICK)]
        )
        connection.execute("COMMIT")


def _peer_appends(tree: SqliteTree, count: int) -> float:
    """Return the entries that pymerkle makes durable in a second, each with the root that a checkpoint needs."""

    def append() -> None:
        for _ in range(count):
            tree.append_entry(secrets.token_bytes(430))
            tree.get_root()

    return count / _seconds(append)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
