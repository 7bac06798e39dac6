"""What can go wrong with a request at the broker. Errors carry facts, never an HTTP status and never an input value.

BrokerError
├── RequestRuleError                the request breaks a rule of its own; nothing was recorded
│   ├── FieldRuleError              a field breaks a rule: names both
│   ├── RoleNotAllowedError         this role may not do this
│   ├── ControllerUnknownError      the controller is neither the organisation nor its registered parent
│   ├── TeamUnknownError            the team has no contact card
│   ├── PurposeUnknownError         no such purpose
│   ├── FamilyNotAllowedError       the register gives this organisation no right to this family
│   ├── FamilyNotUsedError          the purpose does not use this family
│   ├── PointInvalidError           a token is no point of the group
│   ├── EpochUnknownError           not the epoch in use
│   ├── EndDateBeyondRuleError      the end lies after the latest day allowed, which it names
│   ├── AgeQuarterNeededError       the purpose is bound to an age
│   ├── AssessmentNeededError       the purpose needs a person's assessment
│   ├── InformingNeededError        the purpose needs whether the family knows
│   ├── ReceiverUnknownError        a letter has no such receiver, or none it can be sealed to
│   └── BundleNotInForceError       a letter is bound to another policy than the one in force
├── ApprovalError                   the second statement does not hold
│   └── ApproverIsRequesterError    nobody approves their own act
├── OrganisationUnknownError        not in the register of organisations
├── OrganisationSuspendedError      in it, and stopped
├── NotFoundError                   nothing here, or nothing of yours: one answer for both
├── AlreadyErasedError              what is to be erased was erased before
├── SignalExistsError               this team has an active signal for this purpose on this person
├── TicketSpentError                a ticket was used before
├── KeyReusedError                  the idempotency key was used for another request
├── AnswerWithheldError             done before, and something it rested on has changed since
├── DocumentNotNewerError           a register, roster or epoch is not newer than the one in force
├── PolicyNotSuccessorError         a policy may not follow the one in force: says which rule it breaks
├── RecordedError                   a refusal that is itself an entry of the log; has its document and receipt
│   ├── RefusedError                may_ask said no
│   ├── WithdrawalNeedsReviewError  a signal used to look is not withdrawn within 14 days without review
│   └── NotDoneError                a decision failed; nothing was disclosed
├── NotRecordedError                not done, and not recorded either
│   ├── StorageError                it could not be stored
│   │   ├── SchemaNotMigratedError  the database has not the schema of this release
│   │   ├── RightsTooWideError      the role of the database may rewrite the log or change the schema
│   │   └── WriterHeldError         another broker writes to this database
│   └── LogUnavailableError         the log does not work
└── ConcurrencyError                only inside the broker: a flow catches these
    ├── StaleDecisionError          what the decision relied on has changed: decide again
    └── AlreadyAnsweredError        the same request was answered meanwhile: give that answer
"""

from collections.abc import Mapping
from datetime import date


class BrokerError(Exception):
    """The root of every error the broker raises on purpose."""


class RequestRuleError(BrokerError):
    """The request breaks a rule of its own; nothing was recorded."""


class FieldRuleError(RequestRuleError):
    """A field breaks a rule of its own."""

    def __init__(self, field: str, rule: str) -> None:
        """Name the field and the rule, never the value."""
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class RoleNotAllowedError(RequestRuleError):
    """This role may not do this."""


class ControllerUnknownError(RequestRuleError):
    """The controller is neither the organisation nor its registered parent (D17)."""


class TeamUnknownError(RequestRuleError):
    """The team has no contact card on the organisation's roster (D6)."""


class PurposeUnknownError(RequestRuleError):
    """The policy in force has no such purpose."""


class FamilyNotAllowedError(RequestRuleError):
    """The register gives this organisation no right to this family of identifiers."""


class FamilyNotUsedError(RequestRuleError):
    """The purpose does not use this family of identifiers."""


class PointInvalidError(RequestRuleError):
    """A token is no canonical point of the group, or its identity."""

    def __init__(self, field: str) -> None:
        """Name the field."""
        super().__init__(field)
        self.field = field


class EpochUnknownError(RequestRuleError):
    """The tokens are not of the epoch in use."""


class EndDateBeyondRuleError(RequestRuleError):
    """The end of a signal lies after the latest day its purpose allows (D16)."""

    def __init__(self, latest: date) -> None:
        """Name the latest day allowed."""
        super().__init__(latest.isoformat())
        self.latest = latest


class AgeQuarterNeededError(RequestRuleError):
    """The purpose is bound to an age and the request does not say when it ends."""


class AssessmentNeededError(RequestRuleError):
    """The purpose needs a person's assessment of this youth (D10)."""


class InformingNeededError(RequestRuleError):
    """The purpose needs whether the family is informed (D10)."""


class ReceiverUnknownError(RequestRuleError):
    """The organisation that a letter is for does not stand here with this team and a key to seal to."""


class BundleNotInForceError(RequestRuleError):
    """A letter is bound to another policy than the one in force: it must be made anew."""


class ApprovalError(BrokerError):
    """The second statement is not that of an approver of the same organisation."""


class ApproverIsRequesterError(ApprovalError):
    """Nobody approves their own act."""


class OrganisationUnknownError(BrokerError):
    """The organisation is not in the register."""


class OrganisationSuspendedError(BrokerError):
    """The organisation is in the register and suspended."""


class NotFoundError(BrokerError):
    """There is nothing here, or nothing of yours; the answer is the same."""


class AlreadyErasedError(BrokerError):
    """What is to be erased of an own entry was erased before."""


class SignalExistsError(BrokerError):
    """This team already has an active signal for this purpose on this person."""


class TicketSpentError(BrokerError):
    """A ticket was used before."""


class KeyReusedError(BrokerError):
    """The idempotency key was used for another request."""


class AnswerWithheldError(BrokerError):
    """The request was carried out before; what its answer rested on has changed since, so it is not shown again."""

    def __init__(self, *, receipt: Mapping[str, object], signal_id: str | None) -> None:
        """Carry the receipt of what was done and the signal it made, never a match."""
        super().__init__()
        self.receipt = receipt
        self.signal_id = signal_id


class DocumentNotNewerError(BrokerError):
    """A register, roster or epoch is not newer than the one in force; nothing has changed."""


class PolicyNotSuccessorError(BrokerError):
    """A policy may not follow the one in force."""

    def __init__(self, rule: str) -> None:
        """Name the rule it breaks."""
        super().__init__(rule)
        self.rule = rule


class RecordedError(BrokerError):
    """A refusal that is an entry of the log.

    `document` is the RFC 9457 problem without its receipt, the very bytes (JCS) the entry commits to; `receipt` is the
    wire form of the receipt.
    """

    def __init__(self, *, document: Mapping[str, object], receipt: Mapping[str, object]) -> None:
        """Carry what the entry commits to and its receipt."""
        super().__init__()
        self.document = document
        self.receipt = receipt


class RefusedError(RecordedError):
    """`may_ask` refused, openly and with what is possible (D8)."""


class WithdrawalNeedsReviewError(RecordedError):
    """A signal used as standing is not withdrawn within 14 days without review (D5)."""


class NotDoneError(RecordedError):
    """A decision failed; nothing was disclosed and that is recorded."""


class NotRecordedError(BrokerError):
    """Nothing was done, nothing was disclosed, and nothing is in the log."""


class StorageError(NotRecordedError):
    """The database did not take it; nothing of it is stored."""


class SchemaNotMigratedError(StorageError):
    """The database has not the schema of this release; migrate it first."""


class WriterHeldError(StorageError):
    """Another broker writes to this database, so this one does not."""


class RightsTooWideError(StorageError):
    """The role that the broker works as may rewrite the log or change the schema; it does not start."""


class LogUnavailableError(NotRecordedError):
    """The log cannot be written, so nothing is done."""


class ConcurrencyError(BrokerError):
    """Something else happened first; a flow catches this and goes on."""


class StaleDecisionError(ConcurrencyError):
    """What the decision relied on has changed before the commit: decide again."""


class AlreadyAnsweredError(ConcurrencyError):
    """The same request was answered meanwhile: give that answer."""
