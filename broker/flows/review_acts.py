"""Look through the acts of the own organisation: the queue of what stands out, or a timeline (D12, D17)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from broker.domain.acts import ActFilter, ReviewedAct
from broker.domain.flags import ORDINARY_TERM, Flag, is_high, local
from broker.domain.requests import Requester
from broker.domain.review import FG, REVIEWERS, SAMPLE, VERDICT, KeptNote, is_closed, verdicts_by_act
from broker.flows.act import Act
from broker.flows.current_reading import CurrentReading
from broker.flows.outcome import Answered
from broker.flows.policy import Policies
from broker.flows.request_rules import check_organisation
from broker.flows.reviewing import (
    Showing,
    Told,
    check_role,
    flagged_acts,
    kept_from,
    record_review,
    reviewer_of,
    told,
)
from broker.ports import AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.register import Register
from broker.protocol.review_messages import ACTS_PER_PAGE
from broker.review_ports import ActReader, NoteReader
from policies.workdays import working_day_after

SAMPLE_FLAG = "sample"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which acts are asked for: `queue` those that stand out and wait for a verdict; `after` an index to go on from.

    `use` says what for, as the reviewer states it: view, search, print or export.
    """

    filter: ActFilter
    queue: bool = False
    after: int | None = None
    use: str = "view"

    def subject(self, found: int) -> dict[str, object]:
        """Return what the entry of this reading says of it."""
        asked = self.filter
        stated = {
            "worker": asked.worker,
            "purpose": asked.purpose,
            "ground": asked.ground,
            "bundle": asked.bundle,
            "outcome": asked.outcome,
            "kind": asked.kind,
        }
        filters = {name: value for name, value in stated.items() if value is not None}
        period = {"since": asked.since, "until": asked.until, "after": self.after}
        return {"queue": self.queue, "use": self.use, **period, "filters": filters, "found": found}


async def review_acts(
    *, wanted: Wanted, requester: Requester, policies: Policies, clock: Clock, registers: RegisterReader,
    rosters: RosterReader, signals: SignalStore, acts: ActReader, notes: NoteReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """Acts of the own organisation are read, those that stand out marked so, and that is recorded; outcome `done`.

    What the FG does is for the FG alone to read: who is supervised does not read along with the supervisor.

    Raises:
        RoleNotAllowedError: neither privacyfunctionaris nor FG.
        NotDoneError: it failed; with the receipt of its entry.
        NotRecordedError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.reading("review_acts", requester)
    # (1) Who.
    check_role(requester, REVIEWERS)
    check_organisation(await registers.register(), act)

    async def read() -> _Found:
        return await _read(wanted, requester, register=await registers.register(), acts=acts, notes=notes)

    # (2) Everything heavy is read before the tick, so that nobody's answer waits for it.
    reading = CurrentReading(signals, read)
    await reading.current()

    async def tell(register: Register) -> Told:
        # (3) The newest verdicts, and what is left of the acts by them.
        found = await reading.current()
        flags = found.flags
        roster = await rosters.roster(requester.organisation)
        verdicts = verdicts_by_act(await notes.notes(organisation=requester.organisation, kind=VERDICT))
        chosen = [one for one in found.acts if requester.role == FG or one.role != FG]
        if wanted.queue:
            chosen = [one for one in chosen if waits(flags.get(one.index, ()), verdicts.get(str(one.index), []))]
        page = page_of(chosen, after=wanted.after)
        showing = Showing(
            reviewer=reviewer_of(requester, roster, register),
            roster=roster,
            signal_ids=found.signal_ids,
            verdicts=verdicts,
            flags=flags,
        )
        text = "review.queue" if wanted.queue else "review.acts"
        more = page[-1].index if page and page[-1].index != chosen[-1].index else None
        return told(text, subject=wanted.subject(len(page)), acts=showing.all_of(page), more_after=more)

    # (4) Reading is an entry too.
    return await record_review(
        tell, act=act, policies=policies, clock=clock, registers=registers, signals=signals, answers=answers, log=log,
        reading=reading,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    acts: Sequence[ReviewedAct]
    flags: Mapping[int, tuple[Flag, ...]]
    signal_ids: Mapping[str, str]


async def _read(
    wanted: Wanted, requester: Requester, *, register: Register, acts: ActReader, notes: NoteReader
) -> _Found:  # fmt: skip
    """Return the acts that are asked for; to the queue belongs besides whatever was drawn and waits, however old."""
    organisation, asked = requester.organisation, wanted.filter
    samples = await notes.notes(organisation=organisation, kind=SAMPLE)
    verdicts = verdicts_by_act(await notes.notes(organisation=organisation, kind=VERDICT))
    waiting = [one for one in samples if wanted.queue and _waits_for_verdicts(one, verdicts)]
    drawn = {index for one in waiting for index in one.note.body["drawn"]}
    since = min([asked.since, *(one.note.body["since"] for one in waiting)])
    found, flags = await flagged_acts(
        organisation=organisation, since=since, until=asked.until, register=register, acts=acts, notes=notes
    )
    kept = await kept_from(requester, acts)
    ids = await acts.signal_ids(organisation=organisation, shielded=requester.role == FG)
    return _Found(
        acts=[one for one in found if (asked.lets(one) or one.index in drawn) and not one.own_handles & kept],
        flags={**flags, **sampled(flags, samples)},
        signal_ids={handle: signal_id for handle, signal_id in ids.items() if handle not in kept},
    )


def _waits_for_verdicts(sample: KeptNote, verdicts: Mapping[str, Sequence[KeptNote]]) -> bool:
    drawn = sample.note.body["drawn"]
    return any(not is_closed(verdicts.get(str(index), []), high=True) for index in drawn)


def waits(flags: Sequence[Flag], verdicts: Sequence[KeptNote]) -> bool:
    """Return whether an act stands out and waits for a verdict, or for a second one."""
    return bool(flags) and not is_closed(verdicts, high=is_high(flag.kind for flag in flags))


def page_of(acts: Sequence[ReviewedAct], *, after: int | None) -> list[ReviewedAct]:
    """Return the acts after an index, so many at most."""
    return [one for one in acts if after is None or one.index > after][:ACTS_PER_PAGE]


def sampled(flags: Mapping[int, tuple[Flag, ...]], samples: Iterable[KeptNote]) -> dict[int, tuple[Flag, ...]]:
    """Return the flags of every act that was drawn, with that of the sample added."""
    added: dict[int, Flag] = {}
    for sample in samples:
        flag = Flag(kind=SAMPLE_FLAG, due_on=working_day_after(local(sample.at).date(), ORDINARY_TERM))
        added.update(dict.fromkeys(sample.note.body["drawn"], flag))
    return {index: (*flags.get(index, ()), flag) for index, flag in added.items()}
