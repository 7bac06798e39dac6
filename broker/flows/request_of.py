"""What every act on an existing request begins with: who acts, and that the request is his organisation's."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from broker.domain.errors import NotFoundError
from broker.domain.information_requests import InformationRequest
from broker.flows.act import Act
from broker.flows.changing_match import in_team
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.kept_letters import kept_from
from broker.flows.letters import refused_openly, subject_of
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.policy import Policies, PolicyInForce
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation, check_worker
from broker.flows.shown_requests import requests_document, shown
from broker.flows.withholding import Basis, bases
from broker.match_ports import MatchReader
from broker.ports import (
    REGISTER,
    AnswerStatus,
    AnswerStore,
    Clock,
    Log,
    RegisterReader,
    SignalStore,
    Stamp,
    StampKey,
    StampKind,
)
from broker.protocol.register import Organisation, Register
from broker.protocol.roster import Roster
from broker.request_ports import RequestReader, request_key

OF_ANOTHER_TEAM = "request-of-another-team"
UNKNOWN = "not-found"
ANSWERING = "answer"
"""The kind of act that is recorded whatever id it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnRequest:
    """A request of which the acting organisation is a side, with everything a decision on it relies on."""

    act: Act
    request: InformationRequest
    organisation: Organisation
    policy: PolicyInForce
    register: Register
    today: date
    basis: Basis
    relies_on: tuple[Stamp, ...]
    handles: tuple[str, ...] = ()
    """Search handles of the signals that it rests on, so that it is found with their household."""
    own_handles: tuple[str, ...] = ()
    """Those of them that are the acting organisation's own, by which it is reviewed."""

    @property
    def received(self) -> bool:
        """Whether the acting organisation is the receiver."""
        return self.organisation.oin == self.request.receiver

    @property
    def other(self) -> Organisation | None:
        """The other side as the register has it; None where it stands there no more."""
        oin = self.request.sender if self.received else self.request.receiver
        return self.register.organisations.get(oin)

    @property
    def other_key(self) -> StampKey:
        """Under which the other side's standing changes: a suspension is one."""
        oin = self.request.sender if self.received else self.request.receiver
        return StampKey(kind=StampKind.ORGANISATION, key=oin.encode("ascii"))

    def of_another_team(self, roster: Roster | None) -> str | None:
        """Return the problem of a worker who would read or answer another team's letter; None where it is his.

        It is his own who sent it, or who is named to answer; who is in no team by the roster acts for all of them.
        """
        request, requester = self.request, self.act.requester
        his = request.receiver_worker if self.received else request.sender_worker
        team = request.receiver_team if self.received else request.sender_team
        return None if his == requester.worker or in_team(team, requester, roster) else OF_ANOTHER_TEAM

    def refuse(self, problem_id: str) -> Outcome:
        """Return that this may not be done, told as its own problem and recorded."""
        return refused_openly(
            self.act, problem_id, policy=self.policy, register=self.register, relies_on=self.relies_on,
            subject=subject_of(self.request.id),
        )  # fmt: skip

    def done(
        self, after: InformationRequest, effects: Effects, *, text: str, decision: Mapping[str, object] | None = None,
        of: str | None = None, box: bytes | None = None, chunk: bytes | None = None,
        params: Mapping[str, str] | None = None, **stated: object,
    ) -> Outcome:  # fmt: skip
        """Return the outcome: what it is like afterwards is told, and its entry says what was done."""
        told = shown(
            after, to=self.organisation.oin, register=self.register, policy=self.policy, today=self.today,
            basis=self.basis,
        )  # fmt: skip
        recording = Recording(
            outcome="done", bundle=self.policy.sha256, register=self.register.number, decision=decision,
            document=requests_document(text=text, params=params, requests=[told], of=of, box=box, chunk=chunk),
            subject=subject_of(self.request.id, **stated), own_handles=self.own_handles, handles=self.handles,
        )  # fmt: skip
        return outcome_of(self.act, recording, effects, status=AnswerStatus.DONE)


async def act_on_request(
    decide: Callable[[OnRequest], Awaitable[Outcome]], *, act: Act, request_id: str, receiver_only: bool | None,
    policies: Policies, clock: Clock, registers: RegisterReader, signals: SignalStore, matches: MatchReader,
    requests: RequestReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """Return what is told of an act on a request, once it is recorded.

    Args:
        decide: what is done, from committed state.
        receiver_only: whether only its receiver does this, or only its sender; None for both.

    Raises:
        NotFoundError: another organisation's request, another side's act, one that is kept from this worker, or none
            at all: all alike. Answering such a one is recorded, without a receipt.
        RefusedError, NotDoneError: with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """

    async def decide_on_it() -> Outcome:
        # (1) Who acts, and that what is read below is of one moment.
        requester = act.requester
        check_worker(requester)
        base = await signals.stamps((*asked_stamps(requester.organisation), REGISTER, request_key(request_id)))
        register = await registers.register()
        organisation = check_organisation(register, act)
        # (2) His organisation's own request, of the side that does this.
        policy, today = policies.at(base), clock.today()
        request = await requests.request(organisation=requester.organisation, request_id=request_id)
        if request is not None and receiver_only not in (None, request.receiver == requester.organisation):
            request = None
        kept, read = (True, ()) if request is None else await kept_from(
            request, requester, signals=signals, matches=matches
        )  # fmt: skip
        if request is None or kept:
            if act.kind != ANSWERING:
                raise NotFoundError
            return unknown(act, request_id, policy=policy, register=register, relies_on=(*base, *read))
        found, current = await bases([request], signals=signals)
        return await decide(
            OnRequest(
                act=act,
                request=request,
                organisation=organisation,
                policy=policy,
                register=register,
                today=today,
                basis=found[request.id],
                relies_on=(*base, *current, *read),
            )
        )

    return await decide_and_record(
        decide_on_it, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def unknown(
    act: Act, request_id: str, *, policy: PolicyInForce, register: Register, relies_on: tuple[Stamp, ...]
) -> Outcome:  # fmt: skip
    """Return the outcome of answering what is no question to the own organisation, whoever's it is, or none at all.

    It is recorded, so that who tries ids leaves a trace for his own reviewer, and told as any unknown id (red line 9).
    Nothing is kept under its key: the same id asked again is as unknown.
    """
    outcome = refused_openly(
        replace(act, key=None), UNKNOWN, policy=policy, register=register, relies_on=relies_on,
        subject=subject_of(request_id),
    )  # fmt: skip
    return replace(outcome, unknown=True)
