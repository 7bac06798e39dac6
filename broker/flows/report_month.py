"""Count what the monthly report says; the partner writes the report (interfaces.md: no screens at the broker)."""

from broker.domain.errors import FieldRuleError
from broker.domain.figures import (
    NOT_RECORDED,
    Figure,
    figure,
    late_flags,
    looks_per_class,
    not_recorded,
    own_acts,
)
from broker.domain.months import Period
from broker.domain.requests import Requester
from broker.domain.review import LOG_CHECK, REVIEWERS, VERDICT
from broker.flows.act import Act
from broker.flows.outcome import Answered
from broker.flows.policy import Policies
from broker.flows.request_rules import check_organisation
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
    register = await registers.register()
    check_organisation(register, act)
    period = Period.of_month(month)
    if period.since > clock.now():
        raise FieldRuleError("month", "has not begun")
    # (2) Counted before the tick.
    figures = await _figures(
        period, organisation=requester.organisation, register=register,
        roster=await rosters.roster(requester.organisation), clock=clock, acts=acts, notes=notes,
    )  # fmt: skip
    checks = [
        NoteShown(
            index=one.index,
            at=one.at,
            by=one.note.worker,
            kind=one.note.kind,
            about=one.note.about,
            body=dict(one.note.body),
        )
        for one in await notes.notes(organisation=requester.organisation, kind=LOG_CHECK)
        if period.since <= one.at < period.until
    ]
    shown = [FigureShown(id=one.id, count=one.count, of=one.of, state=one.state) for one in figures]

    async def tell(_: Register) -> Told:
        return told("review.report", subject={"report": month, "use": use}, figures=shown, notes=checks)

    # (3) Reading is an entry too.
    return await record_review(
        tell, act=act, policies=policies, clock=clock, registers=registers, signals=signals, answers=answers, log=log
    )


async def _figures(
    period: Period, *, organisation: str, register: Register, roster: Roster | None, clock: Clock, acts: ActReader,
    notes: NoteReader,
) -> tuple[Figure, ...]:  # fmt: skip
    found, flags = await flagged_acts(
        organisation=organisation, since=period.since, until=period.until, register=register, acts=acts, notes=notes
    )
    own = [one for one in found if one.organisation == organisation]
    today = clock.today()
    counts = await acts.signal_counts(organisation=organisation, today=today.isoformat())
    looks = await acts.acts_by_organisation(since=period.since, until=period.until)
    verdicts = await notes.notes(organisation=organisation, kind=VERDICT)
    classes = {oin: known.org_class for oin, known in register.organisations.items()}
    known = frozenset() if roster is None else frozenset(roster.workers)
    registered = await acts.registered_by(organisation=organisation)
    return (
        *own_acts(own, signals=counts.active),
        *looks_per_class(looks, await acts.signals_by_organisation(), classes),
        figure("signals", counts.active),
        figure("informed", counts.informed, counts.active),
        figure("deferred", counts.deferred, counts.active),
        figure("deferred_overdue", counts.overdue, counts.active),
        figure("departed", sum(worker is not None and worker not in known for worker in registered)),
        *late_flags(flags, own, verdicts, today=today),
        *(not_recorded(name) for name in NOT_RECORDED),
    )
