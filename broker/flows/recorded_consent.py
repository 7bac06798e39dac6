"""What is committed where a record of consent is made: the record, its entry, and what is owed to the resident (D5)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from broker.domain.changes import StoreConsent, TicketId
from broker.domain.consents import Consent, ConsentEvent, Needed
from broker.domain.households import StoredToken
from broker.flows.act import Act
from broker.flows.consent_ended import Resting
from broker.flows.consenting import owed_tasks, stated_of, told_of
from broker.flows.entry_payloads import Recording
from broker.flows.outcome import Effects, Outcome, outcome_of
from broker.ports import AnswerStatus, OwnSignal, Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedConsent:
    """What an act that records consent rests on; `seen` is all about this person that its worker may know of."""

    act: Act
    needed: Needed
    today: date
    seen: tuple[Consent, ...]
    bundle: str
    register: int
    tickets: tuple[TicketId, ...]
    token: StoredToken | None
    own: OwnSignal | None
    relied: tuple[Stamp, ...]

    def outcome(self, consent: Consent, events: Iterable[ConsentEvent], resting: Resting) -> Outcome:
        """Return the outcome: recorded, and that the resident gets his confirmation, or why not yet."""
        worker = self.act.requester.worker
        recording = Recording(
            outcome="done", bundle=self.bundle, register=self.register, tickets=self.tickets,
            document=told_of(consent, needed=self.needed, day=self.today, about=self.seen, reader=worker),
            own_handles=(consent.id, *(() if self.own is None else (self.own.signal.handle,)), *resting.handles),
            more=stated_of(consent.id, events),
        )  # fmt: skip
        owed = owed_tasks(consent, needed=self.needed, today=self.today, about=self.seen, reader=worker)
        effects = Effects(
            relies_on=(*self.relied, *resting.stamps),
            changes=(StoreConsent(consent=consent, token=self.token), *resting.changes),
            tasks=(*owed, *resting.tasks),
        )
        return outcome_of(self.act, recording, effects, status=AnswerStatus.DONE)
