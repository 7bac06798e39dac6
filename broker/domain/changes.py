"""What becomes durable with an entry of the log: changes of signals, tasks for people, spent tickets."""

from dataclasses import dataclass, field
from datetime import date

from broker.domain.calls import AnswerRing, ForwardRing, StoreCall
from broker.domain.consents import Consent, ConsentEvent
from broker.domain.erasures import EntryRange, Erasure
from broker.domain.exceptions import ExceptionRecord
from broker.domain.households import StoredToken
from broker.domain.information_requests import RequestChange
from broker.domain.keeping import KeepingChange
from broker.domain.letter_chunks import ChunkChange
from broker.domain.matches import ChangeMatch, MarkOverdue, MeetLater, NameCasusregisseur, NoteMet, StoreMatch
from broker.domain.notices import Notify, ReadNotices
from broker.domain.phone_calls import PhoneChange
from broker.domain.signals import Signal, SignalState
from broker.domain.team_tasks import TaskChange
from broker.domain.webhooks import SetWebhook


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSignal:
    """A new signal and its tokens are stored."""

    signal: Signal
    tokens: tuple[StoredToken, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewSignal:
    """An active signal has another end; a shorter one makes stale what relied on seeing it.

    `consent_until` is the last day of the consent that it rests on. What is None stays as it is when it is written: a
    consent that changes takes nothing of a renewal back.
    """

    signal_id: str
    ends_on: date | None
    consent_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSignal:
    """A signal is active no more, or ended after it was frozen; what relied on seeing it is stale.

    `last_standing_on` is what the decision saw: when it served as standing since, the decision is stale (D5). So is
    one that rests on the last day, when the signal was renewed since: it then names `ends_on`, and with it the last day
    of the consent as `consent_until`. One that rests on a reviewer's word names the newest entry of its holder about it
    as `newest_act`, and is stale with a newer one.
    """

    signal_id: str
    state: SignalState
    reason: str | None
    last_standing_on: date | None
    ends_on: date | None = None
    consent_until: date | None = None
    newest_act: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkStanding:
    """A signal served as standing for a look-up on this day."""

    signal_id: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """These own signals of an organisation have this owner from now on: a worker's id at the broker."""

    organisation: str
    ids: tuple[str, ...]
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetTickets:
    """These spent tickets, pairs of custodian and id, are kept no longer: nothing can present them any more."""

    tickets: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivateBundle:
    """The policy bundle with this hex hash is in force from this unix second; what was decided before is stale.

    `mark` says whether anybody signed it: `signed`, `unsigned` or `test`. A signed one has the hex hash of the
    statement that people signed, and the day on which they did.
    """

    sha256: str
    at: int
    mark: str = "unsigned"
    statement: str | None = None
    registered_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreErasure:
    """A proposal to erase waits for a second person."""

    erasure: Erasure


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasePayloads:
    """Payloads and keys of these ranges are gone, by the entry that this stands with; kept answers to them too.

    `erasure` is the organisation's proposal that this carries out and who confirmed it; None for a retention period
    that has ended, whose copies in backups go when their whole epoch has.
    """

    ranges: tuple[EntryRange, ...]
    erasure: Erasure | None = None
    decided_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreConsent:
    """A new record of consent with its first answers, about a token, an own signal's subject, or nobody known here."""

    consent: Consent
    token: StoredToken | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAnswers:
    """More answers to a record; what relied on how it stood is stale."""

    consent_id: str
    organisation: str
    events: tuple[ConsentEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreException:
    """An exception that was invoked; its entry's index stands with it, so that a verdict on it is found.

    It is about whose `tokens` these are, and about the subject of the own signal.
    """

    record: ExceptionRecord
    tokens: tuple[StoredToken, ...] = field(default=(), repr=False)
    signal_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishException:
    """The rest of an acute exception is there."""

    record: ExceptionRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishOwed:
    """A task that follows from an act is done, by the row it stands in; stale when somebody did it already."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleOwed:
    """Of what is still to be done after an own act, these kinds are done, and these people had a part in it since.

    `entry` is the index of that act's entry; nothing follows from None.
    """

    organisation: str
    entry: int | None
    kinds: frozenset[str]
    involved: frozenset[str] = frozenset()


Change = (
    StoreSignal | RenewSignal | EndSignal | MarkStanding | ForgetTickets | ActivateBundle | StoreErasure | ErasePayloads
    | HandOver | Notify | ReadNotices | StoreMatch | ChangeMatch | NameCasusregisseur | MarkOverdue
    | MeetLater | NoteMet
    | RequestChange | TaskChange
    | StoreConsent | AddAnswers | StoreException | FinishException
    | ChunkChange | KeepingChange
    | StoreCall | AnswerRing | ForwardRing | PhoneChange | SetWebhook
    | FinishOwed | SettleOwed
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something a person has to do, written in the same transaction as its cause.

    `makers` are whose act it follows from: who did it, approved or proposed it, or was consulted about it. What
    somebody else has to look at is ended by none of them. Empty where no person made it. `actor` is who of this
    organisation did that act; None where none of its people did.
    """

    kind: str
    organisation: str
    due_on: date
    signal_id: str | None = None
    makers: frozenset[str] = field(default=frozenset(), compare=False)
    actor: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketId:
    """A custodian's ticket; it is spent once, whatever the outcome. `expires_at` in unix seconds.

    `batch` is the evaluation it is of, which tickets of other custodians name too.
    """

    custodian: str
    id: str
    expires_at: int
    batch: str = field(default="", compare=False)
