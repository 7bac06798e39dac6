"""What becomes of the own signals about a person whose no is recorded, judged without a store."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import pytest

from broker.domain.changes import EndSignal
from broker.domain.households import FoundToken, TokenIndex, TokenRole
from broker.flows.consent_ended import resting_on
from broker.flows.policy import PolicyInForce
from broker.ports import LookUp
from tests.property.broker.test_consents import DAY, NEEDED, a_consent
from tests.simulators.kept_signals import KeptSignals
from tests.simulators.proposals import a_signal, an_index
from tests.unit.broker.domain.test_consent_standing import HERSELF, no

TRUDY = an_index("trudy")


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutTrudy(KeptSignals):
    """A `SignalStore` in which all of these signals are about one person."""

    async def own_on(self, *, organisation: str, purpose: str | None, indexes: Collection[TokenIndex]) -> LookUp:
        """See `SignalStore.own_on`."""
        del organisation, purpose, indexes
        found = [
            FoundToken(index=TRUDY, role=TokenRole.SUBJECT, source=None, subject=TRUDY, signal=one)
            for one in self.signals
        ]
        return LookUp(found=tuple(found), stamps=())


@pytest.mark.parametrize(
    ("purpose", "ends"), [("volwassene", [1]), ("proefregio", []), ("no such purpose", [])]
)  # fmt: skip
async def test_a_no_ends_what_rests_on_consent_for_a_purpose_that_does(
    policy: PolicyInForce, purpose: str, ends: list[int]
) -> None:
    """Where the documents know no consent for a purpose any more, its signal is for their own change to end."""
    signal = replace(
        a_signal("s", organisation="2" * 20), ground="TOEST", purpose=purpose, registered_on=DAY,
    )  # fmt: skip
    record = a_consent(HERSELF, no())
    resting = await resting_on(
        [record], record.events[-1:], TRUDY, of=record, needed=NEEDED.__getitem__, worker="w", policy=policy, today=DAY,
        signals=AboutTrudy(signals=(signal,)),
    )  # fmt: skip
    ended = [change.signal_id for change in resting.changes if isinstance(change, EndSignal)]
    assert ended == [signal.id for _ in ends]
