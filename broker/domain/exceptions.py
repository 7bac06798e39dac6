"""Exceptions: telling without consent where no law already allows it (D11). First: to whom? Then: what is there?

    to whom                     what it is
    Veilig Thuis, GI, Raad      a right in law: no exception is needed, and none is made of it
    anybody else                conflict of duties (six answers), or a life in danger (six answers)
    who represents the patient  the therapeutic exception (five conditions)
    Veilig Thuis, police        `acuut`: two acts, the rest within a day

The dossier stays with the partner, sealed for its own FG; here are a commitment and which questions were answered.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Literal

from broker.domain.errors import FieldRuleError

VEILIG_THUIS = "veilig_thuis"
POLICE = "politie"
REPRESENTATIVE = "vertegenwoordiger"
CARE = frozenset({"ggz", "verslavingszorg", "huisarts", "jgz", "seh"})
"""Who has patients: the therapeutic exception of BW 7:448 is theirs, that of the Jeugdwet is of youth care."""
STATUTORY: Mapping[str, str] = {VEILIG_THUIS: "WMO-5.2.6", "gi": "JW-7.3.11-4", "rvdk": "RVDK"}
"""Recipients whom a law already lets one tell."""
SIX = ("consent_tried", "conscience", "no_other_way", "serious_harm", "averts_harm", "least_possible")
"""The six answers of the conflict of duties (KNMG), and of a life in danger."""
FIVE = ("serious_harm", "patients_interest", "colleague_consulted", "recipient_known", "told_later")
"""The five conditions of the therapeutic exception (BW 7:448, Jeugdwet 7.3.2)."""
TELLS_S = 14 * 86_400
"""Seconds in which a letter may rest on an exception: what has to be told later is weighed anew."""
REST_S = 86_400
"""Seconds within which the rest of what was acute is there."""
Dossier = Literal["none", "documented", "complete", "acuut"]


class ExceptionType(StrEnum):
    """Which exception it is; the recipient decides, not the name under which somebody looks for it."""

    CVP = "cvp"
    VITAL = "vitaal"
    THERAPEUTIC = "therapeutisch"
    ACUTE = "acuut"


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """For what and on which ground it is told."""

    purpose: str
    ground: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """What is known here of a dossier: a hash of it, which questions it answers, and who was consulted.

    Attributes:
        consulted: the colleague, by his id at the broker; None where it was Veilig Thuis, or nobody yet.
        with_veilig_thuis: Veilig Thuis was consulted, by who works alone or reached nobody.
        tell_on: the day on which the person himself is told.
        deferral: the ground on which that is put off, until `tell_on` it is looked at again.
    """

    commitment: str
    answered: frozenset[str]
    consulted: str | None
    with_veilig_thuis: bool
    tell_on: date | None
    deferral: str | None
    meldcode_step: int

    @property
    def named_other(self) -> bool:
        """Whether somebody else was consulted."""
        return self.consulted is not None or self.with_veilig_thuis


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionRecord:
    """One exception of one organisation; `rest` is what came later of an acute one.

    `level` is the highest that may be told, `approval_asked` says whether the organisation's own meldcode asked for a
    second person when it was invoked, `persons` about how many it is: one that names nobody opens nothing.
    """

    id: str
    organisation: str
    controller: str
    team: str
    worker: str
    type: ExceptionType
    recipient: str
    recipient_organisation: str | None
    purpose: str
    ground: str
    category: str
    reason: str
    at: int
    approved_by: str | None
    approval_asked: bool = True
    level: int = 3
    documented: Documented | None
    rest: Documented | None = None
    rest_at: int | None = None
    case_ref: str | None = None
    persons: int = 0
    index: int | None = field(default=None, compare=False)

    @property
    def waits_for_rest(self) -> bool:
        """Whether this was acute and the rest is not there yet."""
        return self.type is ExceptionType.ACUTE and self.rest is None

    @property
    def is_late(self) -> bool:
        """Whether the rest came after a day."""
        return self.rest_at is not None and self.rest_at > self.at + REST_S

    def dossier(self) -> Dossier:
        """Return how far the dossier is, in the words of the policies."""
        if self.type is ExceptionType.ACUTE:
            return "acuut" if self.rest is None else _state(ExceptionType.CVP, self.rest)
        return "none" if self.documented is None else _state(self.type, self.documented)

    def with_rest(self, rest: Documented, *, at: int) -> "ExceptionRecord":
        """Return the exception with the rest of its dossier."""
        return replace(self, rest=rest, rest_at=at)


def _state(kind: ExceptionType, documented: Documented) -> Dossier:
    if missing(kind, documented.answered):
        return "none"
    return "complete" if documented.named_other else "documented"


def questions(kind: ExceptionType) -> tuple[str, ...]:
    """Return what a dossier of this type answers."""
    return FIVE if kind is ExceptionType.THERAPEUTIC else SIX


def missing(kind: ExceptionType, answered: Iterable[str]) -> tuple[str, ...]:
    """Return the questions that are not answered."""
    known = set(answered)
    return tuple(one for one in questions(kind) if one not in known)


def routed(kind: ExceptionType, *, asker: str, recipient: str) -> Routed | None:
    """Return for what and on which ground this is told; None where a law already allows it, so that it is none.

    Args:
        kind: as somebody looks for it.
        asker: class of the organisation that tells.
        recipient: class of who is told, or `vertegenwoordiger`.

    Raises:
        FieldRuleError: this type is not for this recipient.
    """
    # (1) To whom? A right in law needs no exception; only acute danger shortens its way.
    if kind is ExceptionType.ACUTE:
        if recipient == VEILIG_THUIS:
            return Routed(purpose="vt-melding", ground=STATUTORY[VEILIG_THUIS])
        if recipient == POLICE:
            return Routed(purpose="nood", ground="CVP")
        raise FieldRuleError("recipient", "is not told of acute danger: call Veilig Thuis or the police")
    if recipient in STATUTORY:
        return None
    # (2) Who represents the patient, and nobody else, hears what the patient does not hear yet.
    if (kind is ExceptionType.THERAPEUTIC) is not (recipient == REPRESENTATIVE):
        raise FieldRuleError("recipient", "does not fit this type")
    if kind is ExceptionType.THERAPEUTIC:
        return Routed(purpose="patient", ground="BW-7:448-TE" if asker in CARE else "JW-7.3.2-3")
    return Routed(purpose="nood", ground="VITAAL" if kind is ExceptionType.VITAL else "CVP")


def is_misdirected(kind: ExceptionType, recipient: str) -> bool:
    """Return whether acute danger would be told to anybody but Veilig Thuis or the police."""
    return kind is ExceptionType.ACUTE and recipient not in (VEILIG_THUIS, POLICE)


def fault_of(kind: ExceptionType, documented: Documented | None, *, worker: str, asker: str) -> str | None:
    """Return the problem of a dossier, None where it is complete: one answer missing, and nothing is sent.

    Args:
        kind: which exception it is.
        documented: what is known here of the dossier.
        worker: who tells.
        asker: class of his organisation; at Veilig Thuis "Veilig Thuis was consulted" names nobody else.
    """
    if documented is None:
        return None if kind is ExceptionType.ACUTE else "exception-incomplete"
    themselves = documented.with_veilig_thuis and asker == VEILIG_THUIS
    if documented.consulted == worker or (themselves and documented.consulted is None):
        return "exception-own-consultation"
    if missing(kind, documented.answered) or not documented.named_other or documented.tell_on is None:
        return "exception-incomplete"
    return None
