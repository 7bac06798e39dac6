"""Decide on an oproep: call, do not call, or have another own team asked. The asker sees none of it.

What a holder decides is recorded as a look into its inbox is: an entry of a kind of its own, in a quiet hour, would
tell everybody who reads the log that somebody is involved (ADR 33).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from broker.call_ports import CallReader
from broker.consent_ports import ConsentReader
from broker.domain.calls import AnswerRing, ForwardRing, Ring, RingState
from broker.domain.changes import Change
from broker.domain.errors import FieldRuleError, NotFoundError
from broker.domain.notices import NoticeKind, Notify
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.own_ring import OwnRing, own_ring
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_team, check_worker
from broker.flows.shown_calls import rings_document
from broker.flows.unwatched import stopped
from broker.ports import (
    REGISTER,
    AnswerStatus,
    AnswerStore,
    Clock,
    Log,
    Randomness,
    RegisterReader,
    RosterReader,
    SignalStore,
)
from broker.protocol.call_messages import AnswerRing as RingCommand
from broker.protocol.problems import problem
from broker.protocol.register import Register
from broker.protocol.roster import Roster

ANSWERED, OVER, OF_ANOTHER_TEAM = "call-answered", "call-over", "call-of-another-team"
"""Problems of who would still decide on a ring."""
_TEXTS = {"accept": "call.accepted", "decline": "call.declined", "forward": "call.forwarded"}
_ID_BYTES = 16


async def answer_ring(
    *,
    command: RingCommand,
    ring_id: str,
    requester: Requester,
    policies: Policies,
    clock: Clock,
    randomness: Randomness,
    registers: RegisterReader,
    rosters: RosterReader,
    signals: SignalStore,
    calls: CallReader,
    consents: ConsentReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """What the holder decided stands; outcome `done`, with the caller's contact card once he will call.

    Raises:
        NotFoundError: not a ring of this organisation, one that may not be seen (any more), or none at all.
        RefusedError: it asks another team, was decided before, or its last day has passed; with the receipt of its
            entry.
        NotDoneError: it failed, or nobody has watched the log for too long; with the receipt of its entry.
        TeamUnknownError, FieldRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.stating("answer_ring", "inbox", command, requester, target=ring_id, team=command.team)

    async def decide() -> Outcome:
        # (1) Who, and that it is his organisation's ring.
        check_worker(requester)
        base = await signals.stamps(asked_stamps(requester.organisation))
        policy, newest = policies.at(base), await signals.stamps([REGISTER])
        register = await registers.register()
        check_organisation(register, act)
        own = await _own(
            ring_id, requester, signals=signals, calls=calls, consents=consents, policy=policy, register=register,
            clock=clock,
        )  # fmt: skip
        ring = own.ring
        # (2) Nobody has watched the log for too long: nobody is told on its word whom to call.
        if command.answer == "accept" and log.disclosures_stopped():
            return stopped(act, bundle=policy.sha256)
        # (3) To forward names another team, with a contact card on the own roster; nothing else names one.
        _check_named(command, ring)
        roster = await rosters.roster(requester.organisation)
        if command.team is not None:
            check_team(roster, act)
        # (4) By the team that is asked, once, and while it asks.
        recording = _Answering(bundle=policy.sha256, register=register.number, ring=ring, handles=own.handles)
        hindered = _hindered(ring, requester, roster, over=ring.is_over(clock.today()))
        relied = (*base, *newest, *own.stamps)
        if hindered is not None:
            return recording.refused(act, hindered, Effects(relies_on=relied))
        # (5) The ring as it is from now on; what it rests on may be taken back, and then it is not told again.
        after = _after(ring, command)
        changes = _changes(ring, command, requester.worker, now=clock.now(), randomness=randomness)
        document = await rings_document(_TEXTS[command.answer], [after], register=register, rosters=rosters)
        effects = Effects(relies_on=relied, changes=changes, rests_on=(*base, *own.stamps), valid_until=own.until)
        return recording.done(act, command, document, effects)

    # (6) Recorded with the change in one transaction, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answering:
    """What every outcome of this records: about which ring, found again by its signal."""

    bundle: str
    register: int
    ring: Ring
    handles: frozenset[str]

    def done(self, act: Act, command: RingCommand, document: Mapping[str, object], effects: Effects) -> Outcome:
        """Return that it was decided."""
        stated = {"answer": command.answer, "team": command.team}
        return outcome_of(act, self._recording("done", document, stated=stated), effects, status=AnswerStatus.DONE)

    def refused(self, act: Act, problem_id: str, effects: Effects) -> Outcome:
        """Return that it cannot be decided any more, told as a problem of its own."""
        recording = self._recording("refused", problem(problem_id).document(), reason=problem_id)
        return outcome_of(act, recording, effects, status=AnswerStatus.REFUSED)

    def _recording(
        self, outcome: str, document: Mapping[str, object], *, reason: str | None = None,
        stated: Mapping[str, object] | None = None,
    ) -> Recording:  # fmt: skip
        subject = {"schema": "entry-ring/v1", "ring": self.ring.id, "handles": sorted(self.handles), **(stated or {})}
        return Recording(
            outcome=outcome, reason=reason, bundle=self.bundle, register=self.register, document=document,
            own_handles=self.handles, subject=subject,
        )  # fmt: skip


async def _own(
    ring_id: str, requester: Requester, *, signals: SignalStore, calls: CallReader, consents: ConsentReader,
    policy: PolicyInForce, register: Register, clock: Clock,
) -> OwnRing:  # fmt: skip
    """Return the ring with this id that this worker may see now. Raises NotFoundError: there is none."""
    ring = await calls.ring(organisation=requester.organisation, ring_id=ring_id)
    if ring is None:
        raise NotFoundError
    own = await own_ring(
        ring, requester, signals=signals, calls=calls, consents=consents, policy=policy, register=register, clock=clock
    )  # fmt: skip
    if not own.seen:
        raise NotFoundError
    return own


def _check_named(command: RingCommand, ring: Ring) -> None:
    if (command.team is not None) != (command.answer == "forward"):
        raise FieldRuleError("team", "is named to forward, and only then")
    if command.team == ring.team:
        raise FieldRuleError("team", "is the one that is asked already")


def _hindered(ring: Ring, requester: Requester, roster: Roster | None, *, over: bool) -> str | None:
    """Return the problem that stands in the way of deciding on this ring, or None.

    Who is in no team by the roster acts for all of them: then the organisation does not say who works where.
    """
    worker = None if roster is None else roster.workers.get(requester.worker)
    if worker is not None and worker.teams and ring.team not in worker.teams:
        return OF_ANOTHER_TEAM
    if ring.state is not RingState.WAITING:
        return ANSWERED
    return OVER if over else None


def _after(ring: Ring, command: RingCommand) -> Ring:
    if command.team is not None:
        return replace(ring, team=command.team)
    return replace(ring, state=RingState.ACCEPTED if command.answer == "accept" else RingState.DECLINED)


def _changes(
    ring: Ring, command: RingCommand, worker: str, *, now: int, randomness: Randomness
) -> tuple[Change, ...]:  # fmt: skip
    """Return what changes: the decision, or the other team, which is told as the first one was."""
    if command.team is None:
        return (AnswerRing(ring_id=ring.id, state=_after(ring, command).state, worker=worker, at=now),)
    notice = Notify(
        id=randomness.bytes(_ID_BYTES).hex(),
        organisation=ring.organisation,
        team=command.team,
        kind=NoticeKind.CALL,
        about=ring.id,
    )
    return (ForwardRing(ring_id=ring.id, from_team=ring.team, team=command.team), notice)
