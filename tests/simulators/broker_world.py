"""One broker's flows with everything they touch, in memory or on SQLite, and five organisations that use them.

`async with a_world(store, tmp_path) as world:` gives a running broker core; `world.register(asker, household)` and the
like are the requests of an organisation's worker, past the edge: what the edge verifies is simply stated.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, cast

from audit.key_ring import KeyRing
from audit.policy_file import Policy, parse_policy
from audit.signer import LocalSigner
from broker.call_ports import Calling
from broker.consent_ports import ConsentReader
from broker.domain.calls import Call, Ring
from broker.domain.changes import Task
from broker.domain.information_requests import InformationRequest
from broker.domain.phone_calls import PhoneCall
from broker.domain.requests import Approval, Requester
from broker.domain.signals import Exclusion
from broker.domain.team_tasks import TeamTask
from broker.exception_ports import ExceptionReader
from broker.flows.check_household import check_household
from broker.flows.confirm_erasure import confirm_erasure
from broker.flows.fetch_inbox import fetch_inbox
from broker.flows.list_signals import list_signals
from broker.flows.outcome import Answered
from broker.flows.policy import Policies, PoliciesByVersion, PolicyInForce
from broker.flows.propose_erasure import propose_erasure
from broker.flows.register_signal import register_signal
from broker.flows.renew_signal import renew_signal
from broker.flows.request_rules import TicketIssuers
from broker.flows.stored_answer import stored_answer
from broker.flows.sweep_signals import Swept, sweep_signals
from broker.flows.withdraw_signal import withdraw_signal
from broker.keys import BrokerTokenIndexer
from broker.letter_ports import Asking
from broker.log_ports import EntryReader, ErasureReader, KeyDestruction
from broker.match_ports import Following
from broker.ports import (
    ANY_SHIELD,
    AnswerStore,
    BundleHistory,
    Proposal,
    SignalStore,
    StampKind,
    TokenIndexer,
)
from broker.protocol.epochs import EpochDocument
from broker.protocol.erasure_messages import ConfirmErasure, ProposeErasure
from broker.protocol.inbox_messages import FetchInbox
from broker.protocol.messages import CheckHousehold, RegisterSignal, RenewSignal, WithdrawSignal
from broker.protocol.tokens import IndexKey
from broker.retention_ports import RetentionReader
from broker.review_ports import ActReader, CheckpointReader, NoteReader
from broker.store.answers import StoredAnswers
from broker.store.bundles import StoredBundles
from broker.store.calls import StoredCalls
from broker.store.connection import ApartReader, SingleWriter, open_reader
from broker.store.consents import StoredConsents
from broker.store.entries import StoredEntries
from broker.store.erasing import StoredErasures
from broker.store.exceptions import StoredExceptions
from broker.store.information_requests import StoredRequests
from broker.store.ledger import StoredLedger
from broker.store.letter_bases import StoredBases
from broker.store.letter_chunks import StoredChunks
from broker.store.log_writer import Ledger, LogWriter, Witnesses
from broker.store.matches import StoredMatches
from broker.store.notices import StoredNotices
from broker.store.owed import StoredOwed
from broker.store.phone_calls import StoredPhoneCalls
from broker.store.retention import StoredRetention
from broker.store.review_acts import StoredActs
from broker.store.review_notes import StoredNotes
from broker.store.rotation import Rotation
from broker.store.signals import StoredSignals
from broker.store.state_changes import move_shield
from broker.store.team_tasks import StoredTasks
from broker.store.webhooks import StoredWebhookReader
from tests.simulators.asking import BROKER, Asker, custodian_keys, epoch_document
from tests.simulators.broker_memory import MemoryBroker, MemoryConsents, MemoryDocuments, NoWitnesses
from tests.simulators.clock import SeededRandomness, TestClock
from tests.simulators.databases import DATABASES, Database, databases
from tests.simulators.enrolled import Enrolled, worker_id
from tests.simulators.memory_entries import MemoryEntries, MemoryRotation
from tests.simulators.memory_matches import MemoryMatches
from tests.simulators.memory_owed import MemoryOwed
from tests.simulators.memory_review import MemoryReview
from tests.simulators.memory_tasks import MemoryTasks

LOG_NAME = f"{BROKER}/log"
STORES = ("memory", *DATABASES)


@dataclass(frozen=True, slots=True)
class Always:
    """One policy, whatever the log has in force."""

    current: PolicyInForce

    def at(self, _: object) -> PolicyInForce:
        """Return it."""
        return self.current


class NoCalls:
    """`CallReader` of a core in memory, which holds no oproepen."""

    async def calls(self, **_: object) -> tuple[Call, ...]:
        """Return none."""
        return ()

    async def rings(self, **_: object) -> tuple[Ring, ...]:
        """Return none."""
        return ()

    async def asked_by(self, **_: object) -> tuple[Ring, ...]:
        """Return none."""
        return ()

    async def ring(self, **_: object) -> Ring | None:
        """Return none."""
        return None

    async def of_reference(self, **_: object) -> tuple[TeamTask, ...]:
        """Return none."""
        return ()


class NoPhoneCalls:
    """`OwnPhoneCalls` of a core in memory, where nobody telephones."""

    async def phone_call(self, **_: object) -> PhoneCall | None:
        """Return none."""
        return None


class NoRequests:
    """`RequestReader` of a core in memory, which holds no letters."""

    async def request(self, **_: object) -> InformationRequest | None:
        """Return none."""
        return None

    async def requests(self, **_: object) -> tuple[InformationRequest, ...]:
        """Return none."""
        return ()


@dataclass(slots=True, kw_only=True)
class World:
    """A running core; each field is a port or a value that a test may replace."""

    policy: PolicyInForce
    clock: TestClock
    randomness: SeededRandomness
    tokens: TokenIndexer
    documents: MemoryDocuments
    signals: SignalStore
    consents: ConsentReader
    answers: AnswerStore
    bundles: BundleHistory
    ledger: Ledger
    log: LogWriter
    retention: RetentionReader
    entries: EntryReader
    erasures: ErasureReader
    keys: KeyDestruction
    acts: ActReader
    notes: NoteReader
    checkpoints: CheckpointReader
    following: Following
    issuers: TicketIssuers = field(default_factory=lambda: TicketIssuers(broker=BROKER, keys=custodian_keys()))
    calling: Calling | None = None
    """None in memory, which holds no oproepen."""
    address_mute_above: int = 12
    log_vkey: str = ""
    database: Database | None = None
    asking: Asking | None = None
    by_version: PoliciesByVersion | None = None
    exceptions: ExceptionReader | None = None
    written: list[Proposal] = field(default_factory=list)

    @property
    def policies(self) -> Policies:
        """What is decided with: what came into force by the log, or else `policy`, whatever the log says."""
        return self.by_version or Always(self.policy)

    def asker(self, oin: str, **changed: Any) -> Asker:  # noqa: ANN401 - the fields of Asker, which checks them
        """Return an organisation's worker."""
        return Asker(oin=oin, now=self.clock.now(), **changed)

    async def register(self, asker: Asker, household: Mapping[str, Any], **changed: Any) -> Answered:  # noqa: ANN401 - members of a body
        """Register a signal on a household."""
        return await self.send_registration(asker, asker.registration(household, **changed))

    async def send_registration(
        self, asker: Asker, body: Mapping[str, Any], *, approval: Approval | None = None
    ) -> Answered:
        """Send this body of a registration."""
        return await register_signal(
            command=RegisterSignal.model_validate(body),
            requester=requester(asker),
            approval=approval,
            policies=self.policies,
            issuers=self.issuers,
            tokens=self.tokens,
            clock=self.clock,
            randomness=self.randomness,
            registers=self.documents,
            rosters=self.documents,
            signals=self.signals,
            matches=self.following.matches,
            consents=self.consents,
            answers=self.answers,
            log=self.log,
            address_mute_above=self.address_mute_above,
        )

    async def check(self, asker: Asker, household: Mapping[str, Any], **changed: Any) -> Answered:  # noqa: ANN401 - members of a body
        """Check a household."""
        return await self.send_check(asker, asker.check(household, **changed))

    async def send_check(self, asker: Asker, body: Mapping[str, Any], *, approval: Approval | None = None) -> Answered:
        """Send this body of a check."""
        return await check_household(
            command=CheckHousehold.model_validate(body),
            requester=requester(asker),
            approval=approval,
            policies=self.policies,
            issuers=self.issuers,
            tokens=self.tokens,
            clock=self.clock,
            registers=self.documents,
            rosters=self.documents,
            randomness=self.randomness,
            signals=self.signals,
            consents=self.consents,
            tasks=self.following.tasks,
            answers=self.answers,
            log=self.log,
            address_mute_above=self.address_mute_above,
        )

    async def renew(self, asker: Asker, signal_id: str, ends_on: str, **changed: Any) -> Answered:  # noqa: ANN401 - members of a body
        """Give a signal another end."""
        return await renew_signal(
            command=RenewSignal.model_validate({**asker.command(endsOn=ends_on), **changed}),
            signal_id=signal_id,
            requester=requester(asker),
            policies=self.policies,
            clock=self.clock,
            registers=self.documents,
            signals=self.signals,
            consents=self.consents,
            answers=self.answers,
            log=self.log,
        )

    async def withdraw(self, asker: Asker, signal_id: str, *, worker: str = "", **changed: Any) -> Answered:  # noqa: ANN401 - members of a body
        """Withdraw a signal."""
        return await withdraw_signal(
            command=WithdrawSignal.model_validate({**asker.command(reason="mistake"), **changed}),
            signal_id=signal_id,
            requester=requester(asker, worker=worker),
            policies=self.policies,
            clock=self.clock,
            registers=self.documents,
            signals=self.signals,
            matches=self.following.matches,
            acts=self.acts,
            notes=self.notes,
            answers=self.answers,
            log=self.log,
        )

    async def inbox(self, asker: Asker, *, had: Sequence[str] = (), worker: str = "") -> Answered:
        """Fetch what waits for the asker's organisation, in his role."""
        return await self.send_inbox(asker, asker.command(had=list(had)), worker=worker)

    async def send_inbox(self, asker: Asker, body: Mapping[str, Any], *, worker: str = "") -> Answered:
        """Send this body of a fetch."""
        return await fetch_inbox(
            command=FetchInbox.model_validate(body),
            requester=requester(asker, role=asker.role, worker=worker),
            policies=self.policies,
            clock=self.clock,
            registers=self.documents,
            signals=self.signals,
            inbox=self.following.inbox,
            matches=self.following.matches,
            calls=NoCalls() if self.calling is None else self.calling.calls,
            phone=NoPhoneCalls() if self.calling is None else self.calling.phone,
            requests=NoRequests() if self.asking is None else self.asking.requests,
            consents=self.consents,
            answers=self.answers,
            log=self.log,
        )

    async def list(self, asker: Asker, *, after: str | None = None) -> Answered:
        """List the own signals."""
        return await list_signals(
            requester=requester(asker),
            after=after,
            policies=self.policies,
            clock=self.clock,
            registers=self.documents,
            signals=self.signals,
            answers=self.answers,
            log=self.log,
        )

    async def sweep(self, *, at_most: int = 24, always_recorded: bool = False, vouched_at: int | None = None) -> Swept:
        """End what has reached its last day, in one entry."""
        return await sweep_signals(
            at_most=at_most,
            always_recorded=always_recorded,
            vouched_at=vouched_at,
            policies=self.policies,
            clock=self.clock,
            signals=self.signals,
            retention=self.retention,
            log=self.log,
        )

    async def propose_erasure(self, asker: Asker, body: Mapping[str, Any]) -> Answered:
        """Propose to erase, as the organisation's privacyfunctionaris unless the asker has another role."""
        return await propose_erasure(
            command=ProposeErasure.model_validate(body),
            requester=requester(asker, role=asker.role),
            policies=self.policies,
            clock=self.clock,
            registers=self.documents,
            signals=self.signals,
            answers=self.answers,
            entries=self.entries,
            log=self.log,
        )

    async def confirm_erasure(self, asker: Asker, erasure_id: str, body: Mapping[str, Any]) -> Answered:
        """Confirm what was proposed."""
        return await confirm_erasure(
            command=ConfirmErasure.model_validate(body),
            erasure_id=erasure_id,
            requester=requester(asker, role=asker.role),
            policies=self.policies,
            clock=self.clock,
            registers=self.documents,
            signals=self.signals,
            answers=self.answers,
            entries=self.entries,
            erasures=self.erasures,
            rosters=self.documents,
            keys=self.keys,
            log=self.log,
        )

    async def again(self, asker: Asker, idempotency_key: str) -> Answered:
        """Ask for a stored answer."""
        return await stored_answer(
            idempotency_key=idempotency_key,
            requester=requester(asker),
            signals=self.signals,
            answers=self.answers,
            clock=self.clock,
        )


def requester(
    asker: Asker, *, role: str = "worker", parent_org: str | None = None, worker: str = ""
) -> Requester:  # fmt: skip
    """Return the asker as the edge would have verified him."""
    return Requester(
        organisation=asker.oin,
        worker=worker or worker_id(asker.oin, role),
        role=role,
        parent_org=parent_org,
        acr="substantieel",
        jti=asker.id(),
    )


def approval(asker: Asker, *, role: str = "approver", enrolled_as: str = "approver", oin: str = "") -> Approval:
    """Return the statement of a colleague of the asker."""
    organisation = oin or asker.oin
    return Approval(organisation=organisation, worker=worker_id(organisation, enrolled_as), role=role, jti=asker.id())


def indexer() -> BrokerTokenIndexer:
    """Return the token indexer that every test world has."""
    return BrokerTokenIndexer(IndexKey(bytes(range(32))), bytes(range(1, 33)))


def documents(enrolled: Enrolled | None = None) -> MemoryDocuments:
    """Return the documents in force."""
    known = enrolled or Enrolled()
    return MemoryDocuments(
        in_force=known.register(),
        rosters=known.rosters(),
        in_use=EpochDocument.from_mapping(dict(epoch_document().document)),
    )


def log_policy(vkey: str) -> Policy:
    """Return the policy of a log that nobody watches."""
    return parse_policy(f"log {vkey}\nquorum none\n")


@asynccontextmanager
async def a_world(
    store: str,
    folder: Path,
    *,
    policy: PolicyInForce,
    tick_ms: int = 0,
    witnesses: Witnesses | None = None,
    seed: int = 1,
    randomness: SeededRandomness | None = None,
) -> AsyncIterator[World]:
    """Give a running core over memory or over the database that belongs to `folder`."""
    clock, randomness = TestClock(), randomness or SeededRandomness(seed)
    if store == "memory":
        memory = MemoryBroker(randomness=randomness)
        parts: dict[str, Any] = dict.fromkeys(("signals", "answers", "bundles", "ledger", "retention"), memory)
        parts |= {"entries": MemoryEntries(memory), "erasures": MemoryEntries(memory), "keys": MemoryRotation(memory)}
        parts["log_vkey"] = memory.signer.vkey
        parts["following"] = Following(inbox=memory, matches=MemoryMatches(memory), tasks=MemoryTasks(memory),
                                       owed=MemoryOwed(memory))  # fmt: skip
        parts["consents"] = MemoryConsents(memory)
        parts |= dict.fromkeys(("acts", "notes", "checkpoints"), MemoryReview(memory))
        async with _running(memory, witnesses, clock, randomness, tick_ms) as log:
            yield World(policy=policy, clock=clock, randomness=randomness, tokens=indexer(), documents=documents(),
                        log=log, **parts)  # fmt: skip
        return
    async with (
        a_database(store, folder, randomness=randomness, clock=clock) as stores,
        _running(stores["ledger"], witnesses, clock, randomness, tick_ms) as log,
    ):
        yield World(policy=policy, clock=clock, randomness=randomness, tokens=indexer(), documents=documents(),
                    log=log, **stores)  # fmt: skip


@asynccontextmanager
async def a_database(
    kind: str, folder: Path, *, randomness: SeededRandomness, clock: TestClock | None = None
) -> AsyncIterator[dict[str, Any]]:
    """Give the stores over the database that belongs to `folder`, founded when it is new."""
    key_path, kek_path = folder / "log.key", folder / "kek"
    if not key_path.exists():
        LocalSigner.create(key_path, LOG_NAME)
        KeyRing.create(kek_path)
    database = databases.new(kind, folder)
    with (
        LocalSigner.open(key_path) as signer,
        closing(SingleWriter(database.address)) as writer,
        closing(open_reader(database.address)) as reader,
        closing(StoredRetention(database.address)) as retention,
        closing(ApartReader(database.address)) as apart,
    ):
        keys, policy = KeyRing.open(kek_path), log_policy(signer.vkey)
        ledger = StoredLedger(
            writer=writer, signer=signer, keys=keys, policy=policy, randomness=randomness
        )  # fmt: skip
        await ledger.open()
        answers = StoredAnswers(reader, keys=keys, policy=policy)
        stores: dict[str, Any] = {
            "signals": StoredSignals(reader),
            "consents": StoredConsents(reader),
            "exceptions": StoredExceptions(reader),
            "answers": answers,
            "bundles": StoredBundles(reader),
        }
        rotation = Rotation(ledger=ledger, keys=keys, clock=clock or TestClock())
        stores |= {"entries": StoredEntries(reader, keys=keys), "erasures": StoredErasures(reader), "keys": rotation}
        stores["acts"] = StoredActs(apart, StoredEntries(apart, keys=keys))
        stores["notes"] = stores["checkpoints"] = StoredNotes(reader, policy=policy)
        stores["log_vkey"] = signer.vkey
        stores["following"] = Following(
            inbox=StoredNotices(reader), matches=StoredMatches(reader), tasks=StoredTasks(reader),
            owed=StoredOwed(reader),
        )  # fmt: skip
        stores["asking"] = Asking(
            requests=StoredRequests(reader), chunks=StoredChunks(reader), bases=StoredBases(reader)
        )
        stores["calling"] = Calling(
            calls=StoredCalls(reader), phone=StoredPhoneCalls(reader), webhooks=StoredWebhookReader(reader)
        )
        yield {**stores, "ledger": ledger, "database": database, "retention": retention}


@asynccontextmanager
async def _running(
    ledger: Ledger, witnesses: Witnesses | None, clock: TestClock, randomness: SeededRandomness, tick_ms: int
) -> AsyncIterator[LogWriter]:
    writer = LogWriter(
        ledger=ledger,
        witnesses=witnesses or NoWitnesses(),
        clock=clock,
        randomness=randomness,
        tick_ms=tick_ms,
    )
    async with writer as log:
        yield log


def held_in(world: World) -> Database:
    """Return the database of a world that is not in memory."""
    assert world.database is not None
    return world.database


async def exclude(world: World, signal_id: str, *, organisation: str, worker: str) -> None:
    """Exclude one worker from a signal directly, or all of them where none is named, as a later issue's flow will."""
    excluded = Exclusion(organisation=organisation, worker=worker or None)
    if isinstance(world.ledger, MemoryBroker):
        state = world.ledger.state
        signal = state.signals[signal_id]
        state.signals[signal_id] = replace(signal, exclusions=signal.exclusions | {excluded})
        state.bump(StampKind.SHIELD, signal_id.encode())
        return
    with held_in(world).session() as connection:
        statement = "INSERT INTO signal_exclusions (signal_id, organisation, worker) VALUES (?, ?, ?)"
        connection.execute(statement, (signal_id, organisation, worker))
        move_shield(connection, signal_id)


async def shield(world: World, signal_id: str) -> None:
    """Set the shield of a signal directly, as a later issue's flow will."""
    if isinstance(world.ledger, MemoryBroker):
        state = world.ledger.state
        state.signals[signal_id] = replace(state.signals[signal_id], shielded=True)
        state.bump(StampKind.SHIELD, signal_id.encode())
        state.bump(ANY_SHIELD.kind, ANY_SHIELD.key)
        return
    with held_in(world).session() as connection:
        connection.execute("UPDATE signals SET shielded = true WHERE id = ?", (signal_id,))
        move_shield(connection, signal_id)


def tasks_of(world: World) -> list[Task]:
    """Return the tasks that stand in the store, oldest first."""
    if isinstance(world.ledger, MemoryBroker):
        return world.ledger.state.tasks
    rows = held_in(world).rows("SELECT kind, organisation, due_on, signal_id FROM tasks ORDER BY id")
    return [Task(kind=row[0], organisation=row[1], due_on=date.fromisoformat(row[2]), signal_id=row[3]) for row in rows]


async def log_size(world: World) -> int:
    """Return the number of entries in the log."""
    if isinstance(world.ledger, MemoryBroker):
        return len(world.ledger.log.leaves)
    return int(held_in(world).rows("SELECT count(*) FROM log_entries")[0][0])


def matches_of(answer: Answered) -> list[dict[str, Any]]:
    """Return the matches in an answer."""
    return list(cast("list[dict[str, Any]]", answer.result["matches"]))


def signals_of(answer: Answered) -> list[dict[str, Any]]:
    """Return the own signals in an answer."""
    return list(cast("list[dict[str, Any]]", answer.result["signals"]))
