"""The closed words of facts, requests and policy lines.

Classes, purposes, grounds, proofs, categories and duties come from the documents; every other word is fixed here.
"""

from collections.abc import Iterable, Mapping

WILDCARD = "*"
NOT_APPLICABLE = "none"
"""The word of a column about the other side in a question about the asker alone."""
NO_GROUND = "geen"
"""The word that stands for an asker who claims no ground at all."""

OPERATIONS = frozenset({"register", "check", "call", "request", "share", "shield"})
"""Register a signal, look who is involved, send an oproep, ask for content, tell a recipient, shield a signal."""
SEE = "see"
RING = "ring"
"""A holder is asked to call back; the asker learns nothing."""
SIGHTS = frozenset({SEE, RING})
WITH_OTHER_SIDE = SIGHTS | {"share"}
"""Acts with another side: a holder, or a recipient."""
SILENT_ACTS = frozenset({"call", "shield", RING})
"""Acts that show the asker nothing, so that they are granted at level 0."""
HOUSEHOLD_ACTS = frozenset({"register", "check", "call"})
"""Acts that bring tokens of a household, so that the families they use are judged."""
CONTENT_ACTS = frozenset({"request", "share"})
"""The only acts that reach above level 2: answers of the holder, sealed end to end (architecture D6)."""

STANDINGS = frozenset({"none", "own_signal", "statutory_reference", "consent"})
APPROVALS = frozenset({"none", "approved"})
MATCH_KINDS = frozenset({"person", "member", "family", "address"})
FAMILIES = frozenset({"nlbsn", "fam", "addr"})
ROLES = frozenset({"worker", "approver"})
RIGHTS = frozenset({"register", "simulated"})
HOLDER_MODES = frozenset({"direct", "oproep", "nooit"})

CONSENTS = frozenset({"unknown", "given", "refused", "withdrawn", "expired"})
CONSENTERS = frozenset({"person", "guardian"})
DOSSIERS = frozenset({"none", "documented", "complete", "acuut"})
ACUTE = "acuut"
"""The dossier of acute danger: nothing documented yet."""
ACUTE_DUTIES = frozenset({"noem_overleg", "beoordeel_spoed"})
WITHIN_A_DAY = "P1D"
"""What comes after telling in acute danger: who was consulted is named, and a colleague reviews it (D11)."""
MISPLACED_ACUTE = "acuut_elders"
"""What ``acuut`` is called towards any recipient that may not get it."""
NO_PROOF = "none"
LAPSED = "lapsed"
"""What a proof is called after its last day, or without the last day it must have."""
AGES = ("under12", "12to15", "16to17", "18to22", "from23")
UNKNOWN_AGE = "unknown"
CUSTODIES = frozenset({"unknown", "clear", "contested"})
NO_DEFERRAL = "none"
REPRESENTATIVE = "vertegenwoordiger"
"""A recipient that is no organisation: who represents the person in law."""

MAX_GROUNDS = 3
MAX_LEVEL = 4
STORED_LEVEL = 2
"""The broker stores and shows nothing above this level (architecture D6)."""

INVOLVEMENT = "betrokkenheid"
"""The only data category the broker holds: that an organisation is involved."""

Vocabulary = Mapping[str, frozenset[str]]


def build_vocabulary(
    *,
    classes: Iterable[str],
    purposes: Iterable[str],
    grounds: Iterable[str],
    categories: Iterable[str] = (INVOLVEMENT,),
    proofs: Iterable[str] = (),
    documents: Iterable[str] = (),
    duties: Iterable[str] = (),
) -> Vocabulary:
    """Every request column has its finite set of words, wildcard and empty string never among them."""
    nothing = frozenset({NOT_APPLICABLE})
    known_classes, known_purposes, known_grounds = frozenset(classes), frozenset(purposes), frozenset(grounds)
    return {
        "act": OPERATIONS | SIGHTS,
        "ask": known_classes,
        "role": ROLES,
        "hold": known_classes | nothing | {REPRESENTATIVE},
        "kind": MATCH_KINDS | nothing,
        "purpose": known_purposes,
        "cat": frozenset(categories),
        "level": frozenset(str(level) for level in range(MAX_LEVEL + 1)),
        "ground": known_grounds | {NO_GROUND},
        "standing": STANDINGS,
        "proof": frozenset(proofs) | {NO_PROOF, LAPSED},
        "approval": APPROVALS,
        "meldcode": frozenset({"met", "unmet"}),
        "right": RIGHTS,
        "families": frozenset({"within", "beyond"}),
        "party": frozenset(documents) | nothing,
        "reg": known_purposes | nothing,
        "basis": known_grounds | nothing,
        "shield": frozenset({"open", "shielded", "excluded"}) | nothing,
        "consent": CONSENTS,
        "exc": DOSSIERS | {MISPLACED_ACUTE},
        "age": frozenset(AGES) | {UNKNOWN_AGE},
        "duty": frozenset(duties),
    }
