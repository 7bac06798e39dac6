"""The facts of one question, and how they stand in a decision record.

Facts are computed on the server side of the caller; an asker claims grounds and nothing else. A fact left out has the
value that opens least, and a record leaves out every fact that has that value.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import date, datetime
from typing import Literal, TypeAlias

from policies.vocabulary import (
    AGES,
    APPROVALS,
    CONSENTERS,
    CONSENTS,
    CUSTODIES,
    DOSSIERS,
    FAMILIES,
    INVOLVEMENT,
    LAPSED,
    MATCH_KINDS,
    MAX_GROUNDS,
    MAX_LEVEL,
    NO_DEFERRAL,
    NO_GROUND,
    NO_PROOF,
    NOT_APPLICABLE,
    OPERATIONS,
    REPRESENTATIVE,
    ROLES,
    STANDINGS,
    STORED_LEVEL,
    UNKNOWN_AGE,
    Vocabulary,
)

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"
Operation = Literal["register", "check", "call", "request", "share", "shield"]
Consent = Literal["unknown", "given", "refused", "withdrawn", "expired"]

UNKNOWN = "?"
"""What a record shows for a value outside the vocabulary, so that no input is ever echoed."""

_OIN = re.compile(r"[0-9]{20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskFacts:
    """Everything ``may_ask`` knows: about the asker, never about what others hold.

    Attributes:
        day: the calendar day of the decision, Europe/Amsterdam.
        operation: ``register`` (which is asking too), ``check``, ``call`` (oproep), ``request`` (ask for content),
            ``share`` (tell a recipient what one knows) or ``shield``.
        organisation: OIN of the asker, 20 digits.
        org_class: class of the asker in the register document.
        role: role of the worker in the request token.
        purpose: purpose id.
        grounds: at most three claimed ground codes.
        standing: what entitles the asker to look before or beside registering.
        approval: whether a second enrolled person signed the same body.
        families: identifier families the request used; a subset of ``nlbsn``, ``fam``, ``addr``.
        simulated_bsn_right: the register marks this asker's BSN right as demo-only.
        proof: what stands behind ``statutory_reference``; an id of ``lex/bewijzen.yaml``.
        proof_since: the first day on which that proof held: of the order, the melding, or the call it was made in.
        proof_ends_on: the last day on which it holds, where it has a day of its own.
        consent: state of the consent of the persons asked about, derived from its events.
        consent_by: who gave it: the person, the guardian.
        dossier: what the partner committed to: nothing, six answers (``documented``), a colleague consulted as well
            (``complete``), or ``acuut``.
        meldcode_approval: the organisation's own meldcode demands approval by a second person.
        acute_open: this worker may have an earlier ``acuut`` that nobody reviewed yet.
        recipient: class of who is told, or ``vertegenwoordiger``; ``share`` only.
        recipient_organisation: OIN of who is told, where it is an organisation; ``share`` only. Its class in the
            register is ``recipient``: the caller takes it from there, never from the asker.
        category: data category asked for or told.
        level: highest level asked for.
        age: age band of the youngest person asked about.
        custody: whether it is clear who has parental authority.
        deferral: ground on which informing the person is put off.
        fulfilled: obligations of phase ``vooraf`` that were met.
    """

    day: date
    operation: Operation
    organisation: str
    org_class: str
    role: str
    purpose: str
    grounds: tuple[str, ...]
    standing: Literal["none", "own_signal", "statutory_reference", "consent"]
    approval: Literal["none", "approved"]
    families: frozenset[str]
    simulated_bsn_right: bool = False
    proof: str = NO_PROOF
    proof_since: date | None = None
    proof_ends_on: date | None = None
    consent: Consent = "unknown"
    consent_by: frozenset[str] = frozenset()
    dossier: Literal["none", "documented", "complete", "acuut"] = "none"
    meldcode_approval: bool = True
    acute_open: bool = True
    recipient: str = NOT_APPLICABLE
    recipient_organisation: str | None = None
    category: str = INVOLVEMENT
    level: int = STORED_LEVEL
    age: str = UNKNOWN_AGE
    custody: Literal["unknown", "clear", "contested"] = "unknown"
    deferral: str = NO_DEFERRAL
    fulfilled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class HitFacts:
    """Everything ``may_see`` knows about one matching signal.

    Attributes:
        holder: OIN of the organisation that holds the signal, 20 digits.
        holder_class: its class in the register document.
        kind: match kind, ``person``, ``member``, ``family`` or ``address``.
        purpose: purpose the signal was registered for.
        ground: ground the signal was registered on.
        shielded: the holder shielded the signal.
        excluded: this asker is excluded from this signal.
        consent: state of this very person's consent that the holder is shown to the asker.
    """

    holder: str
    holder_class: str
    kind: Literal["person", "member", "family", "address"]
    purpose: str
    ground: str
    shielded: bool
    excluded: bool
    consent: Consent = "unknown"


def ask_record(facts: AskFacts, vocabulary: Vocabulary) -> dict[str, Json]:
    """The asker facts as JSON values, without those at their default; one outside the vocabulary stands as ``?``."""
    proofs, grounds = vocabulary["proof"] - {LAPSED}, vocabulary["ground"] - {NO_GROUND}
    return {
        "day": _day(facts.day),
        "operation": _word(facts.operation, OPERATIONS),
        "organisation": _oin(facts.organisation),
        "org_class": _word(facts.org_class, vocabulary["ask"]),
        "role": _word(facts.role, ROLES),
        "purpose": _word(facts.purpose, vocabulary["purpose"]),
        "grounds": _grounds(facts.grounds, grounds),
        "standing": _word(facts.standing, STANDINGS),
        "approval": _word(facts.approval, APPROVALS),
        "families": _set(facts.families, FAMILIES),
        "simulated_bsn_right": _flag(facts.simulated_bsn_right),
        **_other_than_default(facts, "proof", _word(facts.proof, proofs)),
        **_other_than_default(facts, "proof_since", _day(facts.proof_since)),
        **_other_than_default(facts, "proof_ends_on", _day(facts.proof_ends_on)),
        **_other_than_default(facts, "consent", _word(facts.consent, CONSENTS)),
        **_other_than_default(facts, "consent_by", _set(facts.consent_by, CONSENTERS)),
        **_other_than_default(facts, "dossier", _word(facts.dossier, DOSSIERS)),
        **_other_than_default(facts, "meldcode_approval", _flag(facts.meldcode_approval)),
        **_other_than_default(facts, "acute_open", _flag(facts.acute_open)),
        **_other_than_default(facts, "recipient", _word(facts.recipient, vocabulary["ask"] | {REPRESENTATIVE})),
        **_other_than_default(facts, "recipient_organisation", _oin(facts.recipient_organisation)),
        **_other_than_default(facts, "category", _word(facts.category, vocabulary["cat"])),
        **_other_than_default(facts, "level", _level(facts.level)),
        **_other_than_default(facts, "age", _word(facts.age, AGES)),
        **_other_than_default(facts, "custody", _word(facts.custody, CUSTODIES)),
        **_other_than_default(facts, "deferral", _word(facts.deferral, grounds)),
        **_other_than_default(facts, "fulfilled", _set(facts.fulfilled, vocabulary["duty"])),
    }


def hit_record(hit: HitFacts, vocabulary: Vocabulary) -> dict[str, Json]:
    """All facts of one hit as JSON values; a value outside the vocabulary stands as ``?``."""
    return {
        "holder": _oin(hit.holder),
        "holder_class": _word(hit.holder_class, vocabulary["ask"]),
        "kind": _word(hit.kind, MATCH_KINDS),
        "purpose": _word(hit.purpose, vocabulary["purpose"]),
        "ground": _word(hit.ground, vocabulary["ground"] - {NO_GROUND}),
        "shielded": _flag(hit.shielded),
        "excluded": _flag(hit.excluded),
        **_other_than_default(hit, "consent", _word(hit.consent, CONSENTS)),
    }


def unknown_facts(record: Mapping[str, Json]) -> tuple[str, ...]:
    """Names of the facts that stand as ``?`` in a record, sorted."""
    return tuple(sorted(name for name, value in record.items() if value in (UNKNOWN, [UNKNOWN])))


_DEFAULTS = {
    kind: {field.name: field.default for field in fields(kind) if field.default is not MISSING}
    for kind in (AskFacts, HitFacts)
}


def _other_than_default(facts: AskFacts | HitFacts, name: str, value: Json) -> dict[str, Json]:
    given, default = getattr(facts, name), _DEFAULTS[type(facts)][name]
    return {} if type(given) is type(default) and given == default else {name: value}


# What comes in is typed, and still looked at as if it were not: a fact of another type is an unknown fact.


def _word(value: object, words: Collection[str]) -> str:
    return value if isinstance(value, str) and value in words else UNKNOWN


def _oin(value: object) -> str:
    return value if isinstance(value, str) and _OIN.fullmatch(value) else UNKNOWN


def _flag(value: object) -> bool | str:
    return value if isinstance(value, bool) else UNKNOWN


def _level(value: object) -> int | str:
    return value if type(value) is int and 0 <= value <= MAX_LEVEL else UNKNOWN


def _day(value: object) -> str:
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else UNKNOWN


def _grounds(value: object, words: frozenset[str]) -> list[Json]:
    if not isinstance(value, tuple) or len(value) > MAX_GROUNDS:
        return [UNKNOWN]
    return list(value) if all(isinstance(ground, str) and ground in words for ground in value) else [UNKNOWN]


def _set(value: object, words: frozenset[str]) -> list[Json]:
    return sorted(value) if isinstance(value, frozenset) and value <= words else [UNKNOWN]
