"""What every flow of the review has in common: who may, what the entry says, and how acts are shown."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from broker.domain.acts import REVIEW_SCHEMA, ReviewedAct, ReviewNote
from broker.domain.changes import Change
from broker.domain.errors import RoleNotAllowedError
from broker.domain.exceptions import VEILIG_THUIS
from broker.domain.flags import BASELINE_DAYS, Flag, flags_of, is_high
from broker.domain.requests import Requester
from broker.domain.review import FG, IN_ORDER, THRESHOLD, KeptNote, Reviewer, is_closed, own_act, own_team
from broker.domain.thresholds import ThresholdChange, ThresholdHistory
from broker.flows.act import Act
from broker.flows.current_reading import CurrentReading
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, SignalStore
from broker.protocol.messages import TextRef
from broker.protocol.problems import Problem, problem_kinds
from broker.protocol.register import Register
from broker.protocol.review_messages import ActShown, ExceptionOfAct, FlagShown, ReviewResult, VerdictShown
from broker.protocol.roster import Roster
from broker.review_ports import ActReader, NoteReader
from policies.workdays import working_day_after

DAY_S = 86_400
CHECK_CLASS = "check"
EXCEPTION = "exception"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a reviewer is told, what the entry says it was about, and what he stated; `refused` is a code, or None."""

    document: Mapping[str, object] = field(repr=False)
    subject: Mapping[str, object] = field(repr=False)
    note: ReviewNote | None = None
    refused: str | None = None
    changes: tuple[Change, ...] = ()


def told(text: str, *, subject: Mapping[str, object], note: ReviewNote | None = None, **members: Any) -> Told:  # noqa: ANN401 - members of `ReviewResult`, which checks them
    """Return an answer with these members of a `review/v1`; `text` is a text id of the Dutch catalogue."""
    stated = {"schema": "review/v1", "outcome": "done", "text": TextRef(id=text, params={})}
    result = ReviewResult.model_validate({**stated, **members})
    return Told(document=result.model_dump(mode="json", by_alias=True), subject=subject, note=note)


def not_yours(text: str, *, reason: str, subject: Mapping[str, object]) -> Told:
    """Return an open refusal, which is recorded too: that somebody tried to judge his own act is worth knowing."""
    document = Problem(kind=problem_kinds()["refused"], text=text).document()
    return Told(document=document, subject=subject, refused=reason)


def check_role(requester: Requester, roles: Collection[str]) -> None:
    """Hold only for these roles. Raises RoleNotAllowedError."""
    if requester.role not in roles:
        raise RoleNotAllowedError


def reviewer_of(requester: Requester, roster: Roster | None, register: Register) -> Reviewer:
    """Return who reviews, with the teams that his organisation's roster states, and whether it is Veilig Thuis."""
    known = None if roster is None else roster.workers.get(requester.worker)
    teams = frozenset() if known is None else known.teams
    own = register.organisations.get(requester.organisation)
    return Reviewer(
        organisation=requester.organisation, worker=requester.worker, teams=teams,
        at_veilig_thuis=own is not None and own.org_class == VEILIG_THUIS,
    )  # fmt: skip


def teams_of(act: ReviewedAct, roster: Roster | None) -> frozenset[str]:
    """Return the teams of who did an act, by the roster of the reviewer's own organisation."""
    known = None if roster is None or act.worker is None else roster.workers.get(act.worker)
    return frozenset() if known is None else known.teams


def is_own(reviewer: Reviewer, act: ReviewedAct, roster: Roster | None) -> bool:
    """Return whether the reviewer may not judge this act: it is his own, or his team's."""
    return own_act(reviewer, act) or own_team(reviewer, act, teams_of_worker=teams_of(act, roster))


async def acts_with(judged: ReviewedAct, acts: ActReader) -> tuple[ReviewedAct, ...]:
    """Return an act with those that belong to it: of an acute exception, its rest too, or what that is the rest of.

    Whoever is named in one of them is involved in all of them.
    """
    if judged.kind != EXCEPTION:
        return (judged,)
    found = {judged.index: judged}
    for handle in sorted(judged.own_handles):
        concerned = await acts.household(handle=handle, organisation=judged.organisation)
        found |= {act.index: act for act in concerned.own if act.kind == EXCEPTION}
    return tuple(found.values())


async def record_review(
    tell: Callable[[Register], Awaitable[Told]], *, act: Act, policies: Policies, clock: Clock,
    registers: RegisterReader, signals: SignalStore, answers: AnswerStore, log: Log,
    reading: CurrentReading[Any] | None = None,
) -> Answered:  # fmt: skip
    """Return what a reviewer is told, once his reading or his statement is itself an entry.

    Args:
        tell: makes what is told from committed state, anew each time it is called.
        act: the reading or the statement.
        reading: what of it was read before the tick; a shield since then makes it stale.

    Raises:
        RefusedError: openly refused, with its receipt. NotDoneError: it failed.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """

    async def decide() -> Outcome:
        # (1) What it relies on, and that the organisation may act.
        base = await signals.stamps(asked_stamps(act.requester.organisation))
        register = await registers.register()
        check_organisation(register, act)
        # (2) What is told, and what its entry says of it.
        answer = await tell(register)
        recording = Recording(
            outcome="refused" if answer.refused else "done",
            reason=answer.refused,
            bundle=policies.at(base).sha256,
            register=register.number,
            document=answer.document,
            subject={"schema": REVIEW_SCHEMA, **answer.subject},
        )
        status = AnswerStatus.REFUSED if answer.refused else AnswerStatus.DONE
        relied = base if reading is None else (*base, *reading.relies_on)
        return outcome_of(
            act, recording, Effects(relies_on=relied, note=answer.note, changes=answer.changes), status=status
        )

    # (3) Recorded, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


async def thresholds_of(organisation: str, notes: NoteReader) -> ThresholdHistory:
    """Return what this organisation's thresholds were, at any time."""
    kept = await notes.notes(organisation=organisation, kind=THRESHOLD)
    return ThresholdHistory.of(
        ThresholdChange(name=one.note.about, value=one.note.body["value"], reason=one.note.body["reason"], at=one.at)
        for one in kept
    )


async def flagged_acts(
    *, organisation: str, since: int, until: int, register: Register, acts: ActReader, notes: NoteReader
) -> tuple[tuple[ReviewedAct, ...], Mapping[int, tuple[Flag, ...]]]:
    """Return the acts of this time, and the flags of those among them that stand out."""
    found = await acts.acts(organisation=organisation, since=since - BASELINE_DAYS * DAY_S, until=until)
    persons = register.budget(organisation, CHECK_CLASS).worker.per_day
    flags = flags_of(
        (act for act in found if act.organisation == organisation),
        thresholds=await thresholds_of(organisation, notes),
        persons_per_day=persons,
        term_ends=working_day_after,
    )
    return tuple(act for act in found if act.at >= since), flags


async def kept_from(requester: Requester, acts: ActReader) -> frozenset[str]:
    """Return the handles of own signals that this reviewer is kept from by name: what was done on them is not his.

    The FG supervises, and sees that they are there: somebody has to judge them.
    """
    if requester.role == FG:
        return frozenset()
    return await acts.kept_from(organisation=requester.organisation, worker=requester.worker)


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What is needed to show acts: the ids of own signals by handle, the verdicts by act, and who looks."""

    reviewer: Reviewer
    roster: Roster | None
    signal_ids: Mapping[str, str]
    verdicts: Mapping[str, Sequence[KeptNote]]
    flags: Mapping[int, tuple[Flag, ...]]

    def all_of(self, acts: Iterable[ReviewedAct]) -> list[ActShown]:
        """Return these acts as they are shown."""
        return [self.one(act) for act in acts]

    def one(self, act: ReviewedAct) -> ActShown:
        """Return an act as it is shown: with ids of own signals, never a handle."""
        flags, kept = self.flags.get(act.index, ()), self.verdicts.get(str(act.index), ())
        return ActShown(
            index=act.index,
            at=act.at,
            kind=act.kind,
            type=act.type,
            organisation=act.organisation,
            worker=act.worker,
            role=act.role,
            approver=act.approver,
            team=act.team,
            purpose=act.purpose,
            grounds=list(act.grounds),
            bundle=act.bundle,
            outcome=act.outcome,
            reason=act.reason,
            shown=act.shown,
            signals=sorted(self.signal_ids[handle] for handle in act.handles if handle in self.signal_ids),
            flags=[FlagShown(kind=flag.kind, due_on=flag.due_on) for flag in flags],
            verdict=verdict_shown(kept, high=is_high(flag.kind for flag in flags)) if kept else None,
            own=is_own(self.reviewer, act, self.roster),
            exception=_exception_of(act),
        )


def _exception_of(act: ReviewedAct) -> ExceptionOfAct | None:
    """Return what the entry says of the exception it is about; None where it is about none, or one was refused."""
    if act.exception is None:
        return None
    members = {name: act.stated.get(name) for name in ExceptionOfAct.model_fields}
    tell_on = members["tell_on"]
    told = {
        "with_veilig_thuis": act.with_veilig_thuis,
        "tell_on": None if tell_on is None else date.fromisoformat(tell_on),
    }
    return ExceptionOfAct.model_validate({**members, **told}, by_alias=False, by_name=True)


def verdict_shown(verdicts: Sequence[KeptNote], *, high: bool) -> VerdictShown:
    """Return the last of these verdicts on one act as it is shown, and whether it takes a second reviewer."""
    kept = verdicts[-1]
    return VerdictShown(
        index=kept.index,
        at=kept.at,
        by=kept.note.worker,
        word=kept.note.body["verdict"],
        reason=kept.note.body["reason"],
        second=kept.note.body["verdict"] == IN_ORDER and not is_closed(verdicts, high=high),
    )
