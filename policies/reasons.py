"""The reason codes of refusals: which of them answer ``may_ask``, which ``may_see``, and which a rule may name."""

from policies.vocabulary import SIGHTS

ERROR = "error"
UNKNOWN_WORD = "outside-vocabulary"
UNMET = "obligation-unmet"
MAY_NOT_ASK = "may-not-ask"

SHOWS_NOTHING = "shows-nothing"
ENDED_BASIS = "other-basis"
"""A signal whose purpose or ground has ended rests on nothing any more."""

ASK_COLUMNS = {
    "role": "role-cannot-ask",
    "families": "family-not-in-purpose",
    "party": "not-a-party",
    "right": "no-bsn-right",
    "day": "not-valid-on-this-day",
    "ground": "ground-not-allowed",
    "cat": "category-not-allowed",
    "standing": "no-standing",
    "proof": "proof-missing",
    "consent": "consent-missing",
    "exc": "dossier-incomplete",
    "meldcode": "approval-required",
    "approval": "approval-required",
    "level": "level-not-allowed",
}
"""Reason of a default deny of ``may_ask`` by the column the nearest rule failed in; the first that failed counts."""

SEE_COLUMNS = {
    "party": "not-a-party",
    "consent": "consent-missing",
    "reg": "other-purpose",
    "basis": "other-basis",
    "kind": "kind-not-in-purpose",
}
"""The same for ``may_see``."""

RULE_REASONS = frozenset({"no-ground", "too-old", "too-young", "consent-ended", "acute-elsewhere"})
"""Reasons of prohibitions that can answer either question."""

ASK_REASONS = (
    frozenset(ASK_COLUMNS.values())
    | RULE_REASONS
    | {
        "not-a-listed-category",
        "class-not-in-purpose",
        "recipient-not-allowed",
        "acute-open",
        "not-your-signal",
        "way-in",
        UNMET,
        UNKNOWN_WORD,
        ERROR,
    }
)
SEE_REASONS = (
    frozenset(SEE_COLUMNS.values())
    | RULE_REASONS
    | {
        MAY_NOT_ASK,
        SHOWS_NOTHING,
        "shielded",
        "excluded",
        "holder-never",
        "holder-decides",
        "holder-not-in-purpose",
        "not-agreed",
        UNMET,
        UNKNOWN_WORD,
        ERROR,
    }
)


def answers(reason: str, acts: tuple[str, ...]) -> bool:
    """Whether a rule about these acts may name this reason: each question it can decide has a sentence for it."""
    kinds = {act in SIGHTS for act in acts}
    return (True not in kinds or reason in SEE_REASONS) and (False not in kinds or reason in ASK_REASONS)
