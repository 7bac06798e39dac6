"""What entitles an asker to look before or beside registering (D5): a proof of a task in law, or signals of its own.

A proof is stated by the asker, as its kind, its days, and a reference that only its own organisation can read back. The
broker can judge none of that but the days; whose law knows which proof is policy, and the entry keeps the reference, so
that the organisation's own reviewer can hold it against the case.
"""

from collections.abc import Collection
from dataclasses import replace

from broker.protocol.messages import StatutoryProof
from policies import AskFacts


def with_standing(facts: AskFacts, *, own: Collection[str], proof: StatutoryProof | None) -> AskFacts:
    """Return the facts with what the asker relies on: the proof it states, else its own signals, else nothing.

    Args:
        facts: of the asker, who has no standing yet.
        own: ids of its own signals that give standing on this household.
        proof: that it states, or None. A proof that does not count is refused openly, whatever signals there are.
    """
    if proof is not None:
        return replace(
            facts,
            standing="statutory_reference",
            proof=proof.kind,
            proof_since=proof.since,
            proof_ends_on=proof.ends_on,
        )
    return replace(facts, standing="own_signal") if own else facts
