"""Log and state in one transaction (D7): durable together, or not at all.

    BEGIN ─ each proposal in a savepoint: re-check, apply ─ append to the log, sign ─ COMMIT (fsync) ─ settle ─ told

What the signer says in `audit.signer` decides what a failure means: before the commit nothing has left, so the tick is
undone and a later one may succeed. A failed fsync is never retried: nothing is written any more, and the process ends.
What PostgreSQL undid because of another transaction is tried again at once: nothing of it was done.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import TypeVar

from audit.database import DATABASE_ERRORS, Connection
from audit.errors import AuditError, DatabaseError, ForkError
from audit.key_ring import KeyRing
from audit.log import Appended, append, found_log, settle_on
from audit.merkle import TreeHead, consistency_proof
from audit.policy_file import Policy
from audit.signer import Signer
from audit.stored_log import StoredLog, StoredLogTransaction
from broker.domain.errors import BrokerError, LogUnavailableError, NotRecordedError, StorageError
from broker.ports import Randomness
from broker.store.act_rows import index_act
from broker.store.connection import SingleWriter
from broker.store.entry_time import time_of_next
from broker.store.kept_answers import keep_answer
from broker.store.log_writer import Cosignature, SealedProposal, Written
from broker.store.quorum import uncovered_from
from broker.store.state_changes import apply_proposal

_T = TypeVar("_T")
TRIES = 5
"""How often a tick is written anew when another transaction stood in its way."""
_DISAGREE = "the database is not the newest, says the log's signer or a witness: restore that, never a signer's state"


class StoredLedger:
    """`Ledger` over the single writer's connection."""

    def __init__(
        self,
        *,
        writer: SingleWriter,
        signer: Signer,
        keys: KeyRing,
        policy: Policy,
        randomness: Randomness,
    ) -> None:
        """Write with these; call `open` before anything else."""
        self._writer = writer
        self._signer = signer
        self._keys = keys
        self._policy = policy
        self._randomness = randomness

    async def open(self) -> None:
        """The signer is settled on what the database holds; an empty log is founded.

        Raises:
            LogUnavailableError: signer and database disagree: a rollback, a fork, or a lost state file.
            StorageError: the database did not take it.
        """
        self._writer.settles_with(self._settle_anew)
        await self._writer.run(self._open)

    async def write(self, batch: Sequence[SealedProposal], *, at: int) -> Written:
        """Return when every proposal is durable or undone. See `Ledger.write`."""
        return await self._writer.run(lambda connection: self._write(connection, batch, at))

    async def store_cosignatures(self, size: int, cosignatures: Sequence[Cosignature]) -> None:
        """These belong to the checkpoint of this size. See `Ledger.store_cosignatures`."""
        await self._writer.run(lambda connection: self._store_cosignatures(connection, size, cosignatures))

    async def uncosigned_since(self, *, heard: bool) -> int | None:
        """Return since when the log lacks its quorum, None when it does not. See `Cosigned.uncosigned_since`."""
        return await self._writer.run(lambda connection: uncovered_from(connection, self._policy, heard=heard))

    async def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        """Return the consistency proof between two sizes of this log, for a witness."""
        return await self._writer.run(
            lambda connection: consistency_proof(StoredLog(connection), old_size=old_size, new_size=new_size)
        )

    async def newest_note(self) -> str:
        """Return the newest checkpoint with every cosignature there is."""
        return await self._writer.run(lambda connection: StoredLog(connection).latest_note())

    async def cosigned_size(self, witness: str) -> int:
        """Return the largest size that the witness with this vkey has cosigned, 0 for none."""
        return await self._writer.run(lambda connection: StoredLog(connection).cosigned_size(witness))

    async def beside(self, work: Callable[[Connection], _T]) -> _T:
        """Return what `work` returns, done in a transaction of its own between two ticks, durably or not at all.

        Raises:
            NotRecordedError: it was not done, or what became of it is not known.
        """
        return await self._writer.run(lambda connection: self._beside(connection, work))

    async def outside(self, work: Callable[[Connection], _T]) -> _T:
        """Return what `work` returns, done in no transaction between two ticks."""
        return await self._writer.run(work)

    def _beside(self, connection: Connection, work: Callable[[Connection], _T]) -> _T:
        try:
            connection.execute(connection.dialect.begin_write)
            result = work(connection)
            connection.execute("COMMIT")
        except Exception as error:  # as in `_write_once`
            raise self._undone(connection, error) from error
        return result

    def _open(self, connection: Connection) -> None:
        try:
            self._settle(connection)
            if connection.execute("SELECT 1 FROM log_checkpoints LIMIT 1").fetchone() is None:
                connection.execute(connection.dialect.begin_write)
                found_log(StoredLogTransaction(connection), signer=self._signer)
                connection.execute("COMMIT")
        except Exception as error:  # as in `_write_once`
            raise self._undone(connection, error) from error

    def _write(self, connection: Connection, batch: Sequence[SealedProposal], at: int) -> Written:
        for _ in range(TRIES - 1):
            try:
                return self._write_once(connection, batch, at)
            except StorageError as error:
                if not _may_succeed_again(error.__cause__):
                    raise
        return self._write_once(connection, batch, at)

    def _write_once(self, connection: Connection, batch: Sequence[SealedProposal], at: int) -> Written:
        try:
            # (1) The log grows from the head that was released, and from nothing else.
            base = self._settle(connection)
            at = time_of_next(StoredLog(connection), now=at)
            # (2) Every proposal by itself, (3) one append for those that hold, (4) one durable commit.
            connection.execute(connection.dialect.begin_write)
            verdicts, taken = self._apply_all(connection, batch, base.size, at)
            appended = self._append(connection, taken, at) if taken else None
            connection.execute("COMMIT" if taken else "ROLLBACK")
        except Exception as error:  # whatever it was: no transaction stays open, and nobody is told that it is done
            raise self._undone(connection, error) from error
        if appended is not None:
            self._release(appended)
        return Written(verdicts=verdicts, appended=appended)

    def _apply_all(
        self, connection: Connection, batch: Sequence[SealedProposal], first_index: int, at: int
    ) -> tuple[tuple[int | BrokerError, ...], list[SealedProposal]]:
        """Return each proposal's position or why it was not taken; one that fails takes no other with it."""
        verdicts: list[int | BrokerError] = []
        taken: list[SealedProposal] = []
        for sealed in batch:
            connection.execute("SAVEPOINT proposal")
            try:
                apply_proposal(connection, sealed.proposal, now=at, index=first_index + len(taken))
                self._keep_answer(connection, sealed, first_index + len(taken), at)
                index_act(connection, sealed.proposal, index=first_index + len(taken), at=at)
                verdicts.append(len(taken))
                taken.append(sealed)
            except Exception as error:
                if not _is_of_one_proposal(error):
                    raise
                connection.execute("ROLLBACK TO proposal")
                verdicts.append(error if isinstance(error, BrokerError) else StorageError())
            connection.execute("RELEASE proposal")
        return tuple(verdicts), taken

    def _keep_answer(self, connection: Connection, written: SealedProposal, index: int, at: int) -> None:
        answer, key = written.proposal.answer, written.entry.groups["meta"].key
        if answer is not None:
            keep_answer(connection, answer, key=key, random=self._randomness.bytes, index=index, at=at)

    def _append(self, connection: Connection, taken: Sequence[SealedProposal], at: int) -> Appended:
        return append(
            StoredLogTransaction(connection),
            [sealed.entry for sealed in taken],
            at=at,
            signer=self._signer,
            key_encryption_key=self._keys.current,
            random=self._randomness.bytes,
        )

    def _settle(self, connection: Connection) -> TreeHead:
        """Return the head the database holds, which the signer now knows as released. Raises AuditError."""
        return settle_on(StoredLog(connection), self._signer)

    def _settle_anew(self, connection: Connection) -> None:
        """What became of the newest commit is known to the signer. Raises LogUnavailableError: it is not."""
        try:
            self._settle(connection)
        except (*DATABASE_ERRORS, AuditError) as error:
            self._judge(error)
            raise LogUnavailableError from error

    def _release(self, appended: Appended) -> None:
        """The commit is known to the signer, and only then may its checkpoint leave."""
        try:
            self._signer.settle(appended.checkpoint.head)
        except AuditError as error:
            self._judge(error)
            self._writer.is_unsettled()
            raise LogUnavailableError from error

    def _undone(self, connection: Connection, error: Exception) -> NotRecordedError:
        """Return what to raise after a failure, with the transaction undone; stop when durability is in doubt."""
        stopped = self._judge(error)
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            moved = StoredLog(connection).head() != self._signer.released
        except (*DATABASE_ERRORS, AuditError):
            moved = True
        if moved:
            self._writer.is_unsettled()
        return LogUnavailableError() if stopped or moved else StorageError()

    def _judge(self, error: Exception) -> bool:
        """Return whether nothing may be written any more: the disk failed, or the signer saw a fork."""
        durability = self._writer.durability
        if not durability.judge(error) and _is_fork(error):
            durability.lost = _DISAGREE
        return durability.lost is not None

    def _store_cosignatures(self, connection: Connection, size: int, cosignatures: Sequence[Cosignature]) -> None:
        try:
            connection.execute(connection.dialect.begin_write)
            transaction = StoredLogTransaction(connection)
            for cosignature in cosignatures:
                transaction.insert_cosignature(size, cosignature.witness, cosignature.line)
            connection.execute("COMMIT")
        except Exception as error:  # as in `_write_once`
            raise self._undone(connection, error) from error


def _is_fork(error: BaseException | None) -> bool:
    """Return whether this failure, or one behind it, is a fork that the signer refused."""
    while error is not None and not isinstance(error, ForkError):
        error = error.__cause__
    return error is not None


def _is_of_one_proposal(error: Exception) -> bool:
    """Return whether only the proposal itself is at fault, so that the others of its tick can be taken."""
    if isinstance(error, DatabaseError):
        return error.is_of_values
    return isinstance(error, BrokerError | sqlite3.IntegrityError | sqlite3.DataError | TypeError | ValueError)


def _may_succeed_again(error: BaseException | None) -> bool:
    """Return whether the transaction was undone for the sake of another, so that the same tick may succeed now."""
    return isinstance(error, DatabaseError) and error.may_succeed_again
