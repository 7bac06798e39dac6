"""The memory twin of the broker's ports: signals, tokens, stamps, tickets, answers and the log, without a database.

The twin is honest: it keeps the rules of `broker.store` (each proposal by itself, everything or nothing, stamps moved
by the same changes), seals nothing it stores, and builds the same receipts with the same audit code.
"""

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from audit.checkpoint import Checkpoint
from audit.entry import Leaf
from audit.errors import ForkError, ProofError
from audit.log import Appended, SealedRow, append, found_log
from audit.merkle import EMPTY_TREE, Node, TreeHead, root_at, verify_consistency
from audit.note import Algorithm, NoteSigningKey
from audit.receipt import Receipt
from audit.signer import Successor
from broker.consent_ports import AboutPerson, OwnConsent, Pair, consent_key, person_key
from broker.domain.acts import SearchTerms
from broker.domain.calls import AnswerRing, ForwardRing, StoreCall
from broker.domain.changes import (
    ActivateBundle,
    AddAnswers,
    EndSignal,
    ErasePayloads,
    FinishException,
    FinishOwed,
    ForgetTickets,
    HandOver,
    MarkStanding,
    RenewSignal,
    StoreConsent,
    StoreErasure,
    StoreException,
    StoreSignal,
    Task,
)
from broker.domain.consents import Consent, ConsentEvent
from broker.domain.erasures import MAX_EXPIRED, EntryRange, Erasure, ErasureState, joined, places
from broker.domain.errors import (
    AlreadyAnsweredError,
    AnswerWithheldError,
    BrokerError,
    NotRecordedError,
    StaleDecisionError,
    StorageError,
    TicketSpentError,
)
from broker.domain.households import FoundToken, StoredToken, TokenIndex, TokenRole
from broker.domain.information_requests import RequestChange
from broker.domain.keeping import ForgetRows, KeepingChange, TellOver
from broker.domain.letter_chunks import ChunkChange
from broker.domain.matches import (
    ChangeMatch,
    KeptMatch,
    MarkOverdue,
    MeetLater,
    NameCasusregisseur,
    NoteMet,
    StoreMatch,
)
from broker.domain.notices import NoticeKind, Notify, ReadNotices, WaitingNotice
from broker.domain.owed import owed_ids
from broker.domain.phone_calls import PhoneChange
from broker.domain.review import KeptNote
from broker.domain.signals import Signal, SignalState
from broker.domain.team_tasks import TaskChange, TeamTask
from broker.domain.webhooks import SetWebhook
from broker.ports import (
    ANY_SHIELD,
    BUNDLE,
    AnswerToStore,
    Clock,
    LookUp,
    OwnSignal,
    Proposal,
    Randomness,
    Stamp,
    StampKey,
    StampKind,
    StoredAnswer,
)
from broker.protocol.epochs import EpochDocument
from broker.protocol.register import Register
from broker.protocol.roster import Roster
from broker.store.log_writer import Cosignature, SealedProposal, Written
from tests.simulators.matches_in_memory import changed, now_unmet, without
from tests.simulators.memory_keys import MemoryKeys
from tests.simulators.tasks_in_memory import after_change


@dataclass(slots=True)
class MemoryState:
    """Everything that a transaction changes; copied before it and swapped after it."""

    signals: dict[str, Signal] = field(default_factory=dict)
    tokens: dict[str, tuple[StoredToken, ...]] = field(default_factory=dict)
    versions: dict[StampKey, int] = field(default_factory=dict)
    tickets: dict[tuple[str, str], int] = field(default_factory=dict)
    answers: dict[tuple[str, str], tuple[AnswerToStore, int]] = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)
    tasks_at: list[int] = field(default_factory=list)
    tasks_ids: list[str] = field(default_factory=list)
    tasks_done: frozenset[int] = frozenset()
    bundles: list[ActivateBundle] = field(default_factory=list)
    erasures: dict[tuple[str, str], Erasure] = field(default_factory=dict)
    erased: dict[tuple[int, str], int] = field(default_factory=dict)
    doomed: bool = False
    forgotten: frozenset[int] = frozenset()
    acts: dict[int, tuple[SearchTerms, str, int]] = field(default_factory=dict)
    notes: list[KeptNote] = field(default_factory=list)
    notices: list[tuple[str, WaitingNotice]] = field(default_factory=list)
    set_aside: dict[str, int] = field(default_factory=dict)
    matches: dict[str, KeptMatch] = field(default_factory=dict)
    team_tasks: dict[str, TeamTask] = field(default_factory=dict)
    unmet: list[str] = field(default_factory=list)
    consents: dict[str, tuple[Consent, TokenIndex | None]] = field(default_factory=dict)
    answered: int = 0

    def bump(self, kind: StampKind, key: bytes) -> None:
        """What relied on this key is stale."""
        stamp = StampKey(kind=kind, key=key)
        self.versions[stamp] = self.versions.get(stamp, 0) + 1

    def stamps(self, keys: Collection[StampKey]) -> tuple[Stamp, ...]:
        """Return the present versions."""
        return tuple(Stamp(of=key, version=self.versions.get(key, 0)) for key in keys)

    def copy(self) -> "MemoryState":
        """Return a state that changes by itself; the values in it never change."""
        return MemoryState(*(copy.copy(getattr(self, name)) for name in self.__slots__))

    def apply(self, proposal: Proposal, *, index: int, at: int) -> None:
        """Do everything the proposal changes, or raise with this state half done: it is a copy."""
        if proposal.answer is not None:
            key = proposal.answer.key
            if (key.organisation, key.idempotency_key) in self.answers:
                raise AlreadyAnsweredError
        if self.stamps([stamp.of for stamp in proposal.relies_on]) != proposal.relies_on:
            raise StaleDecisionError
        for ticket in proposal.tickets:
            if (ticket.custodian, ticket.id) in self.tickets:
                raise TicketSpentError
            self.tickets[ticket.custodian, ticket.id] = ticket.expires_at
        for change in proposal.changes:
            if isinstance(change, StoreErasure | ErasePayloads):
                self._erase(change, index)
                self.bump(ANY_SHIELD.kind, ANY_SHIELD.key)
            elif isinstance(change, Notify | ReadNotices):
                self._note(change, at)
            elif isinstance(change, HandOver):
                self.signals |= {one: replace(self.signals[one], owner=change.to) for one in change.ids}
            elif isinstance(
                change, StoreMatch | ChangeMatch | NameCasusregisseur | MarkOverdue | TaskChange | FinishOwed
            ):
                self._follow(change, index)
            elif isinstance(change, MeetLater | NoteMet):
                self.unmet = now_unmet(self.unmet, change)
            elif isinstance(change, StoreConsent | AddAnswers):
                self._consent(change)
            elif not isinstance(
                change,
                RequestChange
                | ChunkChange
                | KeepingChange
                | StoreCall
                | AnswerRing
                | ForwardRing
                | PhoneChange
                | SetWebhook
                | StoreException
                | FinishException,
            ):
                # what follows a question is kept in databases only
                self._change(change)
        self.tasks.extend(proposal.tasks)
        self.tasks_at.extend(at for _ in proposal.tasks)
        self.tasks_ids.extend(owed_ids(proposal.tasks, entry=index))

    def index(self, proposal: Proposal, *, index: int, at: int) -> None:
        """Note under what the entry is found, and what a reviewer stated with it."""
        if proposal.search is not None:
            self.acts[index] = (proposal.search, proposal.kind, at)
        note = proposal.note
        if note is None:
            return
        same = (note.organisation, note.kind, note.about)
        known = [(one.note.organisation, one.note.kind, one.note.about) for one in self.notes]
        if note.once and same in known:
            raise StaleDecisionError
        self.notes.append(KeptNote(index=index, at=at, note=note))

    def _follow(
        self, change: StoreMatch | ChangeMatch | NameCasusregisseur | MarkOverdue | TaskChange | FinishOwed, index: int
    ) -> None:
        if isinstance(change, FinishOwed):
            if change.number in self.tasks_done:
                raise StaleDecisionError
            self.tasks_done |= {change.number}
        elif isinstance(change, TaskChange):
            self.team_tasks = after_change(self.team_tasks, change)
        else:
            self.matches = changed(self.matches, change, index=index)

    def _erase(self, change: StoreErasure | ErasePayloads, index: int) -> None:
        if isinstance(change, StoreErasure):
            self.erasures[change.erasure.organisation, change.erasure.id] = change.erasure
            return
        if change.erasure is not None:
            place = (change.erasure.organisation, change.erasure.id)
            if self.erasures[place].state is not ErasureState.PROPOSED:
                raise StaleDecisionError
            self.erasures[place] = replace(
                self.erasures[place], state=ErasureState.ERASED, decided_by=change.decided_by, entry_index=index
            )  # fmt: skip
            self.doomed = True
        for entry, groups in places(change.ranges):
            if any((entry, group) in self.erased for group in groups):
                raise StaleDecisionError
            self.erased.update({(entry, group): index for group in groups})
            if change.erasure is None:
                self._forget_act(entry, groups)
            if {"meta", "actor"} & set(groups):
                self.forgotten |= {entry}
                if change.erasure is None:
                    self.answers = {key: kept for key, kept in self.answers.items() if kept[1] != entry}

    def _note(self, change: Notify | ReadNotices, at: int) -> None:
        if isinstance(change, Notify):
            waiting = WaitingNotice(id=change.id, team=change.team, kind=change.kind, about=change.about, at=at)
            self.notices.append((change.organisation, waiting))
            return
        self.notices = [
            (oin, one) for oin, one in self.notices if oin != change.organisation or one.id not in change.ids
        ]
        self.set_aside |= dict.fromkeys(change.aside, at)

    def _forget_act(self, entry: int, groups: tuple[str, ...]) -> None:
        if {"subject", "hits"} & set(groups) and entry in self.acts:
            terms, kind, at = self.acts[entry]
            self.acts = {**self.acts, entry: (replace(terms, handles=frozenset()), kind, at)}
        if {"actor", "subject"} & set(groups):
            self.notes = [kept for kept in self.notes if kept.index != entry]

    def _consent(self, change: StoreConsent | AddAnswers) -> None:
        if isinstance(change, StoreConsent):
            consent, person = change.consent, None if change.token is None else change.token.index
            if person is None and consent.signal_id is not None:
                tokens = self.tokens[consent.signal_id]
                person = next(token.index for token in tokens if token.role is TokenRole.SUBJECT)
            self.consents[consent.id] = replace(consent, events=self._numbered(consent.events)), person
        else:
            known = self.consents.get(change.consent_id)
            if known is None or known[0].organisation != change.organisation:
                raise StaleDecisionError
            consent, person = known
            events = (*consent.events, *self._numbered(change.events))
            self.consents[consent.id] = replace(consent, events=events), person
        keys = [consent_key(consent.id), *([] if person is None else [person_key(consent.organisation, person)])]
        for key in keys:
            self.bump(key.kind, key.key)

    def _numbered(self, events: Sequence[ConsentEvent]) -> tuple[ConsentEvent, ...]:
        first = self.answered + 1
        self.answered += len(events)
        return tuple(replace(event, number=number) for number, event in enumerate(events, start=first))

    def _change(
        self, change: StoreSignal | ForgetTickets | ActivateBundle | RenewSignal | EndSignal | MarkStanding
    ) -> None:
        if isinstance(change, StoreSignal):
            if change.signal.id in self.signals:
                raise StorageError
            self.signals[change.signal.id] = change.signal
            self.tokens[change.signal.id] = change.tokens
            self._bump_tokens(change.signal.id)
            return
        if isinstance(change, ForgetTickets):
            for ticket in change.tickets:
                self.tickets.pop(ticket, None)
            return
        if isinstance(change, ActivateBundle):
            self.bundles.append(change)
            self.bump(StampKind.POLICY, BUNDLE)
            return
        signal = self.signals.get(change.signal_id)
        if isinstance(change, RenewSignal):
            if signal is None or signal.state is not SignalState.ACTIVE:
                raise StaleDecisionError
            ends_on, until = change.ends_on or signal.ends_on, change.consent_until or signal.consent_until
            self.signals[signal.id] = replace(signal, ends_on=ends_on, consent_until=until)
            if self.signals[signal.id].last_day < signal.last_day:
                self.bump(StampKind.SHIELD, signal.id.encode())
        elif isinstance(change, EndSignal):
            frozen_again = change.state is SignalState.FROZEN and signal is not None and signal.state is change.state
            if signal is None or not signal.is_held or frozen_again:
                raise StaleDecisionError
            own = [
                n
                for n, (terms, _, _) in self.acts.items()
                if signal.handle in terms.handles and terms.organisation == signal.organisation
            ]
            if change.newest_act is not None and max(own, default=-1) > change.newest_act:
                raise StaleDecisionError
            if signal.last_standing_on != change.last_standing_on or _is_renewed(signal, change):
                raise StaleDecisionError
            self.signals[signal.id] = replace(signal, state=change.state, withdrawal_reason=change.reason)
            self._forget_matches(signal.id, change.state)
            self.bump(StampKind.SHIELD, signal.id.encode())
            self._bump_tokens(signal.id)
        elif signal is not None:
            self.signals[signal.id] = replace(signal, last_standing_on=change.on)

    def _forget_matches(self, signal_id: str, state: SignalState) -> None:
        kept = self.matches if state is SignalState.FROZEN else without(self.matches, signal_id)
        self.notices = [(oin, one) for oin, one in self.notices if one.about in kept or one.about not in self.matches]
        self.matches = kept

    def _bump_tokens(self, signal_id: str) -> None:
        for token in {token.index for token in self.tokens[signal_id]}:
            self.bump(StampKind.TOKEN, token.reveal())


def _is_renewed(signal: Signal, change: EndSignal) -> bool:
    """Return whether the signal has another end than this change rests on."""
    rests_on = (change.ends_on, change.consent_until)
    return change.ends_on is not None and rests_on != (signal.ends_on, signal.consent_until)


class MemorySigner:
    """A signer whose state is lost with the process; it refuses forks and rollbacks as `LocalSigner` does."""

    def __init__(self, key: NoteSigningKey) -> None:
        self._key = key
        self.released = EMPTY_TREE
        self._intent: TreeHead | None = None

    @property
    def name(self) -> str:
        """The key's name."""
        return self._key.verifier.name

    @property
    def vkey(self) -> str:
        """The public key."""
        return self._key.verifier.encode()

    def sign(self, checkpoint_text: str, proof: tuple[bytes, ...]) -> str:
        """Return the signature line."""
        head = Checkpoint.parse(checkpoint_text).head
        if self._intent not in (None, head):
            raise ForkError("signer: another head is signed and not settled")
        try:
            verify_consistency(old=self.released, new=head, proof=proof)
        except ProofError as error:
            raise ForkError("signer: the checkpoint contradicts one that was released") from error
        self._intent = head if head != self.released else None
        return self._key.sign(checkpoint_text)

    def settle(self, head: TreeHead, successor: Successor | None = None) -> None:
        """The head that is held is released."""
        del successor  # its state began with the process, as the log's did
        if head not in (self.released, self._intent):
            raise ForkError("signer: another head")
        self.released, self._intent = head, None


@dataclass(slots=True)
class MemoryLogTables:
    """The log's tables: the twin of `StoredLogTransaction`."""

    leaves: list[bytes] = field(default_factory=list)
    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)
    payloads: dict[tuple[int, str], SealedRow] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)
    cosignatures: dict[int, dict[str, str]] = field(default_factory=dict)
    erased: dict[tuple[int, str], int] = field(default_factory=dict)

    def copy(self) -> "MemoryLogTables":
        """Return tables that change by themselves."""
        return MemoryLogTables(*(copy.copy(getattr(self, name)) for name in self.__slots__))

    def head(self) -> TreeHead:
        """Return size and root."""
        return TreeHead(size=len(self.leaves), root=root_at(self, len(self.leaves)))

    def node(self, level: int, index: int) -> bytes:
        """Return one perfect subtree."""
        return self.nodes[level, index]

    def insert_entries(self, first_index: int, leaves: Sequence[bytes]) -> None:
        """Append these leaves."""
        if first_index != len(self.leaves):
            raise ForkError("log: not the next index")
        self.leaves.extend(leaves)

    def insert_nodes(self, nodes: Sequence[Node]) -> None:
        """Store these subtrees."""
        self.nodes.update({(node.level, node.index): node.hash for node in nodes})

    def insert_payloads(self, rows: Sequence[SealedRow]) -> None:
        """Store these sealed groups."""
        self.payloads.update({(row.index, row.group): row for row in rows})

    def insert_checkpoint(self, size: int, note: str) -> None:
        """Store this note."""
        self.notes[size] = note


class MemoryBroker:
    """One broker's whole memory. While `fails_with` is set every write fails with it, and nothing else does."""

    def __init__(self, *, randomness: Randomness, name: str = "broker.demo.sluis.test/log") -> None:
        self.state = MemoryState()
        self.log = MemoryLogTables()
        self.fails_with: type[NotRecordedError] | None = None
        self.keys = MemoryKeys(randomness.bytes)
        self.signer = MemorySigner(
            NoteSigningKey(name=name, algorithm=Algorithm.ED25519, seed=randomness.bytes(32))
        )  # fmt: skip
        self._randomness = randomness
        self._receipts: dict[int, Mapping[str, object]] = {}
        found_log(self.log, signer=self.signer)

    async def write(self, batch: Sequence[SealedProposal], *, at: int) -> Written:
        """See `Ledger.write`."""
        if self.fails_with is not None:
            raise self.fails_with
        state = self.state.copy()
        at = max(at, Leaf.parse(self.log.leaves[-1]).time) if self.log.leaves else at
        verdicts: list[int | BrokerError] = []
        taken: list[SealedProposal] = []
        for sealed in batch:
            trial = state.copy()
            index = len(self.log.leaves) + len(taken)
            try:
                trial.apply(sealed.proposal, index=index, at=at)
            except BrokerError as error:
                verdicts.append(error)
                continue
            try:
                trial.index(sealed.proposal, index=index, at=at)
            except BrokerError as error:
                verdicts.append(error)
                continue
            if sealed.proposal.answer is not None:
                key = sealed.proposal.answer.key
                trial.answers[key.organisation, key.idempotency_key] = (sealed.proposal.answer, index)
            state = trial
            verdicts.append(len(taken))
            taken.append(sealed)
        return Written(verdicts=tuple(verdicts), appended=self._append(state, taken, at) if taken else None)

    def _append(self, state: MemoryState, taken: Sequence[SealedProposal], at: int) -> Appended:
        tables = self.log.copy()
        appended = append(
            tables,
            [sealed.entry for sealed in taken],
            at=at,
            signer=self.signer,
            key_encryption_key=self.keys.current,
            random=self._randomness.bytes,
        )
        tables.erased = dict(state.erased)
        tables.payloads = {place: row for place, row in tables.payloads.items() if place not in tables.erased}
        self.state, self.log = state, tables
        self.signer.settle(appended.checkpoint.head)
        for position, entry in enumerate(appended.entries):
            self._receipts[entry.index] = appended.receipt(position).to_wire()
        return appended

    async def store_cosignatures(self, size: int, cosignatures: Sequence[Cosignature]) -> None:
        """See `Ledger.store_cosignatures`."""
        if self.fails_with is not None:
            raise self.fails_with
        self.log.cosignatures[size] = {one.witness: one.line for one in cosignatures}

    async def uncosigned_since(self, *, heard: bool) -> int | None:
        """Nothing asks the twin for a quorum."""
        del heard
        return None

    async def find(self, *, organisation: str, idempotency_key: str) -> StoredAnswer | None:
        """See `AnswerStore.find`."""
        known = self.state.answers.get((organisation, idempotency_key))
        if known is None:
            return None
        if known[1] in self.state.forgotten:
            receipt = Receipt.from_wire(dict(self._receipts[known[1]]))
            left = {group: one for group, one in receipt.openings.items() if (known[1], group) not in self.state.erased}
            raise AnswerWithheldError(receipt=replace(receipt, openings=left).to_wire(), signal_id=None)
        return StoredAnswer(answer=known[0], receipt=self._receipts[known[1]])

    async def look_up(self, indexes: Collection[TokenIndex]) -> LookUp:
        """See `SignalStore.look_up`."""
        found = self._found(indexes)
        holders = sorted({token.signal.organisation for token in found})
        keys = [StampKey(kind=StampKind.TOKEN, key=one) for one in sorted(index.reveal() for index in indexes)]
        keys += [StampKey(kind=StampKind.SHIELD, key=one.encode()) for one in sorted({t.signal.id for t in found})]
        keys += [StampKey(kind=StampKind.ORGANISATION, key=oin.encode()) for oin in holders]
        return LookUp(found=found, stamps=self.state.stamps(keys))

    async def own_on(self, *, organisation: str, purpose: str | None, indexes: Collection[TokenIndex]) -> LookUp:
        """See `SignalStore.own_on`."""
        found = tuple(
            token
            for token in self._found(indexes)
            if token.signal.organisation == organisation and purpose in (None, token.signal.purpose)
        )
        keys = [StampKey(kind=StampKind.SHIELD, key=one.encode()) for one in sorted({t.signal.id for t in found})]
        return LookUp(found=found, stamps=self.state.stamps(keys))

    async def own(self, *, organisation: str, signal_id: str) -> OwnSignal | None:
        """See `SignalStore.own`."""
        signal = self.state.signals.get(signal_id)
        if signal is None or signal.organisation != organisation:
            return None
        key = StampKey(kind=StampKind.SHIELD, key=signal_id.encode())
        subject = next(one.index for one in self.state.tokens[signal_id] if one.role is TokenRole.SUBJECT)
        return OwnSignal(signal=signal, stamps=self.state.stamps([key]), subject=subject)

    async def list_own(
        self, *, organisation: str, after: str | None = None, at_most: int | None = None
    ) -> tuple[Signal, ...]:
        """See `SignalStore.list_own`."""
        own = [signal for signal in self.state.signals.values() if signal.organisation == organisation]
        rest = [signal for signal in own if signal.id > (after or "")]
        return tuple(sorted(rest, key=lambda signal: signal.id)[:at_most])

    async def due(self, *, day: date, at_most: int) -> tuple[Signal, ...]:
        """See `RetentionReader.due`."""
        held = [signal for signal in self.state.signals.values() if signal.is_held]
        ended = [signal for signal in held if signal.ended_by(day) is not None]
        return tuple(sorted(ended, key=lambda signal: signal.id)[:at_most])

    async def resting_on(
        self, pairs: Collection[tuple[str, str]], *, state: SignalState, at_most: int
    ) -> tuple[Signal, ...]:
        """See `RetentionReader.resting_on`."""
        found = [one for one in self.state.signals.values() if (one.purpose, one.ground) in pairs]
        return tuple(sorted((one for one in found if one.state is state), key=lambda one: one.id)[:at_most])

    async def forgettable_tickets(self, *, expired_before: int, at_most: int) -> tuple[tuple[str, str], ...]:
        """See `RetentionReader.forgettable_tickets`."""
        return tuple(sorted(one for one, end in self.state.tickets.items() if end < expired_before)[:at_most])

    async def forgettable_chunks(self, *, before: date, at_most: int) -> tuple[tuple[str, str, str], ...]:  # noqa: ARG002 - of the port
        """See `RetentionReader.forgettable_chunks`: letters are not kept in memory."""
        return ()

    async def overdue_rows(self, *, day: date, now: int, at_most: int) -> tuple[ForgetRows | TellOver, ...]:  # noqa: ARG002 - as above
        """See `RetentionReader.overdue_rows`: what ends by itself is kept in databases only."""
        return ()

    async def expired_payloads(self, *, written_before: int) -> tuple[EntryRange, ...]:
        """See `RetentionReader.expired_payloads`."""
        stored = sorted(index for index, group in self.log.payloads if group == "shielded")[:MAX_EXPIRED]
        leaves = {index: Leaf.parse(self.log.leaves[index]) for index in stored}
        past = {index: leaf for index, leaf in leaves.items() if leaf.time < written_before}
        kept = {(index, "meta") for index, leaf in past.items() if leaf.kind in {"erasure", "retention"}}
        return joined(place for place in self.log.payloads if place[0] in past and place not in kept)

    async def newest_act_at(self) -> int | None:
        """See `RetentionReader.newest_act_at`."""
        acts = [leaf for text in self.log.leaves if (leaf := Leaf.parse(text)).kind not in {"retention", "policy"}]
        return acts[-1].time if acts else None

    async def waiting(
        self, *, organisation: str, kinds: frozenset[NoticeKind], without: tuple[str, ...], at_most: int
    ) -> tuple[WaitingNotice, ...]:
        """See `InboxReader.waiting`."""
        own = [one for oin, one in self.state.notices if oin == organisation and one.kind in kinds]
        waiting = [one for one in own if one.id not in without]
        first = sorted(waiting, key=lambda one: self.state.set_aside.get(one.id, 0))[:at_most]
        return tuple(one for one in waiting if one in first)

    async def about(self, pairs: Collection[Pair]) -> Mapping[Pair, AboutPerson]:
        """See `ConsentReader.about`."""
        kept = self.state.consents.values()
        found = {pair: tuple(one for one, who in kept if (one.organisation, who) == pair) for pair in pairs}
        stamps = {pair: self.state.stamps([person_key(*pair)])[0] for pair in pairs}
        return {pair: AboutPerson(consents=found[pair], stamp=stamps[pair]) for pair in pairs}

    async def own_consent(self, *, organisation: str, consent_id: str) -> OwnConsent | None:
        """See `ConsentReader.own`."""
        known = self.state.consents.get(consent_id)
        if known is None or known[0].organisation != organisation:
            return None
        consent, who = known
        about = None if who is None else (await self.about([(organisation, who)]))[organisation, who]
        stamp = self.state.stamps([consent_key(consent_id)])[0]
        return OwnConsent(consent=consent, stamp=stamp, about=about, subject=who)

    async def own_consents(
        self, *, organisation: str, worker: str, after: str | None, at_most: int
    ) -> tuple[OwnConsent, ...]:
        """See `ConsentReader.list_own`."""
        kept = self.kept_from(organisation=organisation, worker=worker)
        own = [
            one.id
            for one, who in self.state.consents.values()
            if one.organisation == organisation and (who not in kept or one.recorded_by == worker)
        ]
        ids = sorted(one for one in own if one > (after or ""))[:at_most]
        found = [await self.own_consent(organisation=organisation, consent_id=one) for one in ids]
        return tuple(one for one in found if one is not None)

    def kept_from(self, *, organisation: str, worker: str) -> frozenset[TokenIndex]:
        """See `ConsentReader.kept_from`."""
        own = [one for one in self.state.signals.values() if one.organisation == organisation]
        hidden = [one.id for one in own if one.hidden_from(worker)]
        return frozenset(
            token.index for one in hidden for token in self.state.tokens[one] if token.role is TokenRole.SUBJECT
        )

    def hidden_consents(self, *, organisation: str, worker: str, among: Collection[str]) -> frozenset[str]:
        """See `ConsentReader.hidden`."""
        own = [one for one in self.state.signals.values() if one.organisation == organisation and one.shielded]
        held = [one for one in own if one.owner == worker]
        active = [one.id for one in held if one.state is SignalState.ACTIVE]
        persons = {token.index for one in active for token in self.state.tokens[one] if token.role is TokenRole.SUBJECT}
        return frozenset(one for one in among if self.state.consents[one][1] in persons)

    async def activations(self) -> tuple[ActivateBundle, ...]:
        """See `BundleHistory.activations`."""
        return tuple(self.state.bundles)

    async def stamps(self, keys: Collection[StampKey]) -> tuple[Stamp, ...]:
        """See `SignalStore.stamps`."""
        return self.state.stamps(keys)

    def _found(self, indexes: Collection[TokenIndex]) -> tuple[FoundToken, ...]:
        found = []
        for signal_id in sorted(self.state.signals):
            signal, tokens = self.state.signals[signal_id], self.state.tokens[signal_id]
            subject = next(token.index for token in tokens if token.role is TokenRole.SUBJECT)
            if signal.state is SignalState.ACTIVE:
                found += [
                    FoundToken(index=token.index, role=token.role, source=token.source, subject=subject, signal=signal)
                    for token in tokens
                    if token.index in indexes
                ]
        return tuple(found)


class NoWitnesses:
    """Nobody watches, and that is enough: the policy of a log without a quorum."""

    heard = True

    async def ask(self, note: str, *, deadline_s: float) -> tuple[Cosignature, ...]:
        """Return nothing."""
        del note, deadline_s
        return ()

    def quorum_met(self, cosignatures: Sequence[Cosignature]) -> bool:
        """Return True."""
        del cosignatures
        return True


@dataclass(slots=True, kw_only=True)
class MemoryDocuments:
    """Register, rosters and epoch as a test sets them; `unreadable` makes every reading fail."""

    in_force: Register
    rosters: Mapping[str, Roster]
    in_use: EpochDocument
    unreadable: NotRecordedError | None = None

    async def register(self) -> Register:
        """See `RegisterReader.register`."""
        if self.unreadable is not None:
            raise self.unreadable
        return self.in_force

    async def epoch(self) -> EpochDocument:
        """See `RegisterReader.epoch`."""
        return self.in_use

    async def roster(self, organisation: str) -> Roster | None:
        """See `RosterReader.roster`."""
        return self.rosters.get(organisation)


class MemoryRequestIds:
    """The twin of `SqliteRequestIds`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._spent: dict[tuple[str, str], int] = {}

    async def spend(self, *, issuer: str, jti: str, expires_at: int) -> bool:
        """See `RequestSpending.spend`."""
        first = (issuer, jti) not in self._spent
        self._spent.setdefault((issuer, jti), expires_at)
        return first

    async def works(self) -> bool:
        """See `RequestSpending.works`."""
        return True


@dataclass(frozen=True, slots=True)
class MemoryConsents:
    """The twin of `StoredConsents`: the consents of one memory."""

    memory: MemoryBroker

    async def about(self, pairs: Collection[Pair]) -> Mapping[Pair, AboutPerson]:
        """See `ConsentReader.about`."""
        return await self.memory.about(pairs)

    async def own(self, *, organisation: str, consent_id: str) -> OwnConsent | None:
        """See `ConsentReader.own`."""
        return await self.memory.own_consent(organisation=organisation, consent_id=consent_id)

    async def hidden(self, *, organisation: str, worker: str, among: Collection[str]) -> frozenset[str]:
        """See `ConsentReader.hidden`."""
        return self.memory.hidden_consents(organisation=organisation, worker=worker, among=among)

    async def kept_from(self, *, organisation: str, worker: str) -> frozenset[TokenIndex]:
        """See `ConsentReader.kept_from`."""
        return self.memory.kept_from(organisation=organisation, worker=worker)

    async def list_own(
        self, *, organisation: str, worker: str, after: str | None, at_most: int
    ) -> tuple[OwnConsent, ...]:
        """See `ConsentReader.list_own`."""
        return await self.memory.own_consents(
            organisation=organisation, worker=worker, after=after, at_most=at_most
        )  # fmt: skip
