"""What ends with a no: the own signals about that very person that rest on consent alone (D5)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from broker.domain.changes import EndSignal, Task
from broker.domain.consent_standing import standing
from broker.domain.consents import Consent, ConsentState, Needed
from broker.domain.households import FoundToken, TokenIndex, TokenRole
from broker.domain.signals import SignalState
from broker.flows.consent_facts import CONSENT_KIND, INVOLVEMENT
from broker.flows.policy import PolicyInForce
from broker.flows.sweep_signals import ENDED_TASK
from broker.flows.withdraw_signal import REVIEW_TASK
from broker.ports import SignalStore, Stamp

REASON = "consent"
"""Why such a signal ended, beside the reasons of housekeeping."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedByNo:
    """The ends of signals, the tasks that tell of them, their search handles, and the stamps of what was read."""

    changes: tuple[EndSignal, ...] = ()
    tasks: tuple[Task, ...] = ()
    handles: tuple[str, ...] = ()
    stamps: tuple[Stamp, ...] = ()


NOTHING_ENDED = EndedByNo()


async def ended_by_no(
    consents: Iterable[Consent], subject: TokenIndex | None, *, of: Consent, needed: Needed | None,
    policy: PolicyInForce, today: date, signals: SignalStore,
) -> EndedByNo:  # fmt: skip
    """Return what ends now that these records say no; nothing while one named organisation may still be shown.

    Args:
        consents: everything that the organisation recorded about the person, with what is recorded now.
        subject: who it is; None for a record about nobody known here.
        of: the record that changes.
        needed: who must say yes at which age; None for a purpose that rests on consent no more.
        policy: in force.
        today: the calendar day.
        signals: asked for own ones of this purpose.
    """
    if subject is None or needed is None:
        return NOTHING_ENDED
    said = standing(consents, purpose=of.purpose, category=INVOLVEMENT, party=None, needed=needed, day=today)
    if said.state not in (ConsentState.REFUSED, ConsentState.WITHDRAWN):
        return NOTHING_ENDED
    found = await signals.own_on(organisation=of.organisation, purpose=of.purpose, indexes=[subject])
    resting = [token.signal for token in found.found if _rests_on_consent(token, policy)]
    # It ends whenever it gave standing: her right to take it back waits for no reviewer, who looks afterwards.
    looked = [signal for signal in resting if signal.needs_review_to_withdraw(today)]
    tasks = [(ENDED_TASK, signal) for signal in resting] + [(REVIEW_TASK, signal) for signal in looked]
    return EndedByNo(
        changes=tuple(
            EndSignal(
                signal_id=signal.id, state=SignalState.ENDED, reason=REASON, last_standing_on=signal.last_standing_on
            )
            for signal in resting
        ),
        tasks=tuple(
            Task(kind=kind, organisation=of.organisation, due_on=today, signal_id=signal.id) for kind, signal in tasks
        ),
        handles=tuple(signal.handle for signal in resting),
        stamps=found.stamps,
    )


def _rests_on_consent(token: FoundToken, policy: PolicyInForce) -> bool:
    ground = policy.bundle.grounds.get(token.signal.ground)
    return token.role is TokenRole.SUBJECT and ground is not None and ground.kind == CONSENT_KIND
