"""Which problems end a command, and why: a waiting command is forgotten only when it is certain what became of it.

A problem without a receipt ends a command when it says two things: it can only be the answer to the POST of that very
command, and the command was not carried out. That is so for what follows from the body alone (judged before anything
is done), and for what the broker says after it looked under the command's key, before and after deciding, and found no
answer: effect and answer are stored in one transaction (docs/formats.md §6). Everything else keeps the command waiting.
"""

RECORDED = frozenset(
    {
        "refused", "withdrawal-needs-review",
        "match-of-another-team", "match-closed", "casusregisseur-not-involved", "casusregisseur-missing",
        "casusregisseur-changed", "match-no-contact",
        "task-of-another-team", "task-closed", "task-not-extendable", "task-too-long",
        "level-not-permitted", "request-already-answered", "request-withdrawn",
        "request-expired", "request-needs-named-worker", "request-for-another-worker", "request-lapsed",
        "request-of-another-team", "request-needs-approval", "receipt-of-another", "letter-withheld",
        "attachment-too-large", "attachment-truncated", "receiver-cannot-tell",
        "consent-without-custody", "consent-by-suspect", "consent-not-theirs", "consent-said-before",
        "consent-opens-nothing",
        "renewal-without-consent",
        "call-answered", "call-of-another-team", "call-over",
        "phone-call-answered", "phone-call-not-verified", "phone-call-withheld", "caller-suspended",
        "belcode-wrong", "belcode-used", "belcode-expired",
        "belcode-tries-over", "exception-statutory-right", "exception-incomplete", "exception-own-consultation",
        "exception-acute-recipient", "exception-completed", "exception-of-another-team",
        "webhook-address", "webhook-needs-approval",
    }
)  # fmt: skip
"""Refusals that are entries of the log: without a receipt that holds they are not believed."""

KEYS_CHANGED = "letter-keys-changed"
"""Stated here alone: what waits is sealed to a key that its receiver has no more, and is never sent."""

REPLAYED = "answer-withheld-on-replay"
"""Carried out before; the answer is no longer shown. Believed with its receipt only."""

_BODY = "follows from the body or the statements alone, so it held at every earlier try"
_NO_ANSWER = "said after the broker found no answer under this key, and nothing was recorded"
_HERE = "stated before anything of the command leaves"
_SENDER = "judged before the key is looked up: an earlier try may have been carried out"
_CUSTODIAN = "said by a custodian, which does not know what the broker did"
_OUTAGE = "nobody can tell what became of it"
_ROUTE = "about an address, and not about the command"
_WITH_RECEIPT = "ends the command by its receipt, never by its name"

FINAL = {
    "malformed-request": _BODY,
    "body-too-large": _BODY,
    "approver-is-requester": _BODY,
    "point-invalid": _BODY,
    "controller-unknown": _NO_ANSWER,
    "team-unknown": _NO_ANSWER,
    "purpose-unknown": _NO_ANSWER,
    "family-not-allowed": _NO_ANSWER,
    "family-not-used": _NO_ANSWER,
    "epoch-unknown": _NO_ANSWER,
    "ticket-missing": _NO_ANSWER,
    "ticket-malformed": _NO_ANSWER,
    "ticket-foreign": _NO_ANSWER,
    "ticket-of-grant": _NO_ANSWER,
    "ticket-signature": _NO_ANSWER,
    "ticket-epoch": _NO_ANSWER,
    "ticket-lifetime": _NO_ANSWER,
    "ticket-count": _NO_ANSWER,
    "end-date-beyond-rule": _NO_ANSWER,
    "age-quarter-needed": _NO_ANSWER,
    "assessment-needed": _NO_ANSWER,
    "informing-needed": _NO_ANSWER,
    "signal-exists": _NO_ANSWER,
    "already-erased": _NO_ANSWER,
    "receiver-unknown": _NO_ANSWER,
    "bundle-not-in-force": _NO_ANSWER,
    KEYS_CHANGED: _HERE,
}
"""Problem ids that end the command they are the answer to, with the reason."""

WAITING = {
    "not-found": _ROUTE,
    "method-not-allowed": _ROUTE,
    "request-token-missing": _SENDER,
    "request-token-malformed": _SENDER,
    "request-token-key-unknown": _SENDER,
    "request-token-signature": _SENDER,
    "request-token-audience": _SENDER,
    "request-token-lifetime": _SENDER,
    "request-token-early": _SENDER,
    "request-token-expired": _SENDER,
    "request-token-target": _SENDER,
    "request-token-body": _SENDER,
    "request-token-replayed": _SENDER,
    "organisation-unknown": _SENDER,
    "organisation-suspended": _SENDER,
    "worker-unknown": _SENDER,
    "role-not-allowed": _SENDER,
    "parent-org-mismatch": _SENDER,
    "approval-invalid": _SENDER,
    "refused": _WITH_RECEIPT,
    "withdrawal-needs-review": _WITH_RECEIPT,
    "match-of-another-team": _WITH_RECEIPT,
    "match-closed": _WITH_RECEIPT,
    "match-no-contact": _WITH_RECEIPT,
    "casusregisseur-not-involved": _WITH_RECEIPT,
    "casusregisseur-missing": _WITH_RECEIPT,
    "casusregisseur-changed": _WITH_RECEIPT,
    "task-of-another-team": _WITH_RECEIPT,
    "task-closed": _WITH_RECEIPT,
    "task-not-extendable": _WITH_RECEIPT,
    "task-too-long": _WITH_RECEIPT,
    "consent-without-custody": _WITH_RECEIPT,
    "consent-by-suspect": _WITH_RECEIPT,
    "consent-not-theirs": _WITH_RECEIPT,
    "consent-opens-nothing": _WITH_RECEIPT,
    "consent-said-before": _WITH_RECEIPT,
    "renewal-without-consent": _WITH_RECEIPT,
    "exception-statutory-right": _WITH_RECEIPT,
    "exception-incomplete": _WITH_RECEIPT,
    "exception-own-consultation": _WITH_RECEIPT,
    "exception-acute-recipient": _WITH_RECEIPT,
    "exception-completed": _WITH_RECEIPT,
    "exception-of-another-team": _WITH_RECEIPT,
    "call-answered": _WITH_RECEIPT,
    "call-of-another-team": _WITH_RECEIPT,
    "call-over": _WITH_RECEIPT,
    "belcode-wrong": _WITH_RECEIPT,
    "webhook-address": _WITH_RECEIPT,
    "webhook-needs-approval": _WITH_RECEIPT,
    "belcode-used": _WITH_RECEIPT,
    "belcode-expired": _WITH_RECEIPT,
    "belcode-tries-over": _WITH_RECEIPT,
    "phone-call-answered": _WITH_RECEIPT,
    "phone-call-not-verified": _WITH_RECEIPT,
    "phone-call-withheld": _WITH_RECEIPT,
    "caller-suspended": _WITH_RECEIPT,
    "answer-withheld-on-replay": _WITH_RECEIPT,
    "level-not-permitted": _WITH_RECEIPT,
    "request-already-answered": _WITH_RECEIPT,
    "request-withdrawn": _WITH_RECEIPT,
    "request-expired": _WITH_RECEIPT,
    "request-needs-named-worker": _WITH_RECEIPT,
    "request-for-another-worker": _WITH_RECEIPT,
    "letter-withheld": _WITH_RECEIPT,
    "request-lapsed": _WITH_RECEIPT,
    "request-needs-approval": _WITH_RECEIPT,
    "request-of-another-team": _WITH_RECEIPT,
    "receipt-of-another": _WITH_RECEIPT,
    "attachment-too-large": _WITH_RECEIPT,
    "attachment-truncated": _WITH_RECEIPT,
    "receiver-cannot-tell": _WITH_RECEIPT,
    "ticket-expired": "fresh tickets of the same batch can be had",
    "ticket-spent": "spent tickets are a sign that something was carried out with them",
    "idempotency-key-reused": "something was carried out under this very key",
    "batch-reused": _CUSTODIAN,
    "budget-exhausted": _CUSTODIAN,
    "grant-unknown": _CUSTODIAN,
    "grant-purpose": _CUSTODIAN,
    "grant-expired": _CUSTODIAN,
    "grant-exhausted": _CUSTODIAN,
    "not-done": _OUTAGE,
    "custodian-unreachable": _OUTAGE,
    "custodian-wrong-key": _OUTAGE,
    "storage-unavailable": _OUTAGE,
    "log-unavailable": _OUTAGE,
    "log-not-watched": _CUSTODIAN,
    "log-uncosigned": "nobody is looked up for now; the same command can be carried out later",
    "receipt-invalid": _OUTAGE,
    "internal": _OUTAGE,
}
"""Every other published problem, with the reason why a command that meets it goes on waiting."""

OF_A_GRANT = frozenset({"grant-unknown", "grant-purpose", "grant-expired", "grant-exhausted"})
"""What custodians say of a grant: no other row of the import fares better."""

NEVER_SENT = OF_A_GRANT | {"epoch-unknown"}
"""What ends a command that has no tokens yet, so that the broker never had it, where every custodian says so."""

REVIEW = "review"
_BY_ID = frozenset({"renew", "withdraw", "state", REVIEW})
"""Effects of acts on something that is named by its id."""


def ends_command(problem_id: str, *, effect: str, granted: bool = False) -> bool:
    """Return whether this answer to the POST of a command, without a receipt, means that it was not carried out.

    `not-found` does so for an act on something by its id: there is none, and the broker found no answer under the key
    either. So does `role-not-allowed` for what a reviewer states, which is sent when it is new or no answer was found.
    `ticket-expired` does so where the tickets are `granted`: they end with their grant, and there are no fresh ones.
    """
    of_its_own = problem_id == "not-found" and effect in _BY_ID
    of_its_own = of_its_own or (problem_id == "role-not-allowed" and effect == REVIEW)
    return problem_id in FINAL or of_its_own or (problem_id == "ticket-expired" and granted)
