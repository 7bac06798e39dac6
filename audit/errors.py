"""What can go wrong in the audit log. Messages name the field and the rule, never the value.

AuditError
├── EntryError                  a leaf or a payload breaks its format
│   └── PayloadTooLargeError    a payload does not fit the fixed size of its kind and group
├── ProofError                  an inclusion or consistency proof does not hold
├── NoteError                   a note, key, checkpoint or proof text breaks its format
│   └── SignatureError          a known key signed badly, or no known key signed
├── PolicyError                 a policy file breaks its format
├── SealError                   a sealed payload, a wrapped key or a key file does not open
├── SignerError                 the signer's own state is missing, damaged or held by another process
│   └── ForkError               signing would fork or roll back what was signed before
├── NotDurableError             the disk did not keep what it was told to keep: the process must end
├── LogStoreError               the log's database is not in the state an append or a read needs
│   └── DatabaseError           PostgreSQL refused a statement or cannot be reached; SQLite raises its driver's errors
├── TileError                   a published directory contradicts the log
├── WitnessError                a witness cannot start or its store is unusable
├── ReceiptError                a receipt breaks its format or does not hold
└── ExportError                 an export cannot be made of these entries, or breaks its format
    └── RendererError           the program that sets a PDF is not installed or failed
"""


class AuditError(Exception):
    """The root of every error this package raises on purpose."""


class EntryError(AuditError):
    """A leaf or a payload breaks its format."""


class PayloadTooLargeError(EntryError):
    """A payload does not fit the fixed size of its kind and group."""


class ProofError(AuditError):
    """An inclusion or consistency proof does not hold."""


class NoteError(AuditError):
    """A note, key, checkpoint or proof text breaks its format."""


class SignatureError(NoteError):
    """A known key signed badly, or no known key signed."""


class PolicyError(AuditError):
    """A policy file breaks its format."""


class SealError(AuditError):
    """A sealed payload, a wrapped key or a key file does not open."""


class SignerError(AuditError):
    """The signer's own state is missing, damaged or held by another process."""


class ForkError(SignerError):
    """Signing would fork or roll back what was signed before."""


class NotDurableError(AuditError):
    """The disk did not keep what it was told to keep: the process must end."""


class LogStoreError(AuditError):
    """The log's database is not in the state an append or a read needs."""


class DatabaseError(LogStoreError):
    """PostgreSQL refused a statement or cannot be reached. Never holds the server's text, which can quote a value.

    Args:
        sqlstate: five characters (PostgreSQL, appendix A), None where the server said nothing.
        lost: the session has ended, and with it what was under way.
        of_values: the values of the statement were refused, by the server or before they left.

    """

    def __init__(self, sqlstate: str | None, *, lost: bool, of_values: bool = False) -> None:
        super().__init__(f"database: failed ({sqlstate or 'no answer'})")
        self.sqlstate = sqlstate
        self.lost = lost
        self.is_of_values = of_values

    @property
    def is_of_the_server(self) -> bool:
        """Whether the server itself is not one to use: it forgets what it acknowledged, or sessions change under us."""
        return self.sqlstate == MISCONFIGURED

    @property
    def may_succeed_again(self) -> bool:
        """Whether the transaction was undone because of another one, so that the very same can succeed."""
        return self.sqlstate in _UNDONE_FOR_ANOTHER


MISCONFIGURED = "F0000"
"""PostgreSQL, appendix A: configuration file error."""
_UNDONE_FOR_ANOTHER = frozenset({"40001", "40P01"})
"""Serialisation failure and deadlock: PostgreSQL has undone the whole transaction."""


class TileError(AuditError):
    """A published directory contradicts the log."""


class WitnessError(AuditError):
    """A witness cannot start or its store is unusable."""


class ReceiptError(AuditError):
    """A receipt breaks its format or does not hold."""


class ExportError(AuditError):
    """An export cannot be made of these entries, or breaks its format."""


class RendererError(ExportError):
    """The program that sets a PDF is not installed or failed."""
