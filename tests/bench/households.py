"""The households that benches ask about: every check finds the same pattern, however large the store around it is.

Each has a signal of the asker (his standing), of two others on the same child, of one on a brother, of one on a member
of the household, and two at the address.
"""

import hashlib
from collections.abc import Iterator
from datetime import date
from typing import Any

from broker.domain.changes import StoreSignal
from broker.domain.households import TokenRole
from broker.ports import TokenIndexer
from broker.protocol.families import Family
from broker.protocol.signing_keys import b64url_bytes
from tests.bench.seeding import a_signal, a_token
from tests.simulators.asking import EPOCH, household, token
from tests.simulators.enrolled import GI, SCHOOL, VEILIG_THUIS, WIJKTEAM

ASKER = WIJKTEAM


def asked(number: int) -> dict[str, Any]:
    """Return the household of one check."""
    return household(
        subject=f"child {number}",
        parents=[f"mother {number}", f"father {number}"],
        members=[f"brother {number}", f"mother {number}", f"father {number}"],
        address=f"address {number}",
    )


def known(count: int, tokens: TokenIndexer, *, ends_on: date = date(2027, 6, 1)) -> Iterator[StoreSignal]:
    """Give the signals on so many households, which every check finds."""
    for number in range(count):
        for place, (holder, subject, parents) in enumerate(
            [
                (ASKER, "child", True),
                (GI, "child", True),
                (VEILIG_THUIS, "child", False),
                (SCHOOL, "brother", True),
                (SCHOOL, "mother", False),
                (GI, "neighbour", False),
            ]
        ):
            name = hashlib.sha256(f"known {number} {place}".encode()).hexdigest()
            signal = a_signal(name, holder, ends_on=ends_on)
            yield StoreSignal(signal=signal, tokens=tuple(_stored(number, subject, parents, tokens)))


def _stored(number: int, subject: str, parents: bool, tokens: TokenIndexer) -> Iterator[Any]:  # noqa: FBT001 - a column of the table above
    labels = [(TokenRole.SUBJECT, Family.NLBSN, subject), (TokenRole.ADDRESS, Family.ADDR, "address")]
    if parents:
        labels += [(TokenRole.PARENT, Family.FAM, name) for name in ("mother", "father")]
    for role, family, label in labels:
        raw = b64url_bytes(token(f"{label} {number}", family), field="token")
        yield a_token(tokens.index(EPOCH, family, raw), role)
