"""What asking, answering and telling have in common: the facts of a letter, its decision, and how it ends openly.

A letter in several categories is decided for each of them by itself: one that may not is a letter that may not.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from broker.domain.changes import Task
from broker.domain.errors import (
    BundleNotInForceError,
    FieldRuleError,
    NotFoundError,
    ReceiverUnknownError,
)
from broker.domain.information_requests import StatedProof
from broker.domain.notices import NoticeKind, Notify
from broker.domain.signals import SignalState
from broker.flows.act import Act
from broker.flows.citing import NOTHING_CITED, Cited
from broker.flows.duties import tasks_for
from broker.flows.entry_payloads import Recording
from broker.flows.errors import DecisionFailedError
from broker.flows.judging import ERROR
from broker.flows.outcome import Effects, Outcome, outcome_of
from broker.flows.policy import PolicyInForce
from broker.letter_ports import OwnSignals
from broker.ports import AnswerStatus, OwnSignal, Randomness, RosterReader, Stamp
from broker.protocol.letter import MAX_LETTER_CHUNKS
from broker.protocol.messages import StatutoryProof
from broker.protocol.problems import problem
from broker.protocol.register import Organisation, Register
from broker.request_ports import ChunkReader
from policies import AskFacts, Permit, Refusal
from policies.vocabulary import NO_PROOF, NOT_APPLICABLE, WILDCARD
from policies.workdays import working_day_after

MAX_WORKING_DAYS = 10
"""Working days that a letter can be answered or fetched in at most."""
LEVEL = "level-not-permitted"
ID_BYTES = 16
WITHHELD = "letter-withheld"
LAPSED = "request-lapsed"
TOO_LARGE = "attachment-too-large"
TAKEN_BACK = "request-withdrawn"
TRUNCATED = "attachment-truncated"
CANNOT_TELL = "receiver-cannot-tell"
LETTER_PROBLEMS = frozenset(
    {
        LEVEL, WITHHELD, LAPSED, TOO_LARGE, TRUNCATED, CANNOT_TELL, "request-already-answered", TAKEN_BACK,
        "request-expired", "request-needs-named-worker", "request-for-another-worker",
        "request-of-another-team", "request-needs-approval",
    }
)  # fmt: skip
"""What may end an act on a letter openly, each of them recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFacts:
    """Whose letter to whom, for what: everything the two questions to policy need but the category."""

    operation: Literal["request", "share"]
    sender: Organisation
    recipient: Organisation
    role: str
    purpose: str
    grounds: tuple[str, ...]
    own_signal: bool
    approved: bool
    proof: StatedProof | None
    level: int
    cited: Cited = NOTHING_CITED

    def of(self, category: str, *, day: date) -> AskFacts:
        """Return the facts of one category; what is known of the recipient comes from the register."""
        told = self.operation == "share"
        proof = self.proof
        standing: Literal["none", "own_signal", "statutory_reference"]
        standing = "statutory_reference" if proof else "own_signal" if self.own_signal else "none"
        facts = AskFacts(
            day=day,
            operation=self.operation,
            organisation=self.sender.oin,
            org_class=self.sender.org_class,
            role=self.role,
            purpose=self.purpose,
            grounds=self.grounds,
            standing=standing,
            approval="approved" if self.approved else "none",
            families=frozenset(),
            simulated_bsn_right=self.sender.simulated_bsn_right,
            proof=NO_PROOF if proof is None else proof.kind,
            proof_since=None if proof is None else proof.since,
            proof_ends_on=None if proof is None else proof.ends_on,
            category=category,
            level=self.level,
            recipient=self.recipient.org_class if told else NOT_APPLICABLE,
            recipient_organisation=self.recipient.oin if told else None,
        )
        return self.cited.known(facts, other=self.recipient.oin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The decision on a letter: a permit for each category; `permit` is that of the first."""

    permits: Mapping[str, Permit]
    within: bool
    """Whether it may be at the level it is at; a permit may be for a lower one only."""

    @property
    def permit(self) -> Permit:
        """The decision that its entry keeps whole."""
        return next(iter(self.permits.values()))

    @property
    def rules(self) -> Mapping[str, str]:
        """Which rule spoke for each category."""
        return {category: permit.rule for category, permit in self.permits.items()}

    def tasks(self, *, organisation: str, today: date, signal_id: str | None = None) -> tuple[Task, ...]:
        """Return a task for every duty of every category, each once and by its earliest day, in whatever order named.

        Raises:
            CalendarError: of that year no public holidays are known.
        """
        found: dict[str, Task] = {}
        for permit in self.permits.values():
            for task in tasks_for(permit, organisation=organisation, today=today, signal_id=signal_id):
                known = found.get(task.kind)
                if known is None or task.due_on < known.due_on:
                    found[task.kind] = task
        return tuple(found.values())


def decide_letter(
    policy: PolicyInForce, facts: LetterFacts, categories: Iterable[str], *, day: date
) -> Decided | Refusal:
    """Return whether a letter in these categories may be. Raises DecisionFailedError: a decision failed."""
    permits: dict[str, Permit] = {}
    for category in categories:
        decision = policy.decision_point.may_ask(facts.of(category, day=day))
        if isinstance(decision, Refusal):
            if decision.reason == ERROR:
                raise DecisionFailedError
            return decision
        permits[category] = decision
    return Decided(
        permits=permits,
        within=all(permit.level >= facts.level for permit in permits.values()),
    )


def answerable(policy: PolicyInForce, facts: LetterFacts, categories: Iterable[str], *, day: date) -> bool:
    """Return whether such an organisation could tell the asker all of this, on whatever ground it may have.

    That somebody is asked tells him already that there is a case: nobody is asked what he could never answer.
    """
    on, holder, asker = f"{day:%Y%m%d}", facts.recipient.org_class, facts.sender.org_class
    told = {
        line.cat
        for line in policy.bundle.lines
        if (line.act, line.eft) == ("share", "allow")
        and line.ask in (holder, WILDCARD)
        and line.hold in (asker, WILDCARD)
        and line.purpose in (facts.purpose, WILDCARD)
        and line.since <= on < line.until
    }
    return WILDCARD in told or set(categories) <= told


def refused_openly(
    act: Act, problem_id: str, *, policy: PolicyInForce, register: Register, relies_on: tuple[Stamp, ...],
    subject: Mapping[str, object], decision: Mapping[str, object] | None = None,
) -> Outcome:  # fmt: skip
    """Return the outcome of an act on a letter that its rules do not allow: told as its own problem, and recorded."""
    recording = Recording(
        outcome="refused", reason=problem_id, bundle=policy.sha256, register=register.number, decision=decision,
        document=problem(problem_id).document(), subject=subject,
    )  # fmt: skip
    return outcome_of(act, recording, Effects(relies_on=relies_on), status=AnswerStatus.REFUSED)


def subject_of(request_id: str, **stated: object) -> dict[str, object]:
    """Return what an entry says it is about: one request, by its id, with codes and hashes."""
    return {"schema": "entry-request/v1", "request": request_id, **stated}


def stated_proof(proof: StatutoryProof | None) -> StatedProof | None:
    """Return a proof as a domain value."""
    if proof is None:
        return None
    return StatedProof(kind=proof.kind, since=proof.since, ends_on=proof.ends_on, reference=proof.reference)


def check_bundle(stated: str, policy: PolicyInForce) -> None:
    """Hold only for the bundle in force: a letter is bound to it, and cannot be bound to another afterwards.

    Raises:
        BundleNotInForceError
    """
    if stated != policy.sha256:
        raise BundleNotInForceError


def check_expiry(expires_on: date, *, today: date) -> None:
    """Hold only for a day from today up to the tenth working day. Raises FieldRuleError."""
    if not today <= expires_on <= working_day_after(today, MAX_WORKING_DAYS):
        raise FieldRuleError("expiresOn", f"is not a day from today to {MAX_WORKING_DAYS} working days on")


def check_different(categories: list[str], field: str = "categories") -> None:
    """Hold only for categories that are named once each. Raises FieldRuleError."""
    if len(set(categories)) != len(categories):
        raise FieldRuleError(field, "names a category twice")


async def letter_fault(
    decided: Decided, named: Sequence[str], *, organisation: str, chunks: ChunkReader
) -> str | None:  # fmt: skip
    """Return the problem of a letter that was permitted; None where its level and its attachments are right.

    A chunk that another organisation left is as one that nobody did.

    Raises:
        FieldRuleError: it names a chunk twice.
    """
    if len(set(named)) != len(named):
        raise FieldRuleError("chunks", "names a chunk twice")
    if not decided.within:
        return LEVEL
    if len(named) > MAX_LETTER_CHUNKS:
        return TOO_LARGE
    return None if await chunks.known(organisation=organisation, hashes=named) else TRUNCATED


def chunks_sha256(named: Sequence[str]) -> str | None:
    """Return what an entry says of attachments: one hash over those of their chunks, None without any."""
    return hashlib.sha256("".join(named).encode("ascii")).hexdigest() if named else None


def notice_for(
    organisation: str, team: str, kind: NoticeKind, *, about: str, randomness: Randomness
) -> Notify:  # fmt: skip
    """Return the change by which this team is told, in its inbox, that something waits; never what."""
    notice_id = randomness.bytes(ID_BYTES).hex()
    return Notify(id=notice_id, organisation=organisation, team=team, kind=kind, about=about)


async def receiver_of(to: str, team: str, *, sender: str, register: Register, rosters: RosterReader) -> Organisation:
    """Return the organisation a letter goes to: another one, active, that has this team and a key to seal to.

    Raises:
        ReceiverUnknownError: it is not, whichever of these.
    """
    organisation = register.organisations.get(to)
    roster = await rosters.roster(to)
    if organisation is None or not organisation.active or to == sender or not organisation.sealing_keys:
        raise ReceiverUnknownError
    if roster is None or team not in roster.teams:
        raise ReceiverUnknownError
    return organisation


async def own_signal(
    signal_id: str | None, *, organisation: str, policy: PolicyInForce, today: date, signals: OwnSignals,
    worker: str | None = None,
) -> OwnSignal | None:  # fmt: skip
    """Return the own active signal that a letter rests on, None where it names none.

    Args:
        signal_id: as it is named.
        organisation: whose it is to be.
        policy: in force.
        today: the calendar day.
        signals: as committed.
        worker: who names it; None for what a colleague named before.

    Raises:
        NotFoundError: another organisation's, one that is active no more or kept from this worker, or none at all: all
            alike.
    """
    if signal_id is None:
        return None
    own = await signals.own(organisation=organisation, signal_id=signal_id)
    if own is None or policy.state_on(own.signal, today) is not SignalState.ACTIVE:
        raise NotFoundError
    if worker is not None and own.signal.hidden_from(worker):
        raise NotFoundError
    return own
