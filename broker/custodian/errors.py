"""What a custodian refuses, and what can be wrong with itself.

CustodianError
|-- RefusedError            a request is refused; has the id of a published problem
|-- StoreError              the store could not do something durably: nothing was evaluated
|-- FolderError             configuration, keys or store are not as they must be: refuse to start, says what to do
|-- ImportRefusedError      a document is not newer, or not of a known organisation: nothing was changed
|-- CeremonyStepError       a step of a key ceremony is not possible now: nothing was changed
|-- BackupError             a backup cannot be opened or restored: nothing was changed
|-- LogDoubtError           what the broker showed of its log does not continue what it showed before
`-- WatchError              the log cannot be watched as it is set up: says what to do
"""


class CustodianError(Exception):
    """Root of every error of a custodian."""


class RefusedError(CustodianError):
    """A request is refused; `code` is the id of the problem to answer with."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class StoreError(CustodianError):
    """The store could not do what was asked, durably."""


class FolderError(CustodianError):
    """The custodian's folder is not as it must be."""


class ImportRefusedError(CustodianError):
    """A register, roster or enrolment was not taken over."""


class CeremonyStepError(CustodianError):
    """A step of a key ceremony is not possible now."""


class BackupError(CustodianError):
    """A backup cannot be opened or restored."""


class LogDoubtError(CustodianError):
    """What was shown of the log contradicts what was shown before; `kind` names how, `evidence` is the signed note."""

    def __init__(self, kind: str, evidence: str) -> None:
        super().__init__(kind)
        self.kind = kind
        self.evidence = evidence


class WatchError(CustodianError):
    """The log cannot be watched as it is set up."""
