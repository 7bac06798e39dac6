"""Wire models of consent: who was asked about whom, in which capacity, and what he answered.

Strict and closed as every message; no name and no free text. Who answers is an HMAC under the organisation's own key;
the paper, the signature and the note of what was said stay with the partner.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from broker.protocol.messages import Command, Telling, Tickets, WireReceipt
from broker.protocol.wire_types import Day, Epoch, Id, Message, Oin, Sha256, Token, Word

CONSENTS_PER_PAGE = 50
"""Own consents in one answer at most; who gets as many asks on after the last."""
MAX_ANSWERS = 6
MAX_PARTIES = 8

Age = Literal["under12", "12to15", "16to17", "18to22", "from23"]
CapacityWord = Literal["person", "guardian", "mentor", "curator", "gemachtigde"]
StateWord = Literal["unknown", "given", "refused", "withdrawn", "expired"]
NotAsked = Literal["unreachable", "danger", "unable", "other_ground"]
Confirmation = Literal["given", "to_send", "unsafe"]
Parties = Annotated[list[Oin], Field(max_length=MAX_PARTIES)]
Second = Annotated[int, Field(ge=0)]


class ProofOfAnswer(Message):
    """How somebody answered. `spokenWith` is the worker's id at the broker, `reference` the partner's own."""

    kind: Literal["paper", "signature", "spoken"]
    reference: Sha256 | None
    spoken_with: Word | None
    interpreter: Literal["none", "professional", "by_phone", "relative"]


class PersonAnswer(Message):
    """The line of one person whose answer counts; nothing is filled in beforehand."""

    who: Sha256
    capacity: CapacityWord
    answer: Literal["asked", "given", "refused", "not_asked"]
    reason: NotAsked | None
    custody: Literal["none", "stated", "brp", "gezagsregister", "court_decision"]
    custody_ref: Sha256 | None
    proof: ProofOfAnswer | None
    until: Day | None
    suspect: bool


class RecordConsent(Command):
    """Record what was asked about one person: by a token with tickets, by an own signal, or by neither.

    `guardians` says how many have custody, by where that was looked up; as long as nobody did, two.
    `confirmation` says what the resident gets: it was given to him, it is still to be sent, or that is unsafe.
    `stated_at` is when the worker stated it, in unix seconds; left out, when it arrives. What waited for a connection
    is no answer to what was said meanwhile.
    """

    purpose: Word
    team: Word
    epoch: Epoch
    subject: Token | None
    signal_id: Id | None
    categories: Annotated[list[Word], Field(min_length=1, max_length=8)]
    parties: Annotated[list[Oin], Field(min_length=1, max_length=MAX_PARTIES)]
    age: Age
    age_ends_on: Day | None
    unable: bool
    contested: bool
    guardians: Annotated[int, Field(ge=1, le=2)] = 2
    answers: Annotated[list[PersonAnswer], Field(min_length=1, max_length=MAX_ANSWERS)]
    confirmation: Confirmation
    review_on: Day | None
    stated_at: Second | None = None
    tickets: Tickets = Field(default_factory=list)


class AnswerConsent(Command):
    """Add answers to an own record; the earlier ones stay. `stated_at` as in `RecordConsent`."""

    answers: Annotated[list[PersonAnswer], Field(min_length=1, max_length=MAX_ANSWERS)]
    stated_at: Second | None = None


class WithdrawConsent(Command):
    """Note that a person takes his yes back: for these parties, or for all where none is named."""

    who: Sha256
    capacity: CapacityWord
    parties: Parties
    by: Literal["phone", "in_person", "letter", "online"]


class PersonShown(Message):
    """The last answer of one person, as the organisation itself recorded it; `reason` of who was not asked.

    `expired` is a yes of which the last day has passed, or that somebody else gives since the person came of age.
    """

    who: Sha256
    capacity: CapacityWord
    answer: Literal["asked", "given", "refused", "withdrawn", "expired", "not_asked"]
    reason: NotAsked | None
    at: Annotated[int, Field(ge=0)]
    until: Day | None


class PartyShown(Message):
    """How it stands towards one named organisation, and until when it is given.

    `state` is what counts, by all own records about this person; `in_record` what this record says by itself, and
    `no_in` the record that says no where this one says yes.
    """

    oin: Oin
    state: StateWord
    until: Day | None
    in_record: StateWord
    no_in: Id | None


class ConsentShown(Message):
    """One own record, and how it stands today.

    `confirmation` is what the resident has: `unsafe` also where who asks shields this person himself.
    """

    consent_id: Id
    purpose: Word
    team: Word
    categories: list[Word]
    parties: list[PartyShown]
    persons: list[PersonShown]
    approved: bool
    confirmation: Confirmation
    review_on: Day | None
    recorded_on: Day
    case_ref: Sha256 | None


class ConsentResult(Telling):
    """What who records, changes or lists consents is told; `consents` are own ones only."""

    schema_: Literal["consent/v1"] = Field(alias="schema")
    consents: list[ConsentShown]


class ConsentAnswer(Message):
    """The whole body of a successful answer."""

    result: ConsentResult
    receipt: WireReceipt
    padding: Annotated[str, Field(pattern=r"^0*$")]


def consent_document(members: dict[str, Any]) -> dict[str, Any]:
    """Return a `consent/v1` in wire form."""
    return ConsentResult.model_validate({"schema": "consent/v1", **members}).model_dump(mode="json", by_alias=True)
