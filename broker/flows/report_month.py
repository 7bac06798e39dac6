"""Count what the monthly report says; the partner writes the report (interfaces.md: no screens at the broker)."""

from dataclasses import dataclass
from datetime import date

from broker.domain.acts import ReviewNote
from broker.domain.errors import FieldRuleError
from broker.domain.figures import (
    NOT_RECORDED,
    Figure,
    figure,
    late_flags,
    looks_per_class,
    not_recorded,
    own_acts,
    shares,
)
from broker.domain.months import Period
from broker.domain.requests import Requester
from broker.domain.review import LOG_CHECK, REGION, REGION_FIGURES, REVIEWERS, SAMPLE, VERDICT, KeptNote
from broker.flows.act import Act
from broker.flows.current_reading import CurrentReading
from broker.flows.outcome import Answered
from broker.flows.policy import Policies
from broker.flows.request_rules import check_organisation
from broker.flows.review_acts import sampled
from broker.flows.reviewing import Told, check_role, flagged_acts, record_review, told
from broker.ports import AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.register import Register
from broker.protocol.review_messages import FigureShown, NoteShown
from broker.protocol.roster import Roster
from broker.review_ports import ActReader, NoteReader


async def report_month(
    *, month: str, use: str, requester: Requester, policies: Policies, clock: Clock, registers: RegisterReader,
    rosters: RosterReader, signals: SignalStore, acts: ActReader, notes: NoteReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """The figures of a month are counted and told, nothing under ten among them, and that is recorded; outcome `done`.

    Besides come the log checks of the month: when, by whom, and whether the log held.

    Raises:
        RoleNotAllowedError: neither privacyfunctionaris nor FG.
        FieldRuleError: the month has not begun.
        NotDoneError: it failed; with the receipt of its entry.
    """
    act = Act.reading("report_month", requester)
    # (1) Who, and a month that has begun.
    check_role(requester, REVIEWERS)
    check_organisation(await registers.register(), act)
    period = Period.of_month(month)
    if period.since > clock.now():
        raise FieldRuleError("month", "has not begun")

    async def read() -> _Counted:
        return await _count(
            period, organisation=requester.organisation, register=await registers.register(), clock=clock,
            roster=await rosters.roster(requester.organisation), acts=acts, notes=notes,
        )  # fmt: skip

    # (2) Counted before the tick, and again where something was shielded meanwhile.
    reading = CurrentReading(signals, read)
    await reading.current()

    async def tell(_: Register) -> Told:
        # (3) What was counted over the region is what was told of it first.
        counted = await reading.current()
        kept = await notes.notes(organisation=REGION, kind=REGION_FIGURES, about=month)
        region = _kept_figures(kept[0]) if kept else counted.region
        is_first = not kept and period.until <= clock.now()
        subject = {"report": month, "use": use}
        shown = [FigureShown(id=one.id, count=one.count, of=one.of, state=one.state) for one in (*region, *counted.own)]
        note = _region_note(region, month, requester) if is_first else None
        return told("review.report", subject=subject, note=note, figures=shown, notes=counted.checks)

    # (4) Reading is an entry too.
    return await record_review(
        tell, act=act, policies=policies, clock=clock, registers=registers, signals=signals, answers=answers, log=log,
        reading=reading,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    region: tuple[Figure, ...]
    own: tuple[Figure, ...]
    checks: list[NoteShown]


def _region_note(region: tuple[Figure, ...], month: str, requester: Requester) -> ReviewNote:
    figures = [{"id": one.id, "count": one.count, "of": one.of, "state": one.state} for one in region]
    return ReviewNote(
        organisation=REGION, worker=requester.worker, kind=REGION_FIGURES, about=month, body={"figures": figures},
        once=True,
    )  # fmt: skip


def _kept_figures(kept: KeptNote) -> tuple[Figure, ...]:
    return tuple(Figure(**one) for one in kept.note.body["figures"])


async def _count(
    period: Period, *, organisation: str, register: Register, roster: Roster | None, clock: Clock, acts: ActReader,
    notes: NoteReader,
) -> _Counted:  # fmt: skip
    region: tuple[Figure, ...] = ()
    if period.until <= clock.now():
        classes = {oin: known.org_class for oin, known in register.organisations.items()}
        looks = await acts.acts_by_organisation(since=period.since, until=period.until)
        region = looks_per_class(looks, await acts.signals_by_organisation(), classes)
    own = await _own_figures(
        period, organisation=organisation, register=register, roster=roster, today=clock.today(), acts=acts, notes=notes
    )
    checks = [
        NoteShown(
            index=one.index,
            at=one.at,
            by=one.note.worker,
            kind=one.note.kind,
            about=one.note.about,
            body=dict(one.note.body),
        )
        for one in await notes.notes(organisation=organisation, kind=LOG_CHECK)
        if period.since <= one.at < period.until
    ]
    return _Counted(region=region, own=own, checks=checks)


async def _own_figures(
    period: Period, *, organisation: str, register: Register, roster: Roster | None, today: date, acts: ActReader,
    notes: NoteReader,
) -> tuple[Figure, ...]:  # fmt: skip
    found, alone = await flagged_acts(
        organisation=organisation, since=period.since, until=period.until, register=register, acts=acts, notes=notes
    )
    samples = await notes.notes(organisation=organisation, kind=SAMPLE)
    own = [one for one in found if one.organisation == organisation]
    counts = await acts.signal_counts(organisation=organisation, today=today.isoformat())
    verdicts = await notes.notes(organisation=organisation, kind=VERDICT)
    known = frozenset() if roster is None else frozenset(roster.workers)
    registered = await acts.registered_by(organisation=organisation)
    drawn_at = {index: one.at for one in samples for index in one.note.body["drawn"] if not alone.get(index)}
    return (
        *own_acts(own, signals=counts.active),
        figure("signals", counts.active),
        *shares(counts.active, informed=counts.informed, deferred=counts.deferred),
        figure("deferred_overdue", counts.overdue, counts.deferred),
        figure("departed", sum(worker is not None and worker not in known for worker in registered)),
        *late_flags({**alone, **sampled(alone, samples)}, own, verdicts, today=today, drawn_at=drawn_at),
        *(not_recorded(name) for name in NOT_RECORDED),
    )
