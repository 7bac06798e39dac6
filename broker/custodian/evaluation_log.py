"""This custodian's own log: one entry for each batch it evaluated, under checkpoints that the same witnesses cosign.

A batch is noted as `issued` in the transaction that charges it, so no evaluation is without its note. From there the
entries are appended some seconds later, several under one signature: an evaluation does not wait for the log (ADR 24).
"""

import logging
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from audit.database import DATABASE_ERRORS
from audit.durability import Durability
from audit.errors import AuditError
from audit.log import append, found_log, settle_on
from audit.merkle import consistency_proof
from audit.policy_file import Party, Policy
from audit.seal import KeyEncryptionKey, RandomBytes, SealedEntry, seal_entry
from audit.signer import LocalSigner, Signer
from audit.sqlite import SqliteConnection, open_database
from audit.stored_log import StoredLog, StoredLogTransaction
from audit.submit import Cosigned, ask_witness
from broker.custodian.errors import FolderError, WatchError
from broker.custodian.log_keys import LOG_KEY, PAYLOAD_KEY

BATCH = 256
"""Entries under one checkpoint at most."""
WITNESS_S = 2.0
KIND = "key"
"""The kind of an entry: the key was used."""
_log = logging.getLogger("sluis.custodian")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationLog:
    """The own log, open for appending; one process holds its signer."""

    connection: SqliteConnection
    signer: Signer
    payload_key: KeyEncryptionKey
    policy: Policy
    custodian: str
    durability: Durability
    random: RandomBytes = os.urandom


@contextmanager
def open_log(
    folder: Path, database: Path, *, policy: Policy, custodian: str, durability: Durability
) -> Iterator[EvaluationLog]:
    """Hold the log open, founded when it is new; what its disk does is told to `durability`.

    Raises:
        FolderError: its keys or its state are not as they must be.
    """
    try:
        with LocalSigner.open(folder / LOG_KEY) as signer, closing(open_database(database)) as connection:
            log = EvaluationLog(
                connection=connection,
                signer=signer,
                payload_key=KeyEncryptionKey.load(folder / PAYLOAD_KEY),
                policy=policy,
                custodian=custodian,
                durability=durability,
            )
            _settle_or_found(log)
            yield log
    except AuditError as error:
        raise FolderError(f"the own log: {error}") from None


def _settle_or_found(log: EvaluationLog) -> None:
    settle_on(StoredLog(log.connection), log.signer)
    if log.connection.execute("SELECT 1 FROM log_checkpoints LIMIT 1").fetchone() is None:
        log.connection.execute("BEGIN IMMEDIATE")
        found_log(StoredLogTransaction(log.connection), signer=log.signer)
        log.connection.execute("COMMIT")


def record_evaluations(log: EvaluationLog, *, now: int) -> int:
    """Return how many evaluations were appended, under one signed checkpoint, durably; 0 when none waits.

    Raises:
        WatchError: nothing was appended, or it is not known to be; the next call begins by looking.
    """
    connection = log.connection
    if log.durability.lost is not None:
        raise WatchError("the own log takes no entry")
    try:
        # (1) What became of the last append is known.
        settle_on(StoredLog(connection), log.signer)
        # (2) Entries and the marks at what they record are one transaction.
        connection.execute("BEGIN IMMEDIATE")
        waiting = _waiting(connection)
        if not waiting:
            connection.execute("ROLLBACK")
            return 0
        appended = append(
            StoredLogTransaction(connection),
            [_entry(row, log) for row in waiting],
            at=StoredLog(connection).next_time(now),
            signer=log.signer,
            key_encryption_key=log.payload_key,
            random=log.random,
        )
        places = [(entry.index, row[0]) for entry, row in zip(appended.entries, waiting, strict=True)]
        connection.executemany("UPDATE issued SET log_index = ? WHERE ticket = ?", places)
        connection.execute("COMMIT")
        # (3) Only now may the checkpoint leave.
        log.signer.settle(appended.checkpoint.head)
    except (*DATABASE_ERRORS, AuditError) as error:
        log.durability.judge(error)
        _undo(connection)
        raise WatchError("the own log takes no entry") from error
    return len(appended.entries)


async def have_cosigned(log: EvaluationLog, client: httpx.AsyncClient) -> bool:
    """Return whether the newest checkpoint has its quorum, after every witness that lacks it was asked.

    Raises:
        WatchError: the log cannot be read, or a cosignature cannot be kept.
    """
    try:
        settle_on(StoredLog(log.connection), log.signer)
        size, note = StoredLog(log.connection).size(), StoredLog(log.connection).latest_note()
        have = set(log.policy.witnesses)
        for name, party in log.policy.witnesses.items():
            vkey = party.key.encode()
            seen = StoredLog(log.connection).cosigned_size(vkey)
            if seen == size and size:
                continue
            line = await _cosigned(log, client, party, note, seen=seen)
            if line is None:
                have.discard(name)
            else:
                _keep(log.connection, size, vkey, line)
    except (*DATABASE_ERRORS, AuditError) as error:
        log.durability.judge(error)
        _undo(log.connection)
        raise WatchError("the own log cannot be shown to its witnesses") from error
    return log.policy.quorum_met(have)


async def _cosigned(
    log: EvaluationLog, client: httpx.AsyncClient, witness: Party, note: str, *, seen: int
) -> str | None:
    """Return the line of this witness, None where it gives none or has no address."""
    if witness.url is None:
        return None

    async def proof_from(old_size: int) -> Sequence[bytes]:
        return consistency_proof(StoredLog(log.connection), old_size=old_size, new_size=size)

    size = StoredLog(log.connection).size()
    answer = await ask_witness(
        client,
        url=witness.url,
        witness=witness.key,
        note=note,
        old_size=seen,
        proof_from=proof_from,
        deadline_s=WITNESS_S,
    )
    if isinstance(answer, Cosigned):
        return answer.line
    _log.warning("the own log has no cosignature of a witness: %s", answer.failure)
    return None


def _keep(connection: SqliteConnection, size: int, vkey: str, line: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    known = "SELECT 1 FROM log_cosignatures WHERE size = ? AND witness = ?"
    if connection.execute(known, (size, vkey)).fetchone() is None:
        StoredLogTransaction(connection).insert_cosignature(size, vkey, line)
    connection.execute("COMMIT")


_Row = tuple[str, str, str, str, str, int, str, str, str, str | None]


def _waiting(connection: SqliteConnection) -> list[_Row]:
    query = (
        "SELECT ticket, organisation, worker, operation, purpose, epoch, counts, batch, body_sha256, grant_id"
        " FROM issued"
        " WHERE log_index IS NULL ORDER BY issued_at, ticket LIMIT ?"
    )
    return connection.execute(query, (BATCH,)).fetchall()


def _entry(row: _Row, log: EvaluationLog) -> SealedEntry:
    """Return the entry of one batch: what was evaluated for whom, and the hash of the request with its points."""
    ticket, organisation, worker, operation, purpose, epoch, counts, batch, body_sha256, grant = row
    meta = {
        "schema": "entry-evaluation/v1",
        "operation": operation,
        "purpose": purpose,
        "epoch": epoch,
        "counts": counts,
        "batch": batch,
        "body_sha256": body_sha256,
        "grant": grant,
    }
    actor = {
        "schema": "entry-evaluator/v1",
        "organisation": organisation,
        "worker": worker,
        "ticket": {"custodian": log.custodian, "id": ticket},
    }
    return seal_entry(KIND, {"meta": meta, "actor": actor}, log.random)


def _undo(connection: SqliteConnection) -> None:
    """No transaction stays open; SQLite may have undone it itself."""
    with suppress(sqlite3.Error):
        connection.execute("ROLLBACK")
