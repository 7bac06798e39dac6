"""Acts as a reviewer sees them: what one entry of the log says of who did what, for what, and how it ended (D12, D17).

Read from the opened groups `meta`, `actor` and `subject`; what was erased, or never opened, is simply not there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

REVIEW_SCHEMA = "entry-review/v1"
"""The `subject` payload of an entry in which somebody reads or judges others' acts."""
ASKING_KINDS = frozenset({"signal", "check", "oproep", "request", "answer", "consent", "exception"})
"""Kinds of entries in which somebody does something with a household; the others look, or keep house."""
KEEPING = frozenset({"store_chunk", "note_receipt", "forward_request", "withdraw_request", "verify_caller"})
"""Types of acts of these kinds that ask about nobody: one attachment of ten parts is no ten looks at a household."""
READING = "fetch_request"
"""The type of act that hands out what a letter says; without it no attachment opens."""
OPENING = "open_match"
"""The type of act that shows one match with the other team."""
NAMED = 2
"""The level from which on an organisation is named (D6)."""
ANSWERING: Mapping[str, str] = {"answer_request": "how", "note_oral_answer": "answer"}
"""Types of acts in which a request for information is answered, with the member of `subject` that says how."""
WITHDRAWING = "withdraw_signal"
LOOKING = frozenset({"register_signal", "check_household", "call_holders"})
"""Types of acts in which a household is looked up."""
RENEWING = "renew_signal"
OWN_APPROVAL = "approve_own_act"
"""The type of act in which somebody made both statements of what takes two people; it is refused."""
OWN_APPROVAL_REASON = "approver-is-requester"
"""Why that was refused, also where it is another act by itself."""
NEEDS_REVIEW = "withdrawal-needs-review"
"""Why a withdrawal was refused of a signal on which somebody had looked shortly before (D5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTerms:
    """Under what an entry is found again by those who may review it; handles are erased with what they point at.

    `handles` are the random search handles of the signals it wrote, stood on or hit, never a token.
    """

    organisation: str
    controller: str
    handles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewNote:
    """What a reviewer stated, kept beside its entry. `about` names what it is about: an act, a month, a threshold.

    `once` lets one organisation state one note of this kind about this.
    """

    organisation: str
    worker: str
    kind: str
    about: str
    body: Mapping[str, Any] = field(repr=False)
    once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedAct:
    """One entry of the log; `worker` None means that its group `actor` was erased.

    `shown` counts the organisations that were told of, `persons` the counted persons; `consulted` is the
    colleague whom the dossier of an exception names, `with_veilig_thuis` says that it was Veilig Thuis; `handles` are
    those of signals that it wrote, stood on or hit. What anybody is told rests on `own_handles` alone, those of the
    actor's own signals: the others are of signals that he may not see too. `proof` is the own reference of what it
    stood on and `proof_kind` which proof that was, `case_ref` the own reference of its case; `read` the id of the
    letter whose content it handed out; `exception` and `exception_type` are of one that it invoked or completed,
    `stated` what its entry says of that one: codes, a commitment and the ids of workers;
    `first_contact` says that it noted the first contact after a match, `answer` how it answered a request.
    """

    index: int
    at: int
    kind: str
    organisation: str
    controller: str
    worker: str | None = None
    role: str | None = None
    approver: str | None = None
    proposer: str | None = None
    consulted: str | None = None
    with_veilig_thuis: bool = False
    type: str | None = None
    purpose: str | None = None
    grounds: tuple[str, ...] = ()
    team: str | None = None
    bundle: str | None = None
    outcome: str | None = None
    reason: str | None = None
    shown: int = 0
    persons: int = 0
    proof: str | None = None
    proof_kind: str | None = None
    case_ref: str | None = None
    exception: str | None = None
    exception_type: str | None = None
    stated: Mapping[str, Any] = field(default_factory=dict, repr=False)
    first_contact: bool = False
    answer: str | None = None
    read: str | None = None
    imported: bool = False
    damaged: bool = False
    handles: frozenset[str] = frozenset()
    own_handles: frozenset[str] = frozenset()
    about: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def asks(self) -> bool:
        """Whether somebody did something with a household, or read what was written about one."""
        return self.read is not None or (self.kind in ASKING_KINDS and self.type not in KEEPING)

    @property
    def looks(self) -> bool:
        """Whether a person looked a household up, himself."""
        return self.type in LOOKING and not self.imported

    @property
    def waits_to_withdraw(self) -> bool:
        """Whether it is a withdrawal that was refused until a reviewer has looked."""
        return self.type == WITHDRAWING and self.outcome == "refused" and self.reason == NEEDS_REVIEW

    @property
    def is_known(self) -> bool:
        """Whether it can still be said who did what."""
        return self.worker is not None and self.type is not None

    def is_found_by(self, handle: str) -> bool:
        """Return whether its own organisation finds it by this signal: not once its `subject` was erased."""
        return self.damaged or handle in self.handles

    def is_by(self, organisation: str, worker: str) -> bool:
        """Return whether this person of this organisation did, proposed or approved it."""
        return self.organisation == organisation and worker in (self.worker, self.approver, self.proposer)

    def involves(self, organisation: str, worker: str) -> bool:
        """Return whether this person did, proposed or approved it, or was consulted about it."""
        return self.is_by(organisation, worker) or (self.organisation == organisation and worker == self.consulted)


def reviewed_act(
    *,
    index: int,
    at: int,
    kind: str,
    terms: SearchTerms,
    opened: Mapping[str, Mapping[str, Any]],
    damaged: bool = False,
) -> ReviewedAct:
    """Return the act in one entry of a request, as far as its groups are opened here.

    Args:
        index: of the entry.
        at: unix seconds.
        kind: of the entry.
        terms: under which it was found; they say whose act it is when the groups are erased.
        opened: the payload of each group that could be opened.
        damaged: a group is gone or does not fit the log, and no entry says why.
    """
    meta, actor, subject = (opened.get(group, {}) for group in ("meta", "actor", "subject"))
    request = meta.get("request", {})
    facts = (meta.get("decision") or {}).get("facts", {})
    approver = actor.get("approver") or {}
    return ReviewedAct(
        index=index,
        at=at,
        kind=kind,
        organisation=terms.organisation,
        controller=terms.controller,
        worker=actor.get("worker"),
        role=actor.get("role"),
        approver=approver.get("worker"),
        proposer=actor.get("proposer"),
        **_of_exception(meta.get("exception", {})),
        first_contact=bool(meta.get("match", {}).get("first_contact")),
        answer=_answer(request.get("type"), subject),
        type=request.get("type"),
        purpose=request.get("purpose"),
        grounds=tuple(request.get("grounds", ())),
        team=request.get("team"),
        bundle=meta.get("bundle"),
        outcome=meta.get("outcome"),
        reason=meta.get("reason"),
        shown=len({row["oin"] for row in meta.get("shown", ())}),
        persons=int(request.get("counts", {}).get("nlbsn", 0)),
        proof=request.get("proof_reference"),
        proof_kind=facts.get("proof"),
        case_ref=request.get("case_ref"),
        read=subject.get("request") if request.get("type") == READING and "fetched" in subject else None,
        imported=meta.get("grant") is not None,
        handles=frozenset(subject.get("handles", ())),
        # An entry of before `own` was stated does not say which are own: none.
        own_handles=frozenset(subject.get("handles", ())[: subject.get("own", 0)]),
        damaged=damaged,
        about=subject if subject.get("schema") == REVIEW_SCHEMA else {},
    )


def _of_exception(stated: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of an act that say of which exception it is; empty ones where it is of none."""
    return {
        "consulted": stated.get("consulted"),
        "with_veilig_thuis": bool(stated.get("with_veilig_thuis")),
        "exception": stated.get("id"),
        "exception_type": stated.get("type"),
        "stated": stated,
    }


def _answer(act_type: str | None, subject: Mapping[str, Any]) -> str | None:
    """Return how a request was answered; None where this act answers none, or nothing says so any more."""
    member = None if act_type is None else ANSWERING.get(act_type)
    return None if member is None else subject.get(member)


def told_of_signal(
    hits: Mapping[str, Any], meta: Mapping[str, Any] | None, *, handle: str, organisation: str
) -> bool:  # fmt: skip
    """Return whether who asked was told of this signal: a decision let it be seen, and its holder was shown.

    Or he opened a match by which he sees it. Where who asked has erased `meta`, the decision alone says so: an asker
    takes nothing back by erasing.
    """
    opening = meta is None or meta.get("request", {}).get("type") == OPENING
    if opening and any(handle in handles for *_, handles in hits.get("seen", ())):
        return True
    permitted = [one for one in hits.get("decisions", ()) if one["decision"]["outcome"] == "permit"]
    if not any(handle in one["signals"] for one in permitted):
        return False
    return meta is None or organisation in {row["oin"] for row in meta.get("shown", ())}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """An organisation that an entry says was told of a signal, for its own purpose and on its own grounds."""

    index: int
    at: int
    organisation: str
    purpose: str | None
    grounds: tuple[str, ...]


def recipients_in(hits: Mapping[str, Any], *, index: int, at: int, handle: str) -> tuple[Recipient, ...]:
    """Return who was told of this signal by a match that the act of its own holder brought about.

    Each was decided on for himself. Who hides a signal there stands in another group, which is not read for this.
    """
    told = (
        one["decision"]
        for one in hits.get("told", ())
        if handle in one["signals"] and one["decision"]["outcome"] == "permit" and one["decision"]["level"] >= NAMED
    )
    return tuple(
        Recipient(
            index=index,
            at=at,
            organisation=decision["facts"]["organisation"],
            purpose=decision["facts"]["purpose"],
            grounds=tuple(decision["facts"]["grounds"]),
        )
        for decision in told
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ActFilter:
    """Which acts somebody wants to see; None asks nothing. Times in unix seconds, the end not included."""

    since: int
    until: int
    worker: str | None = None
    purpose: str | None = None
    ground: str | None = None
    bundle: str | None = None
    outcome: str | None = None
    kind: str | None = None

    def lets(self, act: ReviewedAct) -> bool:
        """Return whether this act is one of them."""
        asked = (
            (self.worker, act.worker),
            (self.purpose, act.purpose),
            (self.bundle, act.bundle),
            (self.outcome, act.outcome),
            (self.kind, act.kind),
        )
        same = all(wanted is None or wanted == found for wanted, found in asked)
        return same and self.since <= act.at < self.until and (self.ground is None or self.ground in act.grounds)
