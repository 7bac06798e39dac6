"""List the letters of which an organisation is a side, as far as each may be told now; what they say is fetched."""

from collections.abc import Iterable, Mapping
from datetime import date

from broker.domain.information_requests import InformationRequest
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.holding import as_told
from broker.flows.household_question import asked_stamps
from broker.flows.kept_letters import kept_from
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.reading_ahead import Ahead, deciding_once, read_ahead
from broker.flows.recording import decide_and_record
from broker.flows.request_of import OnRequest
from broker.flows.request_rules import check_organisation, check_worker
from broker.flows.shown_requests import requests_document, shown
from broker.flows.unwatched import stopped
from broker.flows.withholding import Basis, bases
from broker.letter_ports import BasisReader
from broker.ports import REGISTER, AnswerStatus, AnswerStore, Clock, Log, RegisterReader, SignalStore, Stamp
from broker.protocol.register import Organisation, Register
from broker.protocol.request_messages import REQUESTS_PER_PAGE, RequestShown
from broker.request_ports import RequestReader

_Read = tuple[InformationRequest, Ahead]
"""A letter, and what was read ahead of what it rests on."""


async def list_requests(
    *, requester: Requester, after: str | None, policies: Policies, clock: Clock, registers: RegisterReader,
    signals: SignalStore, resting: BasisReader, requests: RequestReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """At most `REQUESTS_PER_PAGE` own requests are read, sent and received, and that is recorded; outcome `done`.

    Raises:
        NotDoneError: it failed, or nobody has watched the log for too long; with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.reading("list_requests", requester)

    async def decide() -> Outcome:
        # (1) Who.
        check_worker(requester)
        base = await signals.stamps((*asked_stamps(requester.organisation), REGISTER))
        policy, register = policies.at(base), await registers.register()
        organisation = check_organisation(register, act)
        # (2) Nobody has watched the log for too long: nobody is told on its word who asks, or tells.
        if log.disclosures_stopped():
            return stopped(act, bundle=policy.sha256)
        # (3) The requests of which his organisation is a side, without what is in them, but for those kept from him.
        page, stamps = await _page(requester, after or "", requests=requests, resting=resting)
        # (4) What one rests on may have changed since it was written: then no more is told of it than that.
        found, current = await bases([one for one, _ in page], signals=signals)
        looks = _looks(page, found, of=(act, organisation, deciding_once(policy), register), today=clock.today())
        lines = [
            await as_told(
                on, clock=clock, signals=ahead.signals, matches=ahead.matches, consents=ahead.consents,
                exceptions=ahead.exceptions,
            )
            for on, ahead in looks
        ]  # fmt: skip
        document = requests_document(text="letter.list", requests=[_line(on) for on in lines])
        recording = Recording(outcome="done", bundle=policy.sha256, register=register.number, document=document)
        read = dict.fromkeys((*stamps, *current, *(stamp for on in lines for stamp in on.relies_on)))
        return outcome_of(act, recording, Effects(relies_on=(*base, *read)), status=AnswerStatus.DONE)

    # (5) Recorded, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _looks(
    page: Iterable[_Read], found: Mapping[str, Basis], *,
    of: tuple[Act, Organisation, PolicyInForce, Register], today: date,
) -> tuple[tuple[OnRequest, Ahead], ...]:  # fmt: skip
    """Return the look of one organisation at each letter, `found` the basis of each by its id."""
    act, organisation, policy, register = of
    return tuple(
        (
            OnRequest(
                act=act, request=one, organisation=organisation, policy=policy, register=register, today=today,
                basis=found[one.id], relies_on=(),
            ),
            ahead,
        )
        for one, ahead in page
    )  # fmt: skip


def _line(on: OnRequest) -> RequestShown:
    return shown(
        on.request, to=on.organisation.oin, register=on.register, policy=on.policy, today=on.today, basis=on.basis
    )


async def _page(
    requester: Requester, after: str, *, requests: RequestReader, resting: BasisReader
) -> tuple[tuple[_Read, ...], tuple[Stamp, ...]]:
    """Return the next requests that are not kept from him, a page where there are as many, and the stamps of all."""
    page: list[_Read] = []
    stamps: dict[Stamp, None] = {}
    while len(page) < REQUESTS_PER_PAGE:
        found = await requests.requests(
            organisation=requester.organisation, after=after, at_most=REQUESTS_PER_PAGE
        )  # fmt: skip
        ahead = await read_ahead(found, organisation=requester.organisation, resting=resting)
        for one in found:
            kept, read = await kept_from(one, requester, signals=ahead.signals, matches=ahead.matches)
            stamps |= dict.fromkeys(read)
            page += [] if kept else [(one, ahead)]
        if len(found) < REQUESTS_PER_PAGE:
            break
        after = found[-1].id
    return tuple(page[:REQUESTS_PER_PAGE]), tuple(stamps)
