"""What a letter or a phone call states as its proof, as one column of JSON."""

import json
from dataclasses import asdict
from datetime import date

from broker.domain.information_requests import StatedProof


def proof_text(proof: StatedProof | None) -> str | None:
    """Return a proof as it is stored; None for none."""
    if proof is None:
        return None
    days = {"since": proof.since.isoformat(), "ends_on": proof.ends_on and proof.ends_on.isoformat()}
    return json.dumps({**asdict(proof), **days})


def proof_of(text: str | None) -> StatedProof | None:
    """Return the proof that was stored so; None for none."""
    if text is None:
        return None
    read = json.loads(text)
    ends_on = read["ends_on"]
    return StatedProof(
        kind=read["kind"],
        since=date.fromisoformat(read["since"]),
        ends_on=None if ends_on is None else date.fromisoformat(ends_on),
        reference=read["reference"],
    )
