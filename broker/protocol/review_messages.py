"""Wire models of the review: what a reviewer states, and what he is shown of his own organisation's acts.

Strict and closed as every message; no free text. The broker names workers by their pairwise ids only: names are joined
by the partner, from its own list.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from broker.protocol.erasure_messages import ErasureShown
from broker.protocol.messages import Command, Telling, TextRef, WireReceipt
from broker.protocol.wire_types import Day, Id, Message, Oin, Sha256, Word

ACTS_PER_PAGE = 200
"""Acts in one answer at most; who gets as many asks on after the last."""

Index = Annotated[int, Field(ge=0, le=2**53 - 1)]
Instant = Annotated[int, Field(ge=0, le=2**40)]
Month = Annotated[str, Field(pattern=r"^2[0-9]{3}-(0[1-9]|1[0-2])$")]
Use = Literal["view", "search", "print", "export"]
VerdictWord = Literal["in_order", "asked", "not_in_order"]


class GiveVerdict(Command):
    """Judge one act: in order, asked (the worker is asked why), or not in order; with a reason as a code."""

    act: Index
    verdict: VerdictWord
    reason: Literal[
        "work_explains", "colleague_confirmed", "no_case", "wrong_ground", "private", "mistake", "unanswered", "other"
    ]


class RejudgeVerdict(Command):
    """Say, as FG, whether one would have judged so too; it changes no verdict. `verdict` is the index of its entry."""

    verdict: Index
    agrees: bool


class ChangeThreshold(Command):
    """Give a threshold another value, with a reason as a code."""

    name: Word
    value: Annotated[int, Field(ge=0, le=100_000)]
    reason: Literal["too_many_unfounded", "too_few_found", "working_hours_changed", "work_changed", "after_incident"]


class DrawSample(Command):
    """Close the acts of a past month, and on the next day draw the sample of them."""

    month: Month


class NoteLogCheck(Command):
    """State that the published log was verified at this size and root, and whether it held."""

    size: Annotated[int, Field(ge=1, le=2**53 - 1)]
    root: Sha256
    holds: bool


class FlagShown(Message):
    """Why an act stands out, and until when that is judged."""

    kind: Word
    due_on: Day


class VerdictShown(Message):
    """The last verdict on an act. `index` is that of its entry; `second`: another reviewer must find so too."""

    index: Index
    at: Instant
    by: Word
    word: VerdictWord
    reason: Word
    second: bool


class ExceptionOfAct(Message):
    """What the entry says of the exception that an act invoked or completed; the dossier itself lies at the partner.

    `commitment` is the name under which the partner keeps the sealed dossier; null until there is one.
    """

    id: Id
    type: Word | None
    recipient: Word | None
    recipient_organisation: Oin | None
    category: Word | None
    reason: Word | None
    persons: int | None
    commitment: Sha256 | None
    consulted: Word | None
    with_veilig_thuis: bool
    tell_on: Day | None
    deferral: Word | None
    meldcode_step: int | None


class ActShown(Message):
    """One act of the own organisation. What was erased is null; `signals` are ids of own signals it concerned."""

    index: Index
    at: Instant
    kind: Word
    type: Word | None
    organisation: Oin
    worker: Word | None
    role: Word | None
    approver: Word | None
    team: Word | None
    purpose: Word | None
    grounds: list[Word]
    bundle: Sha256 | None
    outcome: Word | None
    reason: Word | None
    shown: int
    signals: list[Id]
    flags: list[FlagShown]
    verdict: VerdictShown | None
    own: bool
    """Whether the reviewer may not judge it: his own act, or his own team's."""
    exception: ExceptionOfAct | None = None


class ExtractShown(Message):
    """That another organisation was told of an own signal."""

    index: Index
    at: Instant
    organisation: Oin
    purpose: Word | None
    grounds: list[Word]


class NoteShown(Message):
    """What a reviewer stated. `body` has the members of the message it was stated with."""

    index: Index
    at: Instant
    by: Word
    kind: Word
    about: str
    body: dict[str, Any]


class ThresholdShown(Message):
    """A threshold as it is now; `changed_at` null where it has its default."""

    name: Word
    value: int
    default: int
    least: int
    most: int
    reason: Word | None
    changed_at: Instant | None


class SampleShown(Message):
    """The acts of a month, closed, and what was drawn of them (docs/audit-format.md).

    `seed` is the whole cosigned checkpoint, `closed` the index of the entry that closed the month; both are null, and
    `drawn` is empty, in the answer of that very entry. `seed_from` is the beginning of the next day,
    `seed_until` the end of the days in which the seed is looked for.
    """

    schema_: Literal["sample/v1"] = Field(alias="schema")
    organisation: Oin
    month: Month
    since: Instant
    until: Instant
    population: list[Index]
    flagged: list[Index]
    seed_from: Instant
    seed_until: Instant
    closed: Index | None
    seed: str | None
    drawn: list[Index]
    verdicts: list[Index]
    """Entries of the verdicts of the month, as they stood when it was closed."""
    rejudge: list[Index]
    """Those among them that the FG judges again."""


class FigureShown(Message):
    """One figure of the report: `count` of `of`, null where it is under ten; `state` says which."""

    id: str
    count: int | None
    of: int | None
    state: Literal["shown", "under_ten", "not_recorded"]


class AccountShown(Message):
    """One worker on the roster, and when he last did anything here."""

    worker: Word
    roles: list[Word]
    last_act_on: Day | None
    acts: int


class ReviewResult(Telling):
    """What a reviewer, or a worker about himself, is told; what was not asked is null."""

    schema_: Literal["review/v1"] = Field(alias="schema")
    outcome: Literal["done"]
    text: TextRef
    acts: list[ActShown] | None = None
    extracts: list[ExtractShown] | None = None
    notes: list[NoteShown] | None = None
    thresholds: list[ThresholdShown] | None = None
    sample: SampleShown | None = None
    figures: list[FigureShown] | None = None
    accounts: list[AccountShown] | None = None
    erasures: list[ErasureShown] | None = None
    more_after: Index | None = None
    """Ask on after this act (of erasures: this second); null where there are no more."""


class ReviewAnswer(Message):
    """The whole body of a successful answer of the review."""

    result: ReviewResult
    receipt: WireReceipt
    padding: Annotated[str, Field(pattern=r"^0*$")]
