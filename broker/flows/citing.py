"""What a letter cites besides a signal: a consent (D5) or an exception (D11) of its own organisation, and what it says.

A consent is weighed for each category and for this very other side. An exception counts for what it was invoked for,
by who invoked it, and for nothing else: beside anything else it is as if there were no dossier.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from broker.consent_ports import OwnConsent
from broker.domain.consent_standing import Standing, standing
from broker.domain.consents import Consent, ConsentState, Needed
from broker.domain.errors import FieldRuleError, NotFoundError
from broker.domain.exceptions import REST_S, TELLS_S, Dossier, ExceptionRecord, ExceptionType
from broker.exception_ports import OwnException
from broker.flows.consent_facts import CONSENT_KIND
from broker.flows.policy import PolicyInForce
from broker.letter_ports import OwnConsents, OwnExceptions
from broker.ports import OwnSignal, Stamp
from policies import AskFacts

NO_STANDING_YET = frozenset({"none"})
"""What consent stands beside: nothing else that entitles."""
SIGNAL_TOO = frozenset({"none", "own_signal"})
"""The same, where nothing but consent is claimed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedConsent:
    """An own record of consent, cited by a worker.

    `needed` says who must say yes, `alone` that nothing else is claimed as a ground.
    """

    own: OwnConsent
    needed: Needed
    alone: bool
    worker: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedException:
    """An own exception, cited by a worker at a moment (unix seconds) in a letter to an organisation.

    `signals` are the own signals that the letter names; as long as nobody said which, it opens nothing.
    """

    own: OwnException
    worker: str
    at: int
    signals: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """What one letter cites."""

    consent: CitedConsent | None = None
    exception: CitedException | None = None

    def about(self, signals: Iterable[str]) -> "Cited":
        """Return what is cited in a letter that names these own signals, by id: itself, or those of its match."""
        if self.exception is None:
            return self
        return replace(self, exception=replace(self.exception, signals=frozenset(signals)))

    def about_own(self, own: OwnSignal | None) -> "Cited":
        """Return what is cited in what rests on this own signal, or on none. See `about`."""
        return self.about(() if own is None else (own.signal.id,))

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        """The stamps of everything that was read: a decision relies on them."""
        about = None if self.consent is None else self.consent.own.about
        exception = () if self.exception is None else (self.exception.own.stamp,)
        return (*self.rests_on, *(() if about is None else (about.stamp,)), *exception)

    @property
    def rests_on(self) -> tuple[Stamp, ...]:
        """The stamps of what may still be taken back, so that the letter is withheld once it is.

        An exception is none: that its worker completes it, or invokes another, takes nothing back.
        """
        return () if self.consent is None else (self.consent.own.stamp,)

    @property
    def stated(self) -> dict[str, Any]:
        """What the entry says of it: ids alone."""
        consent, exception = self.consent, self.exception
        return {
            **({} if consent is None else {"consent": consent.own.consent.id}),
            **({} if exception is None else {"exception": exception.own.record.id}),
        }

    def known(self, facts: AskFacts, *, other: str) -> AskFacts:
        """Return the facts of one category with what is cited; `other` is the OIN of the other side."""
        if self.consent is not None:
            facts = _with_consent(facts, self.consent, other=other)
        if self.exception is not None and _is_of(self.exception, facts, other=other):
            facts = _with_exception(facts, self.exception)
        return facts


NOTHING_CITED = Cited()


async def cited_by(
    consent_id: str | None, exception_id: str | None, *, organisation: str, worker: str, at: int,
    grounds: tuple[str, ...], policy: PolicyInForce, consents: OwnConsents, exceptions: OwnExceptions,
) -> Cited:  # fmt: skip
    """Return what a worker's act cites at this moment.

    Raises:
        NotFoundError, FieldRuleError: as `cited_consent` and `cited_exception`.
    """
    return Cited(
        consent=await cited_consent(
            consent_id, organisation=organisation, worker=worker, grounds=grounds, policy=policy, consents=consents
        ),
        exception=await cited_exception(
            exception_id, organisation=organisation, worker=worker, at=at, exceptions=exceptions
        ),
    )


async def cited_consent(
    consent_id: str | None, *, organisation: str, worker: str, grounds: tuple[str, ...], policy: PolicyInForce,
    consents: OwnConsents,
) -> CitedConsent | None:  # fmt: skip
    """Return the own consent with this id, None where none is cited.

    Raises:
        NotFoundError: another organisation's, or none at all: all alike.
        FieldRuleError: consent is not among the grounds.
    """
    if consent_id is None:
        return None
    known = [policy.bundle.grounds[ground] for ground in grounds if ground in policy.bundle.grounds]
    claimed = [ground for ground in known if ground.kind == CONSENT_KIND]
    if not claimed:
        raise FieldRuleError("consentId", "is cited without consent as a ground")
    own = await consents.own(organisation=organisation, consent_id=consent_id)
    if own is None:
        raise NotFoundError
    return CitedConsent(own=own, needed=claimed[0].consenters, alone=len(claimed) == len(grounds), worker=worker)


async def cited_exception(
    exception_id: str | None, *, organisation: str, worker: str, at: int, exceptions: OwnExceptions
) -> CitedException | None:
    """Return the own exception with this id, None where none is cited.

    Raises:
        NotFoundError: another organisation's, or none at all: all alike.
    """
    if exception_id is None:
        return None
    own = await exceptions.own(organisation=organisation, exception_id=exception_id)
    if own is None:
        raise NotFoundError
    return CitedException(own=own, worker=worker, at=at)


def _with_consent(facts: AskFacts, cited: CitedConsent, *, other: str) -> AskFacts:
    said = _said(cited, [cited.own.consent], facts, other=other)
    if said.state is ConsentState.GIVEN and cited.own.about is not None:
        # What the organisation heard from the same person elsewhere may be a no; a yes there is not what was cited.
        said = _said(cited, cited.own.about.consents, facts, other=other)
    facts = replace(facts, consent=said.state.value, consent_by=said.by, age=said.age, custody=said.custody)
    beside = SIGNAL_TOO if cited.alone else NO_STANDING_YET
    if said.state is ConsentState.GIVEN and facts.standing in beside:
        return replace(facts, standing="consent")
    return facts


def _said(cited: CitedConsent, records: Iterable[Consent], facts: AskFacts, *, other: str) -> Standing:
    return standing(
        records, purpose=facts.purpose, category=facts.category, party=other, needed=cited.needed, day=facts.day,
        # A record that names nobody known here is held against no other: then a second person has seen it.
        approved=cited.own.about is None,
        reader=cited.worker,
    )  # fmt: skip


def _is_of(cited: CitedException, facts: AskFacts, *, other: str) -> bool:
    """Return whether the exception was invoked for exactly this: by whom, to whom, for what, about whom, how far.

    It tells one organisation, for so long, and no more once a reviewer found it not in order. A letter that names no
    signal is about those whom the exception names; one that names another person's is about somebody else.
    """
    record, told = cited.own.record, cited.own.told
    return (
        record.persons > 0
        and cited.signals is not None
        and cited.signals <= cited.own.signals
        and record.worker == cited.worker
        and not cited.own.rejected
        and told <= {other}
        and facts.level <= record.level
        and cited.at <= record.at + TELLS_S
        and record.recipient == facts.recipient
        and record.recipient_organisation in (None, other)
        and (record.purpose, record.category) == (facts.purpose, facts.category)
        and facts.grounds == (record.ground,)
    )


def _with_exception(facts: AskFacts, cited: CitedException) -> AskFacts:
    record = cited.own.record
    documented = record.rest or record.documented
    approved = facts.approval == "approved" or record.approved_by is not None
    deferral = None if documented is None else documented.deferral
    return replace(
        facts,
        dossier=_dossier_at(record, cited.at),
        # It was invoked while no other was open, and no other can be while it is.
        acute_open=False,
        approval="approved" if approved else "none",
        meldcode_approval=record.approval_asked,
        deferral=facts.deferral if deferral is None else deferral,
    )


def _dossier_at(record: ExceptionRecord, at: int) -> Dossier:
    """Return how far the dossier was when it was told; what is acute tells for a day, and then only with its rest.

    Handed out later it counts as it did: who completes a dossier takes nothing back.
    """
    if record.type is not ExceptionType.ACUTE or (record.rest_at is not None and record.rest_at <= at):
        return record.dossier()
    return "acuut" if at <= record.at + REST_S else "none"
