"""The closed words of facts, requests and policy lines.

Classes, purposes and grounds come from the documents; every other word is fixed here.
"""

from collections.abc import Mapping

WILDCARD = "*"
NOT_APPLICABLE = "none"
"""The word of a holder column in a question about the asker alone."""
NO_GROUND = "geen"
"""The word that stands for an asker who claims no ground at all."""

OPERATIONS = frozenset({"register", "check"})
SEE = "see"
STANDINGS = frozenset({"none", "own_signal", "statutory_reference", "consent"})
APPROVALS = frozenset({"none", "approved"})
MATCH_KINDS = frozenset({"person", "member", "family", "address"})
FAMILIES = frozenset({"nlbsn", "fam", "addr"})
ROLES = frozenset({"worker", "approver"})
RIGHTS = frozenset({"register", "simulated"})
HOLDER_MODES = frozenset({"direct", "oproep", "nooit"})

MAX_GROUNDS = 3
LEVELS = (2, 1)
"""Levels a decision may grant, highest first; the broker stores nothing above 2 (architecture D6)."""

INVOLVEMENT = "betrokkenheid"
"""The only data category the broker holds: that an organisation is involved."""

Vocabulary = Mapping[str, frozenset[str]]


def build_vocabulary(*, classes: frozenset[str], purposes: frozenset[str], grounds: frozenset[str]) -> Vocabulary:
    """Every request column has its finite set of words, wildcard and empty string never among them."""
    nothing = frozenset({NOT_APPLICABLE})
    return {
        "act": OPERATIONS | {SEE},
        "ask": classes,
        "role": ROLES,
        "hold": classes | nothing,
        "kind": MATCH_KINDS | nothing,
        "purpose": purposes,
        "cat": frozenset({INVOLVEMENT}),
        "level": frozenset({"1", "2"}),
        "ground": grounds | {NO_GROUND},
        "standing": STANDINGS,
        "approval": APPROVALS,
        "right": RIGHTS,
        "families": frozenset({"within", "beyond"}),
        "party": frozenset({"yes", "no"}),
        "reg": purposes | nothing,
        "basis": grounds | nothing,
        "shield": frozenset({"open", "shielded", "excluded"}) | nothing,
        "consent": frozenset({"none", "given"}),
        "exc": frozenset({"none", "documented", "complete", "acuut"}),
    }
