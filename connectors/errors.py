"""What can go wrong at a partner, and how sure one may then be.

ConnectorError
|-- FolderError                 the partner's folder is missing, open to others or malformed
|-- SourceError                 a file cannot be read at all; nothing of it was used
|-- CaseError                   a case breaks a rule; names the field and the rule, never the value
|   `-- CaseMismatchError       the identifier is not that of the organisation's own case record
|-- GrantError                  an import grant cannot be used here; nothing was sent
|-- NotDoneError                nothing is known now: an outage, never an empty result
|   |-- ReceiptError            an answer came without a receipt that holds, and is not shown
|   |-- AlreadyWaitsError       an earlier registration of this person waits in the outbox: resume first
|   |-- HalfGrantedError        one custodian does not know the grant, another gives under it: the row waits
|   `-- EndedElsewhereError     another run of this organisation brought the command to its end meanwhile
|-- KeyChangedError             an organisation has other keys than the pinned ones: nothing was sealed or opened
|-- LetterNotOpenedError        a letter that came does not hold, and nothing of it is shown
`-- RefusedError                a party refused openly, and says why and what is possible

Errors hold names of fields and rules, and problem ids; never an identifier, a token or a key.
"""

from collections.abc import Mapping

from pydantic import ValidationError

from broker.protocol.problems import problem_kinds, render
from connectors.answers import ProblemDocument, VerifiedEntry


class ConnectorError(Exception):
    """Root of every error of a partner's connector."""


class FolderError(ConnectorError):
    """The partner's folder cannot be used; names the file and the rule."""

    def __init__(self, file: str, rule: str) -> None:
        super().__init__(f"{file}: {rule}")
        self.file = file
        self.rule = rule


class SourceError(ConnectorError):
    """A source file as a whole breaks a rule; nothing of it was used."""

    def __init__(self, rule: str) -> None:
        super().__init__(f"source: {rule}")
        self.rule = rule


class CaseError(ConnectorError):
    """A case breaks a rule."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


def case_error(error: ValidationError) -> CaseError:
    """Return the first field of a message that breaks its rule, and that rule; the message's values stay out."""
    first = error.errors(include_input=False, include_url=False)[0]
    own = first["msg"].removeprefix("Value error, ") if first["type"] == "value_error" else _FORMAT
    told = _RULES.get(first["type"], own).format_map(first.get("ctx", {}))
    # The name of a member that we do not know is what somebody typed, and so may be anything.
    place = first["loc"][:-1] if first["type"] == _UNKNOWN else first["loc"]
    return CaseError(".".join(str(part) for part in place) or "message", told)


_UNKNOWN, _FORMAT = "extra_forbidden", "breaks the rule of this field"
_RULES: Mapping[str, str] = {
    "missing": "must be given",
    _UNKNOWN: "has a member that is not known here",
    "literal_error": "must be {expected}",
    "string_pattern_mismatch": "must match {pattern}",
    "string_too_short": "must have {min_length} characters or more",
    "string_too_long": "must have {max_length} characters or fewer",
    "too_short": "must have {min_length} words or more",
    "too_long": "must have {max_length} words or fewer",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
}
"""What pydantic holds against a field, by its own name; what it fills in is of our models, and never of the value."""


class CaseMismatchError(CaseError):
    """The identifier and the organisation's own case record disagree: probably the wrong person."""


class GrantError(ConnectorError):
    """An import grant cannot be made or used here; names the rule, and nothing was sent."""

    def __init__(self, rule: str) -> None:
        super().__init__(f"grant: {rule}")
        self.rule = rule


class NotDoneError(ConnectorError):
    """The request was not carried out, or nobody knows whether it was; `resumable` rows stand in the outbox.

    `problem_id` is a published problem, `text_nl` its Dutch sentence, `receipt` the entry of a recorded failure.
    `problem` is what a party answered instead, which does not say what became of the request itself.
    """

    def __init__(
        self,
        problem_id: str,
        *,
        party: str | None = None,
        key: str | None = None,
        receipt: VerifiedEntry | None = None,
        problem: ProblemDocument | None = None,
    ) -> None:
        super().__init__(problem_id)
        self.problem = problem
        self.problem_id = problem_id
        self.party = party
        self.key = key
        self.receipt = receipt
        self.text_nl = render(problem_kinds()[problem_id].text, {})

    @property
    def resumable(self) -> bool:
        """Whether the request stands in the outbox and `resume` will finish it."""
        return self.key is not None


class ReceiptError(NotDoneError):
    """An answer's receipt does not hold, so the answer is not shown; `step` names what failed."""

    def __init__(self, step: str, *, key: str | None = None) -> None:
        super().__init__("receipt-invalid", key=key)
        self.step = step

    def __str__(self) -> str:
        return f"{self.problem_id}: {self.step}"


class AlreadyWaitsError(NotDoneError):
    """Nothing was sent: an earlier registration of this person waits in the outbox under `key`, and `resume` ends it.

    Another one would be charged a second time, and an exact grant could then not be finished.
    """

    def __init__(self, key: str) -> None:
        super().__init__("not-done", key=key)
        self.text_nl = render("outbox.waits", {})


class HalfGrantedError(NotDoneError):
    """An imported row waits: `party` gives nothing under its grant, another custodian does, so it may be paid there.

    Where the grant was revoked or forgotten it waits until the others revoke it too, or until it ends.
    """

    def __init__(self, problem: ProblemDocument, *, party: str, key: str) -> None:
        super().__init__("not-done", party=party, key=key, problem=problem)
        self.text_nl = render("outbox.half_granted", {"party": party})


class EndedElsewhereError(NotDoneError):
    """Another run brought this command to its end meanwhile, and told there what came of it; it waits no more."""

    def __init__(self) -> None:
        super().__init__("not-done")
        self.text_nl = render("outbox.elsewhere", {})


class KeyChangedError(ConnectorError):
    """The register states other keys of an organisation than those pinned here; a person compares the fingerprint."""

    def __init__(self, *, oin: str, name: str, fingerprint: str) -> None:
        super().__init__(render("letter.key_changed", {"name": name, "fingerprint": fingerprint}))
        self.oin = oin
        self.fingerprint = fingerprint


class LetterNotOpenedError(ConnectorError):
    """A letter that was handed out does not hold; `step` says at which step, and nothing of it is shown."""

    def __init__(self, step: str) -> None:
        super().__init__(render("letter.not_opened", {}))
        self.step = step


class RefusedError(ConnectorError):
    """A party refused openly; nothing was carried out. `problem` says why, in Dutch, and what is possible.

    `receipt` is the verified log entry of the refusal where the party is the broker and recorded one. `by_all` says of
    a custodian's refusal that every other custodian refused too, so that none of them charged anything.
    """

    def __init__(self, problem: ProblemDocument, *, party: str, receipt: VerifiedEntry | None = None) -> None:
        super().__init__(problem.id)
        self.problem = problem
        self.party = party
        self.receipt = receipt
        self.by_all = False

    @property
    def text_nl(self) -> str:
        """The Dutch sentence."""
        return self.problem.text_nl
