"""What entitles an asker to look before or beside registering (D5): a proof of a task in law, consent, own signals.

A proof is stated by the asker, as its kind, its days, and a reference that only its own organisation can read back. The
broker can judge none of that but the days; whose law knows which proof is policy, and the entry keeps the reference, so
that the organisation's own reviewer can hold it against the case.
"""

from collections.abc import Collection
from dataclasses import replace

from broker.flows.consent_facts import Consented
from broker.protocol.messages import StatutoryProof
from policies import AskFacts


def with_standing(
    facts: AskFacts, *, own: Collection[str], proof: StatutoryProof | None, consented: Consented | None = None
) -> AskFacts:
    """Return the facts with what the asker relies on: the proof it states, else consent, else its own signals.

    Args:
        facts: of the asker, who has no standing yet.
        own: ids of its own signals that give standing on this household.
        proof: that it states, or None. A proof that does not count is refused openly, whatever signals there are.
        consented: what it recorded of the persons asked about, or None where it claims no consent. Where it claims
            nothing else, consent entitles to look also beside an own signal.
    """
    if consented is not None:
        said = consented.asked()
        facts = replace(facts, consent=said.state.value, consent_by=said.by, age=said.age, custody=said.custody)
    if proof is not None:
        return replace(
            facts,
            standing="statutory_reference",
            proof=proof.kind,
            proof_since=proof.since,
            proof_ends_on=proof.ends_on,
        )
    if consented is not None and facts.consent == "given" and (consented.alone or not own):
        return replace(facts, standing="consent")
    return replace(facts, standing="own_signal") if own else facts
