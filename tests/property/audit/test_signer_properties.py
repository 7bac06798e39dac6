"""However often the writer crashes, and wherever, the log goes on and nothing that left it is ever contradicted."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.log import settle_on
from audit.merkle import TreeHead, consistency_proof, verify_consistency
from audit.signer import LocalSigner
from audit.stored_log import StoredLogTransaction
from tests.unit.audit.log_simulator import LogInFolder, sealed

STEPS = ("tick", "fail before commit", "crash before commit", "crash after commit", "restart")


def restart(log: LogInFolder) -> None:
    """The process starts anew: it reads the database's head and settles."""
    log.signer.close()
    log.signer = LocalSigner.open(log.key_path)
    settle_on(log.reader, log.signer)


def play(log: LogInFolder, step: str, count: int) -> None:
    """Do one step of the writer's life, with this many entries."""
    if step == "restart":
        restart(log)
        return
    log.connection.execute("BEGIN IMMEDIATE")
    appended = log.append_in(StoredLogTransaction(log.connection), *(sealed() for _ in range(count)))
    log.connection.execute("ROLLBACK" if "before commit" in step else "COMMIT")
    if step == "tick":
        log.signer.settle(appended.checkpoint.head)
    elif step == "fail before commit":
        log.signer.settle(log.reader.head())
    else:
        restart(log)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(1, 4)), max_size=12))
def test_nothing_that_left_is_contradicted(steps: list[tuple[str, int]]) -> None:
    """After any steps the log can still append, and every released head is a beginning of the final tree."""
    with tempfile.TemporaryDirectory() as name:
        log = LogInFolder(Path(name))
        released: list[TreeHead] = []
        for step, count in [*steps, ("tick", 1)]:
            play(log, step, count)
            assert log.signer.released == log.reader.head()
            released.append(log.signer.released)
        final = log.reader.head()
        for head in released:
            proof = consistency_proof(log.reader, old_size=head.size, new_size=final.size)
            verify_consistency(old=head, new=final, proof=proof)
        log.close()
