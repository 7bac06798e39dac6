"""What an oproep was sent on, and how each ring came about: one column of JSON each, none for one of before."""

import json
from dataclasses import asdict

from broker.domain.calls import AskedOn, FoundAs
from broker.store.stated_proofs import proof_of, proof_text

_SETS = ("families", "consent_by")


def asked_text(asked: AskedOn | None) -> str | None:
    """Return the asker's facts as they are stored."""
    if asked is None:
        return None
    members = {**asdict(asked), "proof": proof_text(asked.proof)}
    return json.dumps({**members, **{name: sorted(members[name]) for name in _SETS}})


def asked_of(text: str | None) -> AskedOn | None:
    """Return the asker's facts that were stored so."""
    if text is None:
        return None
    read = json.loads(text)
    return AskedOn(
        **{
            **read,
            **{name: frozenset(read[name]) for name in _SETS},
            **{name: tuple(read[name]) for name in ("grounds", "own")},
            # None of before these were kept.
            "persons": tuple(read.get("persons", ())),
            "proof": proof_of(read["proof"]),
        }
    )


def found_text(found: FoundAs | None) -> str | None:
    """Return how a ring came about as it is stored."""
    return None if found is None else json.dumps(asdict(found))


def found_of(text: str | None) -> FoundAs | None:
    """Return how a ring came about that was stored so."""
    if text is None:
        return None
    read = json.loads(text)
    return FoundAs(kinds=tuple(read["kinds"]), consent=read["consent"])
