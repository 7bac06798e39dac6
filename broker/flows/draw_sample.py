"""Close the acts of a month, and draw a sample of them on the next day, so that nobody can pick it.

closed      an entry commits to every act of the month, and to those that stand out
next day    the first checkpoint of that day which a quorum of witnesses cosigned is the seed
drawn       an entry commits to the seed and to the sample; `sluis-audit sample` draws it again from files alone
"""

from collections.abc import Mapping, Sequence
from typing import Any

from audit.policy_file import Policy
from audit.sample import REJUDGED, draw, pick, seed_of
from broker.domain.acts import ReviewNote
from broker.domain.errors import FieldRuleError
from broker.domain.months import Period
from broker.domain.requests import Requester
from broker.domain.review import POPULATION, REVIEWERS, SAMPLE, VERDICT, KeptNote
from broker.flows.act import Act
from broker.flows.outcome import Answered
from broker.flows.policy import Policies
from broker.flows.request_rules import check_organisation
from broker.flows.reviewing import Told, check_role, flagged_acts, record_review, told
from broker.ports import AnswerStore, Clock, Log, RegisterReader, SignalStore
from broker.protocol.register import Register
from broker.protocol.review_messages import DrawSample, SampleShown
from broker.review_ports import ActReader, CheckpointReader, NoteReader

MARGIN_S = 3_600
"""Seconds that lie at least between the closing of a month and the day of its seed, whatever the clocks do."""

SEED_DAYS = 7
"""Days in which the first cosigned checkpoint is looked for: nearly always it is the first of the first of them. When
neither log nor witnesses worked for so long there is no sample of that month."""


async def draw_sample(
    *, command: DrawSample, requester: Requester, policies: Policies, log_policy: Policy, clock: Clock,
    registers: RegisterReader, signals: SignalStore, acts: ActReader, notes: NoteReader, checkpoints: CheckpointReader,
    answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """The month is closed at the first asking, and its sample drawn at one after the next day; outcome `done`.

    A month is closed once and drawn once. Asked again the same sample is shown.

    Raises:
        RoleNotAllowedError: neither privacyfunctionaris nor FG.
        FieldRuleError: the month is not over.
        NotDoneError: it failed; with the receipt of its entry.
    """
    act = Act.reviewing("draw_sample", command, requester)
    # (1) Who, and a month that is over.
    check_role(requester, REVIEWERS)
    register = await registers.register()
    check_organisation(register, act)
    period = Period.of_month(command.month)
    if period.until > clock.now():
        raise FieldRuleError("month", "is not over")
    # (2) Its acts, read before the tick and only where it is not closed yet.
    organisation, month = requester.organisation, command.month
    closed = await notes.notes(organisation=organisation, kind=POPULATION, about=month)
    population: Sequence[int] = ()
    flagged: Sequence[int] = ()
    if not closed:
        found, flags = await flagged_acts(
            organisation=organisation, since=period.since, until=period.until, register=register, acts=acts,
            notes=notes,
        )  # fmt: skip
        population = [one.index for one in found if one.asks and one.organisation == organisation]
        flagged = [index for index in population if flags.get(index)]

    async def tell(_: Register) -> Told:
        # (3) Drawn before: the same sample. (4) Not closed: closed now. (5) Closed: drawn, once its seed is there.
        drawn = await notes.notes(organisation=organisation, kind=SAMPLE, about=month)
        kept = await notes.notes(organisation=organisation, kind=POPULATION, about=month)
        if drawn:
            return _told("review.sample", drawn[0].note.body, requester)
        if not kept:
            day = Period.days_after(clock.now(), margin_s=MARGIN_S, days=SEED_DAYS)
            given = await notes.notes(organisation=organisation, kind=VERDICT)
            verdicts = [one.index for one in given if period.since <= one.at < period.until]
            lists = {"population": list(population), "flagged": list(flagged), "verdicts": verdicts}
            body = _closed(organisation, month, period, day, lists)
            return _told("review.closed", body, requester, kind=POPULATION)
        return await _drawn(kept[0], requester, log_policy=log_policy, checkpoints=checkpoints)

    # (6) Recorded in one transaction with what it closes or draws, and only then told.
    return await record_review(
        tell, act=act, policies=policies, clock=clock, registers=registers, signals=signals, answers=answers, log=log
    )


async def _drawn(
    closed: KeptNote, requester: Requester, *, log_policy: Policy, checkpoints: CheckpointReader
) -> Told:  # fmt: skip
    """Return the sample by its seed, or that its day has no cosigned checkpoint yet."""
    body = closed.note.body
    seed = await checkpoints.first_cosigned(since=body["seedFrom"], until=body["seedUntil"])
    if seed is None:
        return _told("review.sample_waits", {**body, "closed": closed.index}, requester)
    key = seed_of(seed.note, log_policy.log.key)
    drawn = list(draw(key, body["population"], body["flagged"]))
    rejudge = list(pick(key, body["verdicts"], REJUDGED))
    whole = {**body, "closed": closed.index, "seed": seed.note, "drawn": drawn, "rejudge": rejudge}
    return _told("review.sample", whole, requester, kind=SAMPLE)


def _closed(
    organisation: str, month: str, period: Period, day: Period, lists: Mapping[str, list[int]]
) -> dict[str, Any]:
    return {
        "schema": "sample/v1",
        "organisation": organisation,
        "month": month,
        "since": period.since,
        "until": period.until,
        **lists,
        "seedFrom": day.since,
        "seedUntil": day.until,
        "closed": None,
        "seed": None,
        "drawn": [],
        "rejudge": [],
    }


def _told(text: str, body: Mapping[str, Any], requester: Requester, *, kind: str | None = None) -> Told:
    """Return this state of the sample, kept as a note where it is new."""
    note = None
    if kind is not None:
        note = ReviewNote(
            organisation=requester.organisation,
            worker=requester.worker,
            kind=kind,
            about=str(body["month"]),
            body=body,
            once=True,
        )
    subject = {"month": body["month"], "population": len(body["population"]), "drawn": len(body["drawn"])}
    return told(text, subject=subject, note=note, sample=SampleShown.model_validate(dict(body)))
