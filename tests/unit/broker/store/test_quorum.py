"""Which entries enough witnesses have seen: found at once, also in the midst of a long outage of one of them."""

import random
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from audit.note import Algorithm, NoteSigningKey
from audit.policy_file import Policy, parse_policy
from audit.schema import create_tables
from audit.sqlite import SqliteConnection, open_database
from broker.store.quorum import PAGE, covered_size, quorum_met
from tests.unit.audit.log_simulator import LogInMemory

W1, W2, W3 = (
    NoteSigningKey(name=f"w{at}.example/w", algorithm=Algorithm.COSIGNATURE, seed=bytes([at]) * 32).verifier.encode()
    for at in (1, 2, 3)
)


def policy(group: str) -> Policy:
    """Return a policy with three witnesses and this group of them as its quorum."""
    witnesses = "".join(f"witness w{at} {vkey}\n" for at, vkey in enumerate((W1, W2, W3), start=1))
    log = LogInMemory().key.verifier.encode()
    return parse_policy(f"log {log}\n{witnesses}group enough {group}\nquorum enough\n")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[SqliteConnection]:
    """A log's tables, without entries: only who cosigned which size is read."""
    with closing(open_database(tmp_path / "log.sqlite")) as made:
        create_tables(made)
        made.execute("PRAGMA foreign_keys=OFF")
        yield made


def cosigned(connection: SqliteConnection, witness: str, sizes: Iterable[int]) -> None:
    """This witness cosigned these sizes."""
    rows = [(size, witness, "line") for size in sizes]
    connection.executemany("INSERT INTO log_cosignatures (size, witness, line) VALUES (?, ?, ?)", rows)


def statements(connection: SqliteConnection, known: Policy) -> tuple[int | None, int]:
    """Return what is covered, and how many statements it took to find out."""
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    covered = covered_size(connection, known)
    connection.set_trace_callback(None)
    return covered, len(asked)


def test_a_witness_that_is_away_for_long_costs_no_statement_for_each_checkpoint(connection: SqliteConnection) -> None:
    """With a day of checkpoints that one witness saw alone, the last one that both saw is found in a few."""
    known = policy("all w1 w2")
    cosigned(connection, W1, range(1, 20 * PAGE))
    cosigned(connection, W2, range(1, 8))
    assert statements(connection, known) == (7, 5)


def test_witnesses_that_never_saw_the_same_cover_nothing(connection: SqliteConnection) -> None:
    """They take turns, for ever: a statement for each page at most, and no quorum of any one checkpoint."""
    cosigned(connection, W1, range(1, 4 * PAGE, 2))
    cosigned(connection, W2, range(2, 4 * PAGE, 2))
    covered, asked = statements(connection, policy("all w1 w2"))
    assert (covered, asked <= 2 * 5 + 3) == (None, True)


@pytest.mark.parametrize("group", ["all w1 w2 w3", "any w1 w2", "2 w1 w2 w3"])
@pytest.mark.parametrize("seed", range(5))
def test_the_newest_checkpoint_with_a_quorum_is_found(connection: SqliteConnection, group: str, seed: int) -> None:
    """Whoever was away when, it is the one that looking at each of them finds, above any size that is asked."""
    chosen, known = random.Random(seed), policy(group)
    seen = {vkey: set(chosen.sample(range(1, 60), 20)) for vkey in (W1, W2, W3)}
    for vkey, sizes in seen.items():
        cosigned(connection, vkey, sizes)
    for above in (0, 20, 40, 59):
        covered = [
            size for size in range(above + 1, 60) if quorum_met(known, [vkey for vkey in seen if size in seen[vkey]])
        ]
        assert covered_size(connection, known, above=above) == max(covered, default=None)
