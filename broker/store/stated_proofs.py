"""What a letter or a phone call states as its proof, and what it rests on, each as one column of JSON."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date

from broker.domain.information_requests import RestsOn, StatedProof


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


def rests_text(rests_on: Iterable[RestsOn]) -> str:
    """Return what something rests on as it is stored."""
    return json.dumps([asdict(one) for one in rests_on])


def rests_of(text: str) -> tuple[RestsOn, ...]:
    """Return what was stored so."""
    return tuple(RestsOn(**one) for one in json.loads(text))
