"""Wire models of exceptions: to whom, on what type, and what the sealed dossier at the partner answers.

Strict and closed as every message; no free text. The dossier itself never travels: `commitment` is a hash over it.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from broker.protocol.messages import Command, Telling, Tickets, WireReceipt
from broker.protocol.wire_types import Day, Epoch, Id, Message, Oin, Sha256, Token, Word

EXCEPTIONS_PER_PAGE = 50
MAX_SUBJECTS = 8
"""Persons that one exception is about at most: a household."""
TICKET_PURPOSE = "nood"
"""The purpose of the tickets that cover its tokens, whatever the exception is routed to."""
Question = Literal[
    "consent_tried", "conscience", "no_other_way", "serious_harm", "averts_harm", "least_possible",
    "patients_interest", "colleague_consulted", "recipient_known", "told_later",
]  # fmt: skip
TypeWord = Literal["cvp", "vitaal", "therapeutisch", "acuut"]


class DocumentedDossier(Message):
    """What the dossier at the partner holds: which questions it answers, and whom the worker consulted.

    `tellOn` is the day on which the person is told; with a `deferral` the day on which that is looked at again.
    """

    commitment: Sha256
    answered: Annotated[list[Question], Field(max_length=10)]
    consulted: Word | None
    consulted_veilig_thuis: bool
    tell_on: Day | None
    deferral: Literal["UAVG-41", "BW-7:448-TE", "JW-7.3.2-3"] | None
    meldcode_step: Annotated[int, Field(ge=1, le=5)]


class InvokeException(Command):
    """Tell without consent where no law allows it; in acute danger without a dossier, which then follows in a day.

    It is about the persons of `subjects`, tokens under `epoch` with their tickets, and about that of an own signal. One
    that names nobody is recorded and reviewed all the same, and no letter rests on it.
    """

    type: TypeWord
    recipient: Word
    recipient_organisation: Oin | None
    team: Word
    category: Word
    level: Annotated[int, Field(ge=1, le=4)]
    reason: Literal["danger_to_child", "danger_to_adult", "danger_to_self", "danger_to_worker", "harm_to_patient"]
    dossier: DocumentedDossier | None
    epoch: Epoch | None = None
    subjects: Annotated[list[Token], Field(max_length=MAX_SUBJECTS)] = Field(default_factory=list)
    signal_id: Id | None = None
    tickets: Tickets = Field(default_factory=list)


class CompleteException(Command):
    """The rest of what was acute: the dossier, and with whom it was talked over."""

    dossier: DocumentedDossier


class ExceptionShown(Message):
    """One own exception, and what it still owes; `persons` says about how many it is."""

    exception_id: Id
    type: TypeWord
    recipient: Word
    ground: Word
    purpose: Word
    at: Annotated[int, Field(ge=0)]
    dossier: Literal["none", "documented", "complete", "acuut"]
    rest_due: Annotated[int, Field(ge=0)] | None
    late: bool
    persons: Annotated[int, Field(ge=0)]
    case_ref: Sha256 | None


class ExceptionResult(Telling):
    """What who invokes, completes or lists exceptions is told; `exceptions` are own ones only."""

    schema_: Literal["exception/v1"] = Field(alias="schema")
    exceptions: list[ExceptionShown]


class ExceptionAnswer(Message):
    """The whole body of a successful answer."""

    result: ExceptionResult
    receipt: WireReceipt
    padding: Annotated[str, Field(pattern=r"^0*$")]


def exception_document(members: dict[str, Any]) -> dict[str, Any]:
    """Return an `exception/v1` in wire form."""
    return ExceptionResult.model_validate({"schema": "exception/v1", **members}).model_dump(mode="json", by_alias=True)
