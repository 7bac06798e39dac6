"""Wire models: what travels between partner, custodian and broker (docs/formats.md §5 and §6).

Strict pydantic models with closed members. They carry tokens as `WireToken`, whose representation is redacted, and
hold no free text.
"""

from typing import Annotated, Literal

from pydantic import Field

from broker.protocol.wire_types import (
    BATCH_SIZES,
    MAX_MEMBERS,
    SIGNALS_PER_PAGE,
    Day,
    Epoch,
    FamilyName,
    Id,
    Message,
    Oin,
    PointBatch,
    Proof,
    Sha256,
    Token,
    WireToken,
    Word,
)

__all__ = [
    "BATCH_SIZES",
    "SIGNALS_PER_PAGE",
    "Answer",
    "Assessment",
    "CheckHousehold",
    "CheckedHousehold",
    "Command",
    "Contact",
    "EvaluationAnswer",
    "EvaluationRequest",
    "FamilyAnswers",
    "FamilyPoints",
    "Holder",
    "Informing",
    "Match",
    "Message",
    "OwnSignal",
    "ParentToken",
    "RegisterSignal",
    "RenewSignal",
    "Result",
    "SignalHousehold",
    "StatutoryProof",
    "Telling",
    "TextRef",
    "WireOpening",
    "WireReceipt",
    "WireToken",
    "WithdrawSignal",
]


class FamilyPoints(Message):
    """The blinded points of one family: the real ones first, then random padding to 8, 16 or 32; none in an import."""

    family: FamilyName
    real: Annotated[int, Field(ge=0, le=max(BATCH_SIZES))]
    points: PointBatch


class EvaluationRequest(Message):
    """One evaluation call: one or more families, one ticket."""

    batch_id: Id
    operation: Literal["register", "check", "oproep"]
    budget_class: Literal["check", "urgent", "register", "import"]
    purpose: Word
    epoch: Epoch
    grant_id: Id | None
    families: Annotated[list[FamilyPoints], Field(min_length=1, max_length=4)]


class FamilyAnswers(Message):
    """The evaluated points of one family in the order asked, with one batched DLEQ proof."""

    family: FamilyName
    points: list[Token]
    proof: Proof


class EvaluationAnswer(Message):
    """What a custodian gives back: the answers and the ticket that covers them."""

    epoch: Epoch
    families: list[FamilyAnswers]
    ticket: Annotated[str, Field(max_length=8192)]


class ParentToken(Message):
    """A parent's token of family `fam` with where the relation comes from."""

    token: Token
    source: Literal["brp", "own", "stated"]


class SignalHousehold(Message):
    """What a signal stores of a household (D4)."""

    subject: Token
    parents: Annotated[list[ParentToken], Field(max_length=2)]
    address: Token | None


class CheckedHousehold(Message):
    """What a check looks at; `members` are looked up as subjects and never stored. At least one token is there."""

    subject: Token | None
    parents: Annotated[list[ParentToken], Field(max_length=2)]
    members: Annotated[list[Token], Field(max_length=MAX_MEMBERS)]
    address: Token | None


class Assessment(Message):
    """That a person judged this youth: when, and who (the worker's id at the broker)."""

    on: Day
    by: Word


class Informing(Message):
    """Whether the family knows; if not, a reason code and the day it is looked at again."""

    state: Literal["informed", "deferred"]
    reason: Literal["danger_to_child", "danger_to_other", "not_reachable", "investigation"] | None
    review_on: Day | None


Tickets = Annotated[list[Annotated[str, Field(max_length=8192)]], Field(max_length=4)]
Grounds = Annotated[list[Word], Field(min_length=1, max_length=3)]


class Command(Message):
    """What every request to the broker with a body states."""

    idempotency_key: Id
    controller: Oin
    case_ref: Sha256 | None


class RegisterSignal(Command):
    """Register an own signal; registering is asking (D5)."""

    purpose: Word
    grounds: Grounds
    team: Word
    epoch: Epoch
    household: SignalHousehold
    ends_on: Day
    age_quarter: Day | None
    assessment: Assessment | None
    informing: Informing | None
    tickets: Tickets


class RenewSignal(Command):
    """Give an own signal a new end date."""

    ends_on: Day


class WithdrawSignal(Command):
    """End an own signal."""

    reason: Literal["mistake", "no_longer_needed"]


class StatutoryProof(Message):
    """What stands behind a task in law: its kind, its first and last day, and its reference at the organisation.

    The reference is an HMAC under the organisation's own key: the broker reads no number of a report or an order.
    """

    kind: Word
    reference: Sha256
    since: Day
    ends_on: Day | None


class CheckHousehold(Command):
    """Look who is involved with a household."""

    purpose: Word
    grounds: Grounds
    team: Word
    epoch: Epoch
    household: CheckedHousehold
    proof: StatutoryProof | None = None
    tickets: Tickets


class Contact(Message):
    """The contact card of a team."""

    display_name: str
    phone: str
    working_days: str
    after_hours_phone: str | None
    stand_in: str | None


class Holder(Message):
    """An involved organisation and its team."""

    oin: Oin
    name: str
    team: Word
    contact: Contact | None


class Match(Message):
    """That an organisation is involved; never how often, since when, or why (D6)."""

    kind: Literal["person", "member", "family", "address"]
    level: Annotated[int, Field(ge=1, le=2)]
    holder: Holder


class OwnSignal(Message):
    """A signal in the list of the organisation that holds it."""

    signal_id: Id
    purpose: Word
    team: Word
    state: Literal["active", "frozen", "withdrawn", "ended"]
    ends_on: Day
    case_ref: Sha256 | None


class TextRef(Message):
    """A text of the Dutch catalogue by id, with its parameters."""

    id: Word
    params: dict[str, str]


class Result(Message):
    """What the asker is told.

    `shown` has matches, `nothing` was carried out and has nothing to show, `done` asked nothing, `sent` waits for
    somebody who decides himself.
    """

    schema_: Literal["result/v1"] = Field(alias="schema")
    outcome: Literal["shown", "nothing", "done", "sent"]
    signal_id: Id | None
    matches: list[Match]
    signals: list[OwnSignal] | None
    text: TextRef


class Telling(Message):
    """What the asker is told of an act that is no question about a household; each kind of it adds its own members.

    None of them is called `matches`: who is involved is told in a `result/v1` alone.
    """

    outcome: Literal["shown", "nothing", "done", "sent"]
    text: TextRef


class WireOpening(Message):
    """The key and padded payload of one group of an entry, base64url."""

    key: str
    payload: str


class WireReceipt(Message):
    """The log entry of this request with its proof (docs/audit-format.md)."""

    leaf: str
    proof: str
    openings: dict[Literal["meta", "actor"], WireOpening]
    uncosigned_since: int | None


class Answer(Message):
    """The whole body of a successful answer; `padding` hides how much there was to tell."""

    result: Result
    receipt: WireReceipt
    padding: Annotated[str, Field(pattern=r"^0*$")]
